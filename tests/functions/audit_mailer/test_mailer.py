"""One mail per entry: the message says which entry, the ledger says what to mail."""

from __future__ import annotations

import email
from collections.abc import Sequence
from dataclasses import replace
from email.policy import default
from typing import Any

import pytest

from functions.audit_mailer.delivery.courier import (
    Outcome,
    QuarantineError,
)
from functions.audit_mailer.gmail.mailbox import FoundMail, Receipt
from functions.stream_router.router import Router
from functions.stream_router.routing import Tampered, Unroutable, sort_out
from local.gmail_sandbox.process import GmailSandbox
from shared.attributes import to_attributes
from shared.audit.messages import AuditMessage, Message, OpsMessage, ReissueMessage
from shared.ledger import Head, LedgerEntry, PaymentId
from shared.text import search_token
from tests.builders import NOW, entry, message, stream_record
from tests.functions.audit_mailer.world import TRY, World


def about(**changes: Any) -> AuditMessage:
    return replace(message(), **changes)


def test_a_message_processed_twice_mails_once(world: World, sandbox: GmailSandbox) -> None:
    world.deliver()
    assert world.deliver() is Outcome.ALREADY_SENT
    assert len(sandbox.messages()) == 1


def test_a_message_that_the_router_sends_again_mails_once(
    world: World, sandbox: GmailSandbox
) -> None:
    """Lambda may deliver the same stream records twice; the duplication ends here."""
    records = [stream_record(entry(), number=n) for n in (1, 1, 2)]
    queued: list[AuditMessage] = []

    class Queue:
        def send(self, messages: Sequence[AuditMessage]) -> set[int]:
            queued.extend(messages)
            return set()

    class Failures:
        def keep(self, record: Unroutable | Tampered) -> None:
            raise AssertionError(record.reason)

    for _ in range(2):
        Router(Queue(), Failures()).route_batch(sort_out(records))
    outcomes = [world.mailer.deliver(each, TRY).outcome for each in queued]
    assert outcomes == [Outcome.SENT] + [Outcome.ALREADY_SENT] * 5
    assert len(sandbox.messages()) == 1


def test_a_row_that_cannot_be_rendered_is_set_aside_and_reported(world: World) -> None:
    row = entry().to_row() | {"logged_at": "yesterday"}
    world.dynamodb.put_item(TableName=world.payments, Item=to_attributes(row))
    with pytest.raises(QuarantineError, match="logged_at"):
        world.deliver()
    assert world.delivery()["last_error"]["class"] == "permanent"


def test_a_voids_mail_shows_what_it_voids_and_what_replaces_it(
    world: World, sandbox: GmailSandbox
) -> None:
    original = entry(amount_cents=41_200)
    at: dict[str, Any] = {
        "logged_at": NOW + 60_000,
        "voids": original.payment_id,
        "reason": "wrong_amount",
    }
    void = entry(
        Head(seq=1, hash=original.hash), kind="void", payment_id="pay_void", timestamp=NOW, **at
    )
    corrected = entry(
        Head(seq=2, hash=void.hash),
        payment_id="pay_corrected",
        amount_cents=42_100,
        corrects=original.payment_id,
        timestamp=NOW + 1,
        logged_at=NOW + 60_000,
    )
    world.log(original, void, corrected)
    world.deliver()
    world.mailer.deliver(message(void), TRY)
    (mail,) = (each for each in sandbox.messages() if "VOID" in each["subject"])
    for fact in ("#000001", "#000003", "$412.00", "$421.00", "wrong amount", original.payment_id):
        assert fact in mail["html"], fact
    assert mail["headers"]["In-Reply-To"] == f"<{original.payment_id}@shipcaptaincrew.example>"
    assert search_token(original.payment_id) not in mail["html"] + mail["subject"]


