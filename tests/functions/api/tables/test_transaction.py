"""What DynamoDB's reasons for canceling the ledger transaction mean."""

from __future__ import annotations

from functions.api.payments.appending import AlreadyLoggedError, HeadMovedError
from functions.api.tables.transaction import reason_of

NO = {"Code": "None"}
THROTTLED = {"Code": "ThrottlingError"}
FAILED = {"Code": "ConditionalCheckFailed"}


def test_what_a_transaction_found_outranks_what_it_could_not_look_at() -> None:
    used = [("row", THROTTLED), ("pointer", FAILED), ("head", NO)]
    moved = [("row", NO), ("pointer", THROTTLED), ("head", FAILED)]
    assert isinstance(reason_of(used), AlreadyLoggedError)
    assert isinstance(reason_of(moved), HeadMovedError)


def test_a_transaction_that_was_only_throttled_is_not_written_again_at_once() -> None:
    assert reason_of([("row", NO), ("pointer", NO), ("head", THROTTLED)]) is None
