"""Whoever may write to the tables writes anything: scc names it, and goes on with the rest."""

from __future__ import annotations

from typing import Any

import pytest

from shared import keys
from shared.ledger import PaymentId
from tests.builders import entry
from tests.ops.harbor import Harbor
from tests.ops.rules.verify.world import World
from tests.suites import later

PAYMENT = entry(payment_id=PaymentId("pay_" + "a" * 32))
FAR = 10**120  # milliseconds
TOO_LONG = "x" * 3_000
FOUND = 1


@pytest.fixture
def logged(harbor: Harbor) -> Harbor:
    """One payment, whose mail is sent and there."""
    harbor.log(PAYMENT, "18c0")
    harbor.put("Ledger", World([PAYMENT]).head)
    return harbor


def found(harbor: Harbor) -> list[tuple[str, str]]:
    told = harbor.json("verify")["findings"]
    return [(each["kind"], each["event_id"]) for each in told]


def test_the_rows_as_they_should_be_have_no_finding(logged: Harbor) -> None:
    assert found(logged) == []
    assert logged.scc("reconcile").exit_code == 0


@pytest.mark.parametrize(
    ("head", "named"),
    [
        ({"PK": keys.HEAD_PREFIX, "seq": 1, "hash": "x"}, "unreadable"),
        ({"PK": keys.HEAD_PREFIX, "seq": 1, "hash": "x", "last_logged_at": 1}, "missing"),
        ({"PK": keys.HEAD_PREFIX, "seq": True, "hash": "x", "last_logged_at": 1}, "unreadable"),
    ],
)
def test_a_head_of_no_event_is_named_and_the_others_are_read(
    logged: Harbor, head: dict[str, Any], named: str
) -> None:
    logged.put("Ledger", head)
    assert found(logged) == [(named, "")]
    assert logged.scc("reconcile").exit_code == 0


@pytest.mark.parametrize(
    ("row_pk", "row_sk"),
    [
        (TOO_LONG, 1),
        ("x", FAR),
        (None, None),
        *(later(*each) for each in (("x", True), ("", 1), (True, 1), (PAYMENT.pk, "1"))),
    ],
)
def test_a_pointer_to_what_can_be_no_key_is_named(logged: Harbor, row_pk: Any, row_sk: Any) -> None:
    place = {"row_pk": row_pk, "row_sk": row_sk}
    logged.put("Ledger", keys.pointer(PAYMENT.payment_id) | place)
    assert ("unlinked", PAYMENT.event_id) in found(logged)
    assert logged.scc("reconcile").exit_code == 0
    assert logged.scc("payment", PAYMENT.payment_id).exit_code == FOUND


def test_a_mark_by_what_can_be_no_key_is_named(logged: Harbor) -> None:
    logged.put("Ledger", keys.void_mark(PAYMENT.payment_id) | {"void_id": "z" * 2_045})
    assert found(logged) == [("unlinked", PAYMENT.event_id)]
    assert logged.scc("payment", PAYMENT.payment_id).exit_code in (0, FOUND)


@pytest.mark.parametrize("at", [FAR, *map(later, (True, -5, "noon"))])
def test_a_time_that_no_calendar_has_ends_no_command(logged: Harbor, at: Any) -> None:
    for delivery in (
        {"state": "sent", "gmail_id": "18c0", "sent_at": at, "seen_at": at},
        {"state": "failed", "last_error": {"class": "systemic", "at": at}, "retry_at": at},
    ):
        logged.put("AuditDeliveries", delivery | {"payment_id": PAYMENT.payment_id})
        for verb in (
            ["payment", PAYMENT.payment_id],
            ["reconcile"],
            ["verify"],
            ["findings", "ls"],
        ):
            told = logged.scc(*verb)
            assert told.exit_code in (0, FOUND), told.output
            assert told.exception is None or isinstance(told.exception, SystemExit)


def test_the_rows_of_an_event_without_a_head_are_named(logged: Harbor) -> None:
    ghost = PAYMENT.to_row() | {"PK": "hostile", "event_id": "ghost-event"}
    logged.put("Payments", ghost)
    assert ("missing-head", "ghost-event") in found(logged)
    told = logged.json("reconcile")
    assert [(each["kind"], each["event_id"]) for each in told["findings"]] == [
        ("altered", "ghost-event")
    ]


@pytest.mark.parametrize("lacking", ["event_id", "timestamp"])
def test_a_row_that_no_event_leads_to_is_named(logged: Harbor, lacking: str) -> None:
    row = PAYMENT.to_row() | {"PK": "hostile"}
    del row[lacking]
    logged.put("Payments", row)
    assert found(logged) == [("unreadable", "")]
    (finding,) = logged.json("reconcile")["findings"]
    assert finding["detail"] == (
        f"the row at 'hostile', {row['SK']}: {lacking} missing, so that no event has it"
    )


def test_who_may_not_scan_is_told_what_was_not_looked_for(
    logged: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.stack.entries.LedgerReader.unlisted", lambda *_: None)
    told = logged.scc("verify")
    assert told.exit_code == 0
    assert "rows of events without a head were not looked for" in told.output