def chain_of_corrections() -> list[LedgerEntry]:
    """A payment, its void and correction, that one's void and correction, a refund of the last."""
    at: dict[str, Any] = {"logged_at": NOW + 60_000}
    first = entry(logged_by_name="Iris Vane")
    entries = [first]
    for number in (1, 2):
        before = entries[-1]
        void = entry(
            before.as_head, kind="void", payment_id=f"pay_void_{number}", voids=before.payment_id,
            reason="wrong_amount", timestamp=NOW + number * 10, **at,
        )  # fmt: skip
        after = entry(
            void.as_head, payment_id=f"pay_again_{number}", corrects=before.payment_id,
            amount_cents=12_500 + number, timestamp=NOW + number * 10 + 1, **at,
        )  # fmt: skip
        entries += [void, after]
    refund = entry(
        entries[-1].as_head, kind="refund", payment_id="pay_refund", amount_cents=5_000,
        refunds=entries[-1].payment_id, reason="goodwill", timestamp=NOW + 90, **at,
    )  # fmt: skip
    return [*entries, refund]


@pytest.mark.parametrize(
    "sent",
    [
        about(pk="x" * 3_000),
        about(sk=10**100),
        about(pk="\ud800"),
        OpsMessage(ops_id="x" * 3_000),
        ReissueMessage(run="\ud800"),
    ],
    ids=["long key", "huge number", "no unicode", "long record", "no unicode of a reissue"],
)
def test_a_message_that_no_table_can_be_asked_about_is_set_aside(
    world: World, sent: Message
) -> None:
    with pytest.raises(QuarantineError):
        world.mailer.deliver(sent, TRY)


def test_a_void_of_an_id_that_is_no_key_is_set_aside(world: World) -> None:
    void = entry(kind="void", voids=PaymentId("x" * 3_000), reason="other")
    world.log(entry())
    world.dynamodb.put_item(TableName=world.payments, Item=to_attributes(void.to_row()))
    with pytest.raises(QuarantineError, match="not an id"):
        world.mailer.deliver(message(void), TRY)


def test_all_that_follows_from_a_payment_goes_into_its_conversation(world: World) -> None:
    """A conversation is named by References for any mail program, and by its id for Gmail."""
    entries = chain_of_corrections()
    world.log(*entries)
    joined: list[str | None] = []
    references: list[list[str]] = []

    class Mailbox:
        def send_audit_email_via_gmail(self, mail: bytes, thread_id: str | None = None) -> Receipt:
            joined.append(thread_id)
            read = email.message_from_bytes(mail, policy=default)
            references.append(read["References"].split())
            answered = read["In-Reply-To"]
            assert answered == (references[-1][-1] if thread_id else None)
            return Receipt("m", thread_id or "the-thread")

        def search(self, query: str, pages: int = 1) -> list[Receipt]:
            raise AssertionError(query)

        def read(self, gmail_id: str) -> FoundMail | None:
            raise AssertionError(gmail_id)

    mailer = replace(world.mailer, courier=replace(world.mailer.courier, mailbox=Mailbox()))
    for each in entries:
        mailer.deliver(message(each), TRY)
    assert joined == [None] + ["the-thread"] * 5
    root = f"<{entries[0].payment_id}.thread@shipcaptaincrew.example>"
    assert {each[0] for each in references} == {root}
    ids = [f"<{each.payment_id}@shipcaptaincrew.example>" for each in entries]
    assert references[-1] == [root, ids[0], ids[2], ids[4]]


def test_every_mail_of_a_chain_names_what_it_is_about_and_who_logged_that(
    world: World, sandbox: GmailSandbox
) -> None:
    entries = chain_of_corrections()
    world.log(*entries)
    mailer = replace(world.mailer, app_url="https://pay.example.com")
    for each in entries:
        mailer.deliver(message(each), TRY)
    subjects = [each["subject"].partition(" - ")[0] for each in sandbox.messages()]
    assert subjects == [
        "[SCC Audit] #000001 $125.00 check",
        "[SCC Audit] VOID #000002 of #000001 -$125.00 check",
        "[SCC Audit] #000003 $125.01 check replaces #000001",
        "[SCC Audit] VOID #000004 of #000003 -$125.00 check",
        "[SCC Audit] #000005 $125.02 check replaces #000003",
        "[SCC Audit] REFUND #000006 of #000005 -$50.00 check",
    ]
    first = f"#000001 ({entries[0].payment_id}), logged at 2025-11-24 16:00:00 UTC by Iris Vane"
    again = "#000003 (pay_again_1), logged at 2025-11-24 16:01:00 UTC by Marina Castellanos"
    void = "#000002 (pay_void_1), logged at 2025-11-24 16:01:00 UTC by Marina Castellanos"
    _, voided, corrected, *_ = (each["html"] for each in sandbox.messages())
    assert first in voided
    assert again in voided
    assert first in corrected
    assert void in corrected
    assert (
        f'"https://pay.example.com/g/sunset-charter?payment={entries[2].payment_id}"' in corrected
    )


