"""What somebody wrote into the tables to stop the statement is named, and the day is stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.daily_statement.rules.account import NO_OPS_RECORD
from shared import keys
from tests.builders import NOW
from tests.functions.daily_statement.conftest import Office
from tests.suites import later

VOID: dict[str, Any] = {"kind": "void", "voids": "pay_1", "reason": "entered_twice"}
NUMBERS = {"SK", "part"}  # keys that are numbers, but for the SK of Events, which is not read


@pytest.fixture(autouse=True)
def strict_keys(office: Office) -> Iterator[None]:
    """Keys that DynamoDB refuses and moto takes: empty, too long, or of another type."""
    events = office.dynamodb.meta.events
    events.register("provide-client-params.dynamodb", refuse_bad_keys, unique_id="keys")
    yield
    events.unregister("provide-client-params.dynamodb", unique_id="keys")


def refuse_bad_keys(params: dict[str, Any], model: Any, **_: Any) -> None:
    found = [params["Key"]] if "Key" in params else []
    for wanted in params.get("RequestItems", {}).values():
        found += wanted["Keys"]
    named = [(name, value) for key in found for name, value in key.items()]
    if model.name == "Query":
        named += params["ExpressionAttributeValues"].items()
    for name, attribute in named:
        ((kind, value),) = attribute.items()
        is_good = kind == ("N" if name in NUMBERS else "S")
        if not is_good or (kind == "S" and not keys.is_key(value)):
            error: Any = {"Code": "ValidationException", "Message": f"{name} is {kind}"}
            raise ClientError({"Error": error}, model.name)


def stated(office: Office) -> dict[str, Any]:
    office.run()
    record = office.stated()
    assert record["entries"] >= 1
    return record


@pytest.mark.parametrize(
    "value", [{"B": b"1"}, *map(later, ({"N": "1.5"}, {"NS": ["1"]}, {"SS": ["x"]}))]
)
def test_an_operators_record_with_what_none_holds_is_a_malformed_row(
    office: Office, value: dict[str, Any]
) -> None:
    office.log("pay_1")
    ids = {"ops_id": {"S": "ops_x_done"}, "part": {"N": "0"}, "at": {"N": str(NOW)}}
    office.dynamodb.put_item(TableName=office.tables["OpsRecord"], Item=ids | {"evil": value})
    office.put("OpsRecord", {"ops_id": "ops_y_done", "part": 0, "at": NOW})
    record = stated(office)
    assert record["malformed"] == [{"pk": "ops_x_done", "sk": "0", "faults": [NO_OPS_RECORD]}]
    assert [each["ops_id"] for each in record["ops"]] == ["ops_y_done"]


@pytest.mark.parametrize(
    "place", [("x", True), *map(later, (("x" * 3_000, 1), ("", 1), (7, 1), ("x", "1")))]
)
def test_a_pointer_that_can_lead_to_no_row_is_unlinked(
    office: Office, place: tuple[Any, Any]
) -> None:
    office.log("pay_1")
    office.log("void_1", **VOID)
    office.put("Ledger", keys.pointer("pay_1") | {"row_pk": place[0], "row_sk": place[1]})
    (event,) = stated(office)["events"]
    assert (event["unlinked"], [seq for seq, _ in event["impossible"]]) == ([1], [2])


def test_a_row_of_an_event_that_can_have_no_head_is_altered_and_hangs_on_nothing(
    office: Office,
) -> None:
    written = office.log("pay_1")
    row = replace(written, event_id="e" * 2_045, timestamp=NOW + 5).to_row()  # type: ignore[arg-type]
    office.put("Payments", row | {"PK": "hostile"})
    event = stated(office)["events"][0]
    assert (event["event_id"], event["altered"]) == ("e" * 2_045, [1])


def test_a_void_of_a_payment_whose_patron_can_have_no_entries_is_stated(office: Office) -> None:
    written = office.log("pay_1")
    office.log("void_1", **VOID)
    row = replace(written, patron_email="p" * 2_040, timestamp=NOW + 9).to_row()
    office.put("Payments", row | {"PK": "hostile"})
    office.put("Ledger", keys.pointer("pay_1") | {"row_pk": "hostile", "row_sk": NOW + 9})
    assert [seq for seq, _ in stated(office)["events"][0]["impossible"]] == [2]


def test_a_head_of_no_event_is_a_gap(office: Office) -> None:
    office.log("pay_1")
    office.put("Ledger", {"PK": "EVENT#", "seq": 1, "hash": "x"})
    event = stated(office)["events"][0]
    assert (event["event_id"], event["missing"]) == ("", [[1, 1]])
