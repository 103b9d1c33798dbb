"""When a day's statement is made, and that it is mailed once."""

from __future__ import annotations

from typing import Any

import pytest

from functions.audit_mailer.delivery.courier import PostponeError, Try
from functions.audit_mailer.gmail.mailbox import Gmail, Receipt
from functions.audit_mailer.statement import handler as statement_handler
from functions.audit_mailer.statement.days import WrongDayError
from tests.builders import NOW
from tests.functions.audit_mailer.statement.conftest import (
    DAY,
    DAY_MS,
    HOUR_MS,
    Office,
    record,
)


def test_yesterdays_entries_become_one_mail_however_often_it_runs(office: Office) -> None:
    office.log("pay_1", amount_cents=10_000)
    office.log("pay_2", amount_cents=2_500, method="cash")
    office.log("pay_3", event_id="regatta", amount_cents=50)
    assert office.run() == {DAY: "sent"}
    assert office.run() == {}
    assert office.run({"day": DAY}) == {DAY: "already_sent"}
    mail = office.mails()[DAY]
    assert "3 payments, 0 voids, $125.50 net - AUD" in mail["subject"]
    assert [each["event_id"] for each in record(mail)["events"]] == ["regatta", "sunset-charter"]
    assert record(mail)["events"][1]["last_hash"] == office.heads["sunset-charter"].hash


def test_a_day_without_payments_has_a_statement_too(office: Office) -> None:
    assert office.run() == {DAY: "sent"}
    assert "0 entries" in office.mails()[DAY]["subject"]


def test_missed_days_are_made_up_for(office: Office) -> None:
    office.run()
    office.clock.now += 4 * DAY_MS
    days = [f"2025-11-{day}" for day in (25, 26, 27, 28)]
    assert office.run() == dict.fromkeys(days, "sent")
    assert sorted(office.mails()) == [DAY, *days]


def test_a_run_while_another_one_sends_makes_no_second_mail(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Gmail.send_audit_email_via_gmail
    tries: list[Try] = []

    def meanwhile(mailbox: Gmail, *mail: Any) -> Receipt:
        if not tries:
            tries.append(Try(number=1, request_id="request-2", budget=0))
            second = statement_handler.issuer()
            with pytest.raises(PostponeError):
                second.deliver(second.draw_up(DAY), tries[0])
        return send(mailbox, *mail)

    office.log("pay_1")
    monkeypatch.setattr(Gmail, "send_audit_email_via_gmail", meanwhile)
    assert office.run() == {DAY: "sent"}
    assert len(tries) == 1
    assert len(office.mails()) == 1


def test_with_gmail_down_the_next_run_sends_it(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.sandbox.post_fault({"kind": "down"})
    assert office.run() == {DAY: "postponed"}
    office.sandbox.clear_faults()
    assert '"StatementsMissing":[1.0]' in capsys.readouterr().out
    office.clock.now += HOUR_MS
    assert office.run() == {DAY: "sent"}
    assert '"StatementsMissing":[0.0]' in capsys.readouterr().out
    assert len(office.mails()) == 1


def test_a_statement_that_arrived_without_an_answer_is_not_sent_again(office: Office) -> None:
    office.sandbox.post_fault({"kind": "accept_then_drop", "times": 1})
    assert office.run() == {DAY: "postponed"}
    office.clock.now += HOUR_MS
    assert office.run() == {DAY: "found"}
    assert len(office.mails()) == 1


def test_a_payment_taken_in_the_evening_is_on_that_days_statement(office: Office) -> None:
    """9 PM in Boston is the next day in UTC."""
    evening = 1_764_036_000_000  # 2025-11-25T02:00:00Z
    office.log("pay_1", logged_at=evening, amount_cents=25_000)
    assert office.run() == {DAY: "sent"}
    assert "1 payment, 0 voids, $250.00 net" in office.mails()[DAY]["subject"]
    assert record(office.mails()[DAY])["timezone"] == "America/New_York"


def test_a_day_is_over_at_midnight_of_the_business_zone(office: Office) -> None:
    office.clock.now = 1_764_046_800_000 - 1  # 2025-11-25T05:00:00Z is midnight in New York
    assert office.run() == {"2025-11-23": "sent"}
    office.clock.now += 1
    assert office.run() == {DAY: "sent"}


def test_a_day_that_is_not_over_gets_a_statement_by_hand_and_its_final_one_after(
    office: Office,
) -> None:
    office.clock.now = NOW
    office.log("pay_1")
    assert office.run({"day": DAY}) == {DAY: "sent"}
    assert office.run({"day": DAY}) == {DAY: "already_sent"}
    office.log("pay_2")
    office.clock.now += DAY_MS
    assert DAY in office.run()
    mails = office.mails()
    assert record(mails[f"{DAY} so far"])["entries"] == 1
    assert record(mails[DAY])["entries"] == 2


def test_more_than_a_page_of_entries_adds_up(office: Office) -> None:
    for number in range(130):
        office.log(f"pay_{number}", amount_cents=100)
    office.run({"day": DAY})
    mail = office.mails()[DAY]
    assert "130 payments, 0 voids, $130.00 net - AUD" in mail["subject"]
    assert record(mail)["events"][0]["missing"] == []


def test_with_too_little_time_the_day_is_left_to_the_next_run(office: Office) -> None:
    assert office.run(remaining_ms=5_000) == {DAY: "no_time"}
    assert office.run() == {DAY: "sent"}


@pytest.mark.filterwarnings(
    "ignore:No application metrics"
)  # Powertools': there is nothing to count
def test_a_wrong_day_fails_with_a_reason_and_mails_nothing(office: Office) -> None:
    with pytest.raises(WrongDayError, match="such as 2026-11-24"):
        office.run({"day": "24.11.2025"})
    assert office.mails() == {}