def test_an_entry_that_cannot_be_the_void_or_the_payment_is_not_shown_as_it(
    world: World, sandbox: GmailSandbox
) -> None:
    """Pointers are no evidence: the chain says what was voided by what."""
    first, void, after, *_ = chain_of_corrections()
    stranger = entry(Head(seq=8), event_id="gala", payment_id="pay_gala", timestamp=1)
    world.log(first, void, after, stranger)
    ledger = world.payments.replace("Payments", "Ledger")
    for name, row in (
        ("VOID", {"void_id": "pay_gala"}),
        ("PAYMENT", {"row_pk": stranger.pk, "row_sk": 1}),
    ):
        item = {"PK": f"{name}#{first.payment_id}"} | row
        world.dynamodb.put_item(TableName=ledger, Item=to_attributes(item))
    world.mailer.deliver(message(after), TRY)
    (mail,) = sandbox.messages()
    assert f"replaces {first.payment_id} - " in mail["subject"]
    assert "#000009" not in mail["html"]
    assert "not found" in mail["html"]


def test_acknowledged_duplicates_are_named_by_number(world: World, sandbox: GmailSandbox) -> None:
    earlier = entry(Head(seq=6), payment_id="pay_earlier", timestamp=7)
    doubled = entry(acknowledged_duplicates=("pay_earlier", "pay_unheard_of"))
    world.log(earlier, doubled)
    world.deliver()
    (mail,) = sandbox.messages()
    assert "#000007 (pay_earlier), pay_unheard_of" in mail["html"]


def test_a_forged_message_cannot_mail(world: World, sandbox: GmailSandbox) -> None:
    for forged in (
        replace(message(), payment_id=PaymentId("pay_forged")),
        replace(message(), pk="sunset-charter#nobody@example.com"),
    ):
        with pytest.raises(QuarantineError, match="no such payment"):
            world.mailer.deliver(forged, TRY)
    assert sandbox.messages() == []
    assert world.delivery() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": {"B": b"photo"}},
        {"amount_cents": {"N": "1000.99"}},
        {"note": {"B": b"photo"}},
        {"kind": {"S": "gift"}},
    ],
)
def test_a_row_with_what_no_entry_holds_is_set_aside_not_a_crash(
    world: World, sandbox: GmailSandbox, changes: dict[str, Any]
) -> None:
    world.dynamodb.put_item(
        TableName=world.payments, Item=to_attributes(entry().to_row()) | changes
    )
    with pytest.raises(QuarantineError):
        world.deliver()
    assert sandbox.messages() == []


def test_a_row_that_lost_its_time_after_it_was_mailed_is_still_known_as_mailed(
    world: World,
) -> None:
    world.deliver()
    row = {name: value for name, value in entry().to_row().items() if name != "logged_at"}
    world.dynamodb.put_item(TableName=world.payments, Item=to_attributes(row))
    assert world.deliver() is Outcome.ALREADY_SENT


@pytest.mark.parametrize("pointer", [{}, {"row_pk": 7, "row_sk": "x"}, {"row_pk": "", "row_sk": 1}])
def test_a_void_is_mailed_although_the_pointer_to_what_it_voids_was_forged(
    world: World, sandbox: GmailSandbox, pointer: dict[str, Any]
) -> None:
    void = entry(kind="void", payment_id="pay_void", voids="pay_1", reason="x", timestamp=1)
    world.log(void)
    world.dynamodb.put_item(
        TableName=world.payments.replace("Payments", "Ledger"),
        Item=to_attributes({"PK": "PAYMENT#pay_1"} | pointer),
    )
    assert world.mailer.deliver(message(void), TRY).outcome is Outcome.SENT
    assert "not found" in sandbox.messages()[0]["text"]
