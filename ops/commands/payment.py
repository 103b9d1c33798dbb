"""`scc payment`: everything that is known about one payment or void."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NoReturn

import click

from ops.clock import now_ms
from ops.commands.dlq.look import dead_letter_queue, described_now, peek
from ops.errors import FINE, FOUND, OpsError
from ops.lazy_group import LazyGroup
from ops.offline.ledger.chain import gaps
from ops.rules.dead_letters import moment
from ops.rules.hits import Hit, Hits
from ops.rules.mails.deeds import Deeds
from ops.rules.payment import GoneEntry, PaymentHistory, numbered, signed_amount
from ops.session import Session, pass_session, shared_options
from ops.stack.deeds import deeds_of
from ops.stack.entries import LedgerReader
from ops.stack.evidence import certificates_of
from ops.stack.mailbox import AuditMailbox
from ops.terminal.counted import counted
from ops.terminal.safe_text import safe
from shared.statements.expiry import NOTHING_EXPIRES


@dataclass(frozen=True, slots=True)
class Found:
    """A row. is_linked: the payment's pointer leads to it."""

    row: Mapping[str, Any]
    is_linked: bool


class PaymentGroup(LazyGroup):
    """`scc payment ID` shows; another verb is named first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = [each for each in args if not each.startswith("-")]
        if words and not {*words} & {*self.list_commands(ctx)}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=PaymentGroup, lazy={"reissue": "ops.commands.reissue"})
@shared_options
def payment() -> None:
    """Show everything that is known about a payment, or issue its mail again.

    `scc payment ID` is short for `scc payment show ID`.

    \b
    Examples:
      scc payment pay_9f86d081884c7d659a2feaa0c55ad015
      scc payment reissue pay_9f86d081884c7d659a2feaa0c55ad015 --reason "deleted by a filter"
    """


@payment.command()
@shared_options
@click.argument("payment_id", metavar="ID")
@click.option("--mailbox", "look", is_flag=True, help="Search Gmail too.")
@pass_session
def show(session: Session, payment_id: str, *, look: bool) -> None:
    """Show the whole history of a payment: ledger row, void, and what happened to its mail.

    Of the mail: tries, dead letters, when it was sent and seen, what the watch found, who settled
    that or had it issued again, and why.

    ID is the payment id (pay_…) from the mail, the app's address bar or any log line. --mailbox
    searches Gmail for its mail and reads it: it must hold this entry's record. When only a pointer,
    a delivery or a void is left of an entry, or no pointer leads to its row, that is said. An entry
    that was deleted after seven years is none that needs a person. Exit 1 when something does, 2
    when nothing knows the id.

    \b
    Examples:
      scc payment show pay_9f86d081884c7d659a2feaa0c55ad015
      scc payment show pay_9f86d081884c7d659a2feaa0c55ad015 --mailbox --json
    """
    payment_id = payment_id_of(payment_id)
    ledger = LedgerReader.of(session)
    found = found_or_gone(session, ledger, payment_id)
    if isinstance(found, GoneEntry):
        _show_gone(session, found)
    history = _history(session, ledger, found, payment_id, look=look)
    if session.console.as_json:
        session.console.show(_content(history))
    else:
        session.console.facts(_facts(history))
        session.console.table(
            ("when", "what"),
            [("?" if step.at is None else moment(step.at), step.what) for step in history.steps()],
        )
    for concern in history.concerns():
        session.console.say(f"! {concern}", style="bold red")
    raise click.exceptions.Exit(FOUND if history.concerns() else FINE)


def _show_gone(session: Session, gone: GoneEntry) -> NoReturn:
    concerns = [] if gone.is_expired else [gone.told()]
    if session.console.as_json:
        state = {"is_gone": True, "is_expired": gone.is_expired, "concerns": concerns}
        session.console.show(asdict(gone) | state)
    if gone.is_expired:
        session.console.say(gone.told())
        raise click.exceptions.Exit(FINE)
    session.console.say(f"! {gone.told()}", style="bold red")
    raise click.exceptions.Exit(FOUND)


def payment_id_of(text: str, also: str = "") -> str:
    """also: what else the command takes. Raises click.UsageError."""
    if not re.fullmatch(r"pay_[0-9a-f]{32}", text):
        more = f", nor {also}" if also else ""
        raise click.UsageError(f"{safe(text)!r} is not a payment id: pay_ and 32 hex digits{more}.")
    return text


def found_or_gone(session: Session, ledger: LedgerReader, payment_id: str) -> Found | GoneEntry:
    """Its row, wherever it is, or what is left of it. Raises OpsError when nothing knows the id."""
    place = ledger.place_of(payment_id)
    there = ledger.row(place) if place else {}
    if there.get("payment_id") == payment_id:
        return Found(there, is_linked=True)
    event_id = str(place[0]).partition("#")[0] if place else ""
    seqs: set[int] = set()
    with session.console.meter("looking for its row") as meter:
        for each in [event_id] if event_id else sorted(ledger.places().events):
            for rows, _ in ledger.of_event(each):
                for row in rows:
                    if row.get("payment_id") == payment_id:
                        return Found(row, is_linked=False)
                seqs |= {row["seq"] for row in rows if type(row.get("seq")) is int}
                meter.advance(len(rows))
    if there:
        return Found(there, is_linked=True)  # with another id: its faults say so
    delivery = ledger.deliveries([payment_id]).get(payment_id, {})
    void_id = ledger.void_of(payment_id)
    if not (place or delivery or void_id):
        raise OpsError(
            f"The ledger of {session.aws.target.stack} has no payment {payment_id}: is this the "
            "right --stack?"
        )
    last = ledger.head(event_id).get("seq", 0) if event_id else 0
    return GoneEntry(
        payment_id=payment_id,
        event_id=event_id,
        missing=gaps(seqs, last if type(last) is int else 0) if event_id else [],
        delivery=delivery,
        void_id=void_id,
        certified=certificates_of(session).of.get(event_id, NOTHING_EXPIRES).through_seq,
    )


def sent_as(ledger: LedgerReader, payment_id: str) -> str:
    """The Gmail id of its mail: a search may not show it yet. Empty if it was not sent."""
    gmail_id = ledger.deliveries([payment_id]).get(payment_id, {}).get("gmail_id")
    return gmail_id if isinstance(gmail_id, str) else ""


def _mails(session: Session, ledger: LedgerReader, payment_id: str) -> list[Hit]:
    return AuditMailbox.of(session).hits_of(payment_id, sent_as(ledger, payment_id))


def _history(
    session: Session, ledger: LedgerReader, found: Found, payment_id: str, *, look: bool
) -> PaymentHistory:
    row = found.row
    mails = _mails(session, ledger, payment_id) if look else None
    deeds = deeds_of(session)  # after the mails: one of them may have been issued again just now
    own_ids = {payment_id, *(each.run for each in deeds.reissues(payment_id))}
    delivery = ledger.deliveries([payment_id]).get(payment_id, {})
    void_id = ledger.void_of(payment_id)
    retention = dead_letter_queue(session).retention_ms()
    with peek(session) as looking:
        letters = [
            described_now(each, retention) | {"sent_ms": each.letter.sent_at}
            for each in looking.found
            if each.letter.subject_id in own_ids
        ]
    return PaymentHistory(
        row=row,
        is_linked=found.is_linked,
        delivery=delivery,
        voided_by=ledger.payment(void_id) if void_id else {},
        voids=ledger.payment(str(row["voids"])) if row.get("voids") else {},
        dead_letters=letters,
        hits=None if mails is None else Hits.of(row, mails, deeds, delivery),
        deeds=deeds,
        now=now_ms(),
    )


def _content(history: PaymentHistory) -> dict[str, Any]:
    """Values of types that no row has are shown as text."""
    content = asdict(replace(history, deeds=Deeds()))
    del content["now"], content["hits"], content["deeds"]
    more = {
        "mails": history.mails,
        "is_intact": history.is_intact,
        "concerns": history.concerns(),
        "steps": [asdict(each) for each in history.steps()],
    }
    plain: dict[str, Any] = json.loads(json.dumps(content | more, default=str))
    return plain


def _facts(history: PaymentHistory) -> Iterator[tuple[str, object]]:
    row, delivery = history.row, history.delivery
    yield str(row.get("kind")), row.get("payment_id")
    yield "entry", f"{numbered(row)} of {row.get('event_id')} ({row.get('event_name')})"
    yield "patron", f"{row.get('patron_name')} <{row.get('patron_email')}>"
    yield "amount", f"{signed_amount(row)} {row.get('method')}"
    if row.get("reference"):
        yield "reference", row["reference"]
    if row.get("note"):
        yield "note", row["note"]
    if history.voids:
        voided = history.voids
        yield "voids", f"{numbered(voided)} {voided.get('payment_id')}: {row.get('reason')}"
    if history.voided_by:
        yield "voided by", f"{numbered(history.voided_by)} {history.voided_by.get('payment_id')}"
    matches = "matches" if history.is_intact else "DOES NOT MATCH"
    yield "hash", f"{row.get('hash')} ({matches} the row)"
    tries = counted(delivery.get("attempts", 0), "try", "tries")
    yield "mail", f"{delivery.get('state', 'queued')}, {tries}"
    yield "watch", history.story.watch_says()
    if history.mails is not None:
        yield "in the mailbox", ", ".join(history.mails) or "nothing"
