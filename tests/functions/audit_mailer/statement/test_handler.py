"""The statement's handler: moto's tables, the real courier, the real sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer.delivery.courier import Courier, PostponeError, Try
from functions.audit_mailer.delivery.deliveries import Deliveries
from functions.audit_mailer.delivery.pacing import Pacer, Rate
from functions.audit_mailer.gmail.mailbox import Gmail, Receipt
from functions.audit_mailer.statement import handler as statement_handler
from functions.audit_mailer.statement.chains import Chains
from functions.audit_mailer.statement.days import WrongDayError
from functions.audit_mailer.statement.issue import LOOKS, StatementIssuer
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.daybook import Daybook
from shared.ledger import Head, LedgerEntry
from tests.builders import NOW, ZONE, entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.functions.lambda_context import Context
from tests.tables import create_tables

DAY = "2025-11-24"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass
class Clock:
    now: int = NOW + DAY_MS
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@dataclass
class Office:
    """A ledger, an inbox, and the statements from one to the other."""

    clock: Clock
    dynamodb: Any
    tables: dict[str, str]
    sandbox: GmailSandbox
    heads: dict[str, Head] = field(default_factory=dict)

    def log(self, payment_id: str, *, mailed: bool = True, **changes: Any) -> LedgerEntry:
        event_id = changes.get("event_id", "sunset-charter")
        head = self.heads.get(event_id, Head())
        fields = {"payment_id": payment_id, "timestamp": NOW + head.seq} | changes
        written = entry(head, **fields)
        self.heads[event_id] = Head(seq=written.seq, hash=written.hash)
        self._put("Payments", written.to_row())
        self._put(
            "Ledger",
            {"PK": f"EVENT#{event_id}", "seq": written.seq, "hash": written.hash},
        )
        if mailed:
            self._put("AuditDeliveries", {"payment_id": payment_id, "state": "sent"})
        return written

    def rewrite(self, forged: LedgerEntry, **changes: Any) -> None:
        """Put the row back with these attributes, as DynamoDB types them; None takes one away."""
        row = to_attributes(forged.to_row()) | changes
        self.dynamodb.put_item(
            TableName=self.tables["Payments"],
            Item={name: value for name, value in row.items() if value is not None},
        )

    def delete(self, lost: LedgerEntry) -> None:
        self.dynamodb.delete_item(
            TableName=self.tables["Payments"],
            Key=to_attributes({"PK": lost.pk, "SK": lost.timestamp}),
        )

    def run(self, event: dict[str, Any] | None = None, remaining_ms: int = 300_000) -> Any:
        answer = statement_handler.lambda_handler(event or {}, Context(remaining_ms=remaining_ms))
        return answer["statements"]

    def mails(self) -> dict[str, dict[str, Any]]:
        """By day; two mails about one day would fail here."""
        found = self.sandbox.messages()
        by_day = {each["headers"]["X-SCC-Statement"]: each for each in found}
        assert len(by_day) == len(found)
        return by_day

    def _put(self, table: str, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.tables[table], Item=to_attributes(item))


@pytest.fixture
def office(
    gmail: Callable[..., Gmail], sandbox: GmailSandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        dynamodb, clock = boto3.client("dynamodb"), Clock()
        tables = create_tables(dynamodb)

        def statements() -> StatementIssuer:
            """With its own connection, as each Lambda environment has."""
            return StatementIssuer(
                daybook=Daybook(dynamodb, tables["Payments"], tables["AuditDeliveries"]),
                chains=Chains(dynamodb, tables["Ledger"], tables["Payments"]),
                courier=Courier(
                    deliveries=Deliveries(dynamodb, tables["AuditDeliveries"]),
                    mailbox=gmail(),
                    pace=Pacer(
                        dynamodb, tables["AuditDeliveries"], AUDIT, Rate(60), probe_ms=60_000
                    ),
                    method="send",
                    settle_ms=0,
                    retry_cap=900,
                    now=clock,
                    pause=clock.pause,
                ),
                addresses=ADDRESSES,
                zone=ZONE,
                now=clock,
                pause=clock.pause,
            )

        monkeypatch.setattr(statement_handler, "issuer", statements)
        monkeypatch.setattr(statement_handler, "now", clock)
        monkeypatch.setattr(statement_handler, "zone", lambda: ZONE)
        yield Office(clock, dynamodb, tables, sandbox)


def record(mail: dict[str, Any]) -> dict[str, Any]:
    (attachment,) = mail["attachments"]
    content: dict[str, Any] = attachment["json"]
    return content


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
