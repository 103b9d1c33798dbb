"""What somebody wrote into the tables to stop the statement is named, and the day is stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import Encoding

from functions.daily_statement.rows import NO_EVENT_ID
from functions.daily_statement.rules.account import NO_OPS_RECORD
from ops.offline.ledger.public_key import public_key_of
from ops.rules.sealed import Sealed
from shared import keys
from shared.ledger import Head, canonical_json, matches_its_hash
from tests.builders import NOW, entry
from tests.functions.daily_statement.conftest import DAY, Office
from tests.statements import public_key
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


IDS = ["A B", *map(later, ("a#b", "e" * 1_900, "-a", "a\nb", "a" * 65))]


@pytest.mark.parametrize("event_id", IDS)
def test_a_sound_row_of_an_id_that_no_event_has_is_malformed_and_readers_believe_the_rest(
    office: Office, event_id: str
) -> None:
    office.log("pay_1")
    row = entry(Head(), payment_id="pay_2", event_id=event_id, timestamp=NOW + 5).to_row()
    assert matches_its_hash(row)
    office.put("Payments", row)
    record = stated(office)
    assert [each["event_id"] for each in record["events"]] == ["sunset-charter"]
    assert (record["entries"], record["malformed_rows"]) == (1, 1)
    assert record["malformed"][0]["faults"] == [NO_EVENT_ID]
    assert told_of(office) == []


@pytest.mark.parametrize("changes", [{"seq": 10**12}, later({"seq": -1}), {"method": "m" * 500}])
def test_an_altered_row_cannot_make_a_statement_that_no_reader_takes(
    office: Office, changes: dict[str, Any]
) -> None:
    row = office.log("pay_1").to_row()
    office.log("pay_2")
    office.put("Payments", row | changes)
    record = stated(office)
    assert (record["malformed_rows"], record["events"][0]["missing"]) == (1, [[1, 1]])
    assert told_of(office) == []


@pytest.mark.parametrize("event_id", IDS[:2])
def test_a_head_of_an_id_that_no_event_has_is_malformed_and_in_no_list_of_heads(
    office: Office, event_id: str
) -> None:
    office.log("pay_1")
    office.put("Ledger", {"PK": f"EVENT#{event_id}", "seq": 1, "hash": "1" * 64})
    record = stated(office)
    assert record["malformed"] == [{"pk": f"EVENT#{event_id}", "sk": "", "faults": [NO_EVENT_ID]}]
    assert told_of(office) == []


@pytest.mark.parametrize("seq", [10**12, later(10**37)])
def test_a_head_with_a_number_that_no_entry_has_leaves_the_statement_readable(
    office: Office, seq: int
) -> None:
    office.log("pay_1")
    office.put_head(seq=seq)
    event = stated(office)["events"][0]
    assert (event["head_seq"], event["head_hash"], event["last_seq"]) == (0, "", 1)
    assert told_of(office) == []


@pytest.mark.parametrize("ops_id", ["x" * 2_000, later("a b")])
def test_an_operators_record_that_no_mail_can_name_is_a_malformed_row(
    office: Office, ops_id: str
) -> None:
    office.log("pay_1")
    office.put("OpsRecord", {"ops_id": ops_id, "part": 0, "at": NOW})
    record = stated(office)
    assert (record["ops"], record["malformed"][0]["faults"]) == ([], [NO_OPS_RECORD])


def told_of(office: Office) -> list[str]:
    """What offline readers find wrong with the sealed statement and its list of heads."""
    sealed = office.evidence.sealed(DAY)
    assert sealed is not None
    read = Sealed(public_key_of(public_key(Encoding.DER), "the key"))
    problem = read.statements.take(sealed.record, sealed.sha256, b"")
    read.take_heads(DAY, canonical_json(office.evidence.heads(sealed)))
    found = [*read.wrong, *read.statements.findings([])]
    return [each for each in (problem, *(each.detail for each in found)) if each]


def test_a_void_of_a_payment_whose_patron_can_have_no_entries_is_stated(office: Office) -> None:
    written = office.log("pay_1")
    office.log("void_1", **VOID)
    row = replace(written, patron_email="p" * 2_040, timestamp=NOW + 9).to_row()
    office.put("Payments", row | {"PK": "hostile"})
    office.put("Ledger", keys.pointer("pay_1") | {"row_pk": "hostile", "row_sk": NOW + 9})
    assert [seq for seq, _ in stated(office)["events"][0]["impossible"]] == [2]
