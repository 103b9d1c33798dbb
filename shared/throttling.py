"""Whether AWS said "not now": the codes with which its services slow a caller down."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from shared.reads import UnreadKeysError

# What the AWS SDKs retry as throttles, and what DynamoDB says of a transaction's parts and of a row
# that another transaction is writing.
CODES = frozenset({
    "BandwidthLimitExceeded", "PriorRequestNotComplete", "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
    "ThrottlingError", "ThrottlingException", "TooManyRequestsException", "TransactionConflict",
    "TransactionConflictException", "TransactionInProgressException",
})  # fmt: skip
CANCELED = "TransactionCanceledException"


def is_throttled(error: BaseException) -> bool:
    """Whether the same call will do later. Of a transaction, nothing else may have failed."""
    if isinstance(error, ClientError):
        codes = _codes(error.response)
        return bool(codes) and codes <= CODES
    return isinstance(error, UnreadKeysError)


def _codes(response: Any) -> set[str]:
    """Why a call was refused; of a transaction, each of its writes that was."""
    code = str(response.get("Error", {}).get("Code", ""))
    if code != CANCELED:
        return {code}
    reasons = {str(each.get("Code")) for each in response.get("CancellationReasons") or ()}
    return reasons - {"None"}
