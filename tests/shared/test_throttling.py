from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.reads import UnreadKeysError
from shared.throttling import is_throttled


def refusal(code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code}} | more
    return ClientError(answer, "GetItem")


def canceled(*codes: str) -> ClientError:
    reasons = [{"Code": each} for each in codes]
    return refusal("TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize(
    "error",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("RequestLimitExceeded"),
        refusal("SlowDown"),
        refusal("ThrottlingException"),
        refusal("TooManyRequestsException"),
        refusal("TransactionConflictException"),
        refusal("TransactionInProgressException"),
        canceled("None", "ThrottlingError"),
        canceled("ProvisionedThroughputExceeded", "TransactionConflict"),
        UnreadKeysError(["Payments"], 6),
    ],
    ids=str,
)
def test_a_throttled_call_is_one_that_will_do_later(error: Exception) -> None:
    assert is_throttled(error)


@pytest.mark.parametrize(
    "error",
    [
        refusal("AccessDeniedException"),
        refusal("TransactionCanceledException"),
        canceled("None", "None"),
        canceled("ThrottlingError", "ValidationError"),
        canceled("ConditionalCheckFailed"),
        RuntimeError("ThrottlingException"),
    ],
    ids=str,
)
def test_a_retry_helps_against_nothing_else(error: Exception) -> None:
    assert not is_throttled(error)
