"""What the router makes of a row that was altered or removed."""

from __future__ import annotations

from typing import Any

import pytest

from functions.stream_router.routing import Batch, Lawful, Tampered, route, sort_out
from shared.attributes import to_attributes
from shared.ledger import EXPIRY, RETENTION_SECONDS
from tests.builders import NOW, entry

ROW = entry().to_row()
EXPIRES = ROW[EXPIRY]
# As AWS documents it: docs.aws.amazon.com/amazondynamodb, "DynamoDB Streams and Time to Live".
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
SEVEN_YEARS_ON = NOW // 1000 + RETENTION_SECONDS
IDS = {"payment_id": ROW["payment_id"], "event_id": "sunset-charter", "seq": 1}


def modified(new: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    images = {"OldImage": to_attributes(old or ROW), "NewImage": to_attributes(new)}
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": "7", **images}}


def removed(created: float = SEVEN_YEARS_ON, identity: Any = TTL, **changes: Any) -> dict[str, Any]:
    return {
        "eventName": "REMOVE",
        "userIdentity": identity,
        "dynamodb": {
            "SequenceNumber": "7",
            "ApproximateCreationDateTime": created,
            "OldImage": to_attributes(ROW | changes),
        },
    }


def without(name: str) -> dict[str, Any]:
    return {each: value for each, value in ROW.items() if each != name}


@pytest.mark.parametrize("name", [each for each in ROW if each != EXPIRY])
def test_whatever_attribute_is_altered_is_tampering(name: str) -> None:
    record = modified(ROW | {name: 7 if isinstance(ROW[name], str) else "x"})
    tampered = route(record)
    assert isinstance(tampered, Tampered)
    assert tampered.reason == "ledger row altered"
    assert tampered.record is record, "both images are kept"
    assert tampered.ids == IDS


@pytest.mark.parametrize(
    "new",
    [
        without("note"),
        ROW | {"surprise": 1},
        ROW | {"amount_cents": 1, EXPIRY: EXPIRES + 1},
        ROW | {EXPIRY: EXPIRES - 1},
        ROW | {EXPIRY: 0},
        ROW | {EXPIRY: str(EXPIRES + 1)},
        ROW | {EXPIRY: None},
    ],
)
def test_an_attribute_that_comes_or_goes_and_an_earlier_expiry_are_tampering(
    new: dict[str, Any],
) -> None:
    assert isinstance(route(modified(new)), Tampered)


@pytest.mark.parametrize("new", [ROW | {EXPIRY: EXPIRES + 1}, without(EXPIRY)])
def test_an_expiry_that_is_postponed_or_removed_is_a_legal_hold(new: dict[str, Any]) -> None:
    assert route(modified(new)) == Lawful("held", IDS)


def test_an_expiry_that_comes_back_lets_the_row_go_and_is_not_overlooked() -> None:
    assert isinstance(route(modified(ROW, old=without(EXPIRY))), Tampered)


def test_a_fraction_in_the_expiry_is_no_hold() -> None:
    record = modified(ROW)
    record["dynamodb"]["NewImage"][EXPIRY] = {"N": f"{EXPIRES + 1}.5"}
    assert isinstance(route(record), Tampered)


@pytest.mark.parametrize("created", [SEVEN_YEARS_ON, SEVEN_YEARS_ON + 2 * 86_400.0])
def test_a_row_that_dynamodb_removes_after_seven_years_is_counted(created: float) -> None:
    assert route(removed(created)) == Lawful("expired", IDS)


@pytest.mark.parametrize(
    "record",
    [
        removed(SEVEN_YEARS_ON - 1),
        removed(0),
        removed(identity=None),
        removed(identity={"type": "Service", "principalId": "replication.dynamodb"}),
        removed(identity={"type": "User", "principalId": TTL["principalId"]}),
        removed(logged_at="long ago"),
        {"eventName": "REMOVE", "userIdentity": TTL, "dynamodb": {"SequenceNumber": "7"}},
        {"eventName": "REMOVE", "userIdentity": TTL},
    ],
)
def test_any_other_removal_is_tampering(record: dict[str, Any]) -> None:
    record.setdefault("dynamodb", {})
    tampered = route(record)
    assert isinstance(tampered, Tampered)
    assert tampered.reason == "ledger row removed"


def test_a_row_that_nobody_can_read_is_tampering_all_the_same() -> None:
    record = modified(ROW)
    record["dynamodb"]["OldImage"] |= {"seq": {"Q": "?"}, "payment_id": {"B": "AAA="}}
    tampered = route(record)
    assert isinstance(tampered, Tampered)
    assert tampered.ids == {"event_id": "sunset-charter"}


def test_what_is_no_id_is_not_told() -> None:
    """A log line must not hold a name or an address that someone wrote into an id."""
    old = ROW | {"payment_id": "Jane Doe", "event_id": "jane.doe@example.com"}
    tampered = route(modified(ROW, old=old))
    assert isinstance(tampered, Tampered)
    assert tampered.ids == {"seq": 1}


def test_a_batch_counts_each_kind_once() -> None:
    batch: Batch = sort_out([modified(ROW | {"note": "x"}), modified(without(EXPIRY)), removed()])
    assert (len(batch.tampered), len(batch.held), batch.expired) == (1, 1, 1)
    assert batch.routed == []
