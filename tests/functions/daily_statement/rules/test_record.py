"""A statement stays small enough to be mailed, whatever lies in the tables and the bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.audit_mailer.mails.copies import MOST_BYTES as MOST_OF_A_MAIL
from functions.audit_mailer.mails.copies import record_sha256
from functions.daily_statement.rows import LONGEST_NAME
from functions.daily_statement.rules.account import MOST_OPS_RECORDS, NO_OPS_RECORD, Statement
from functions.daily_statement.rules.evidence import MOST_DAMAGES, Damage
from functions.daily_statement.rules.notable import Watch
from functions.daily_statement.rules.record import MOST_ADMINS, MOST_BYTES, statement_content
from ops.offline.ledger.days import Statements
from shared.ledger import Head
from tests.builders import NOW, ZONE, entry
from tests.functions.daily_statement.test_account import judge
from tests.ops.mailboxes import ADDRESSES
from tests.statements import mailed

DAY = "2025-11-24"
LARGE = "\x01" * 5_000  # each character takes six in JSON


def drawn_up(*changes: dict[str, Any]) -> Statement:
    """One entry each, none mailed."""
    statement = Statement(DAY, ZONE.key, NOW, is_final=True)
    watch = Watch(cash_over_cents=1, find=lambda _: None, has_twin=lambda _: False)
    for number, change in enumerate(changes):
        fields: dict[str, Any] = {"payment_id": f"pay_{number}", "method": "cash"}
        made = entry(Head(seq=number), **(fields | change))
        statement.add([made.to_row()], {})
        statement.notable += watch.look_at(made)
    judge(statement)
    return statement


def events(count: int) -> list[dict[str, Any]]:
    return [{"event_id": f"charter-{number}", "event_name": LARGE} for number in range(count)]


HOSTILE: dict[str, list[dict[str, Any]]] = {
    "who logged": [{"logged_by": f"{n}{LARGE}", "logged_by_name": LARGE} for n in range(300)],
    "ids": [{"payment_id": f"{n}{LARGE}"} for n in range(300)],
    "what is voided": [
        {"kind": "void", "voids": f"{n}{LARGE}", "reason": "other"} for n in range(300)
    ],
    "events": events(3_000),
    "methods": [{"method": f"m{n}", "amount_cents": 10**37} for n in range(300)],
    "events and methods": [
        each | {"method": f"m{n}", "amount_cents": 10**37} for n, each in enumerate(events(900))
    ],
}


@pytest.mark.parametrize("rows", HOSTILE.values(), ids=[*HOSTILE])
def test_no_row_makes_a_statement_too_large_and_its_sums_are_whole(
    rows: list[dict[str, Any]],
) -> None:
    content = statement_content(drawn_up(*rows))
    record = json.loads(content)
    assert len(content) <= MOST_BYTES
    assert record["entries"] == record["not_mailed"] == len(rows)
    assert sum(each["entries"] for each in record["by_admin"]) == len(rows)
    assert sum(each["not_mailed"] for each in record["events"]) == len(rows)
    assert Statements().take(record, "0" * 64, b"") == ""


def test_who_logged_least_is_counted_together() -> None:
    names = [f"{number:03d}@example.com" for number in range(MOST_ADMINS + 5)]
    content = statement_content(drawn_up(*({"logged_by": each} for each in names)))
    *_, last, rest = json.loads(content)["by_admin"]
    assert (last["logged_by"], rest["logged_by"]) == (names[MOST_ADMINS - 1], "")
    assert (rest["logged_by_name"], rest["entries"]) == ("and 5 more", 5)


def test_what_is_worth_a_look_is_counted_where_it_is_not_told() -> None:
    record = json.loads(statement_content(drawn_up(*({} for _ in range(501)))))
    assert (len(record["notable"]), record["notable_count"]) == (500, 501)


def test_of_too_many_events_those_that_are_not_told_are_one_of_no_id() -> None:
    statement = drawn_up(*({"event_id": f"charter-{number}"} for number in range(3_000)))
    *told, rest = json.loads(statement_content(statement))["events"]
    assert rest["event_id"] == ""
    assert rest["event_name"] == f"and {3_000 - len(told)} more events"
    assert len(told) >= 300


def test_a_full_statement_makes_a_mail_that_is_known_as_ours() -> None:
    statement = drawn_up(*HOSTILE["events"])
    statement.damages = [Damage(DAY, f"{n:064x}.sig " * 2) for n in range(MOST_DAMAGES)]
    for number in range(MOST_OPS_RECORDS + 60):
        statement.add_ops_record({"ops_id": f"ops_{number:0196d}", "part": 0})
        row = {"PK": LARGE, "SK": number} | {f"{LARGE}{n}": n for n in range(100)}
        statement.add_malformed(row, [f"{n} is no attribute of an entry" for n in range(100)])
    assert statement.malformed_count == MOST_OPS_RECORDS + 120
    assert len(statement.ops_records) == MOST_OPS_RECORDS
    content = statement_content(statement)
    mail = mailed(statement, ADDRESSES)
    assert len(content) <= MOST_BYTES
    assert len(mail) < MOST_OF_A_MAIL
    assert record_sha256(mail)
    assert max(len(each.pk) for each in statement.malformed) == LONGEST_NAME
    assert NO_OPS_RECORD not in {each.faults[0] for each in statement.malformed}
