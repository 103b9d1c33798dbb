"""What is wrong with a day's ledger is a finding of its statement, and the rest is stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from functions.audit_mailer.statement import handler as statement_handler
from functions.audit_mailer.statement.issue import LOOKS, StatementIssuer
from shared.attributes import to_attributes
from shared.ledger import Head
from tests.builders import NOW, ZONE
from tests.functions.audit_mailer.conftest import ADDRESSES
from tests.functions.audit_mailer.statement.conftest import (
    DAY,
    DAY_MS,
    Office,
    record,
)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_row_that_is_gone_is_a_gap_wherever_it_was(office: Office, lost: int) -> None:
    entries = [office.log(f"pay_{n}") for n in range(3)]
    office.delete(entries[lost])
    office.run()
    mail = office.mails()[DAY]
    assert f"GAP in sunset-charter #00000{lost + 1} - AUD" in mail["subject"]
    assert record(mail)["events"][0]["missing"] == [[lost + 1, lost + 1]]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"amount_cents": {"N": "1000.99"}}, "MALFORMED ROWS 1"),
        ({"note": {"B": b"photo"}}, "MALFORMED ROWS 1"),
        ({"logged_at": {"N": f"{NOW}.5"}}, "MALFORMED ROWS 1"),
        ({"payment_id": {"L": [{"S": "pay_2"}]}}, "MALFORMED ROWS 1"),
        ({"logged_at": None}, "MALFORMED ROWS 1"),
        ({"logged_day": None}, "MALFORMED ROWS 1"),
        ({"seq": {"S": "2"}}, "GAP in sunset-charter #000002 - MALFORMED ROWS 1"),
        ({"surprise": {"B": b"photo"}}, "ALTERED sunset-charter #000002"),
        ({"amount_cents": {"N": "1"}}, "ALTERED sunset-charter #000002"),
        ({"expiration_timestamp": {"N": "1"}}, "ALTERED sunset-charter #000002"),
    ],
)
def test_a_row_altered_by_hand_is_a_finding_and_the_other_rows_are_stated(
    office: Office, changes: dict[str, Any], finding: str
) -> None:
    office.log("pay_1", amount_cents=100)
    office.rewrite(office.log("pay_2", amount_cents=100), **changes)
    office.log("pay_3", amount_cents=100)
    assert office.run() == {DAY: "sent"}
    mail = office.mails()[DAY]
    assert f" net - {finding} - AUD" in mail["subject"]
    assert record(mail)["events"][0]["first_seq"] == 1
    if "MALFORMED" in finding:
        assert [each["sk"] for each in record(mail)["malformed"]] == [str(NOW + 1)]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"seq": {"S": "2"}}, "HEAD UNREADABLE in sunset-charter"),
        ({"seq": {"N": "2.5"}}, "HEAD UNREADABLE in sunset-charter"),
        ({"hash": {"B": b"x"}}, "HEAD UNREADABLE in sunset-charter"),
        ({"seq": {"N": "1"}}, "HEAD BEHIND in sunset-charter"),
        ({"seq": {"N": "9" * 38}}, f"GAP in sunset-charter #000003-#{'9' * 38}"),
    ],
)
def test_a_forged_head_is_a_finding(office: Office, changes: dict[str, Any], finding: str) -> None:
    office.log("pay_1")
    office.log("pay_2")
    head = office.heads["sunset-charter"]
    item = to_attributes({"PK": "EVENT#sunset-charter", "seq": head.seq, "hash": head.hash})
    office.dynamodb.put_item(TableName=office.tables["Ledger"], Item=item | changes)
    assert office.run() == {DAY: "sent"}
    assert f" net - {finding} - AUD" in office.mails()[DAY]["subject"]


def test_without_a_readable_head_a_gap_before_the_last_entry_is_still_named(
    office: Office,
) -> None:
    office.log("pay_1")
    office.delete(office.log("pay_2"))
    office.log("pay_3")
    office.dynamodb.delete_item(
        TableName=office.tables["Ledger"], Key=to_attributes({"PK": "EVENT#sunset-charter"})
    )
    office.run()
    assert "GAP in sunset-charter #000002" in office.mails()[DAY]["subject"]


def test_entries_of_other_days_do_not_count_as_a_gap(office: Office) -> None:
    office.log("pay_1", logged_at=NOW - 4 * DAY_MS)
    office.log("pay_2")
    office.log("pay_3", logged_at=NOW + DAY_MS)
    office.run({"day": DAY})
    mail = office.mails()[DAY]
    assert "GAP" not in mail["subject"]
    event = record(mail)["events"][0]
    assert (event["first_seq"], event["last_seq"], event["head_seq"]) == (2, 2, 3)


def test_an_index_that_lags_behind_the_head_is_given_time(office: Office) -> None:
    office.log("pay_1")
    office.log("pay_2", logged_at=NOW + DAY_MS)
    statements = statement_handler.issuer()
    looks = []

    class Lagging:
        def head(self, event_id: str) -> Head | None:
            return statements.chains.head(event_id)

        def places(self, event_id: str) -> list[Mapping[str, Any]]:
            looks.append(1)
            rows = sorted(statements.chains.places(event_id), key=lambda row: row["seq"])
            return rows[:1] if len(looks) < LOOKS else rows

    lagging = Lagging()
    made = StatementIssuer(
        daybook=statements.daybook,
        chains=lagging,
        courier=statements.courier,
        addresses=ADDRESSES,
        zone=ZONE,
        now=office.clock,
        pause=office.clock.pause,
    ).draw_up(DAY)
    assert made.findings == {}
    assert len(office.clock.pauses) == LOOKS - 1


def test_unmailed_entries_are_in_the_subject(office: Office) -> None:
    office.log("pay_1", mailed=False)
    office.log("pay_2")
    office.run()
    assert "NOT MAILED 1" in office.mails()[DAY]["subject"]
