"""`scc payment`: everything that is known about one payment or void."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict

import click

from ops.clock import now_ms
from ops.commands.dlq import dead_letter_queue, described_now, peek
from ops.counted import counted
from ops.errors import FINE, FOUND, OpsError
from ops.rules.dead_letters import moment
from ops.rules.payment import PaymentHistory
from ops.safe_text import safe
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox


@click.command()
@shared_options
@click.argument("payment_id", metavar="ID")
@click.option("--mailbox", "look", is_flag=True, help="Search Gmail too.")
@pass_session
def payment(session: Session, payment_id: str, *, look: bool) -> None:
    """Show the whole history of a payment: ledger row, tries, dead letters, mail, void.

    ID is the payment id (pay_…) from the mail, the app's address bar or any log line. --mailbox
    searches Gmail for its mail. Exit 1 when something needs a person.

    \b
    Examples:
      scc payment pay_9f86d081884c7d659a2feaa0c55ad015
      scc payment pay_9f86d081884c7d659a2feaa0c55ad015 --mailbox --json
    """
    if not re.fullmatch(r"pay_[0-9a-f]{32}", payment_id):
        raise click.UsageError(f"{safe(payment_id)!r} is not a payment id: pay_ and 32 hex digits.")
    history = _history(session, payment_id, look=look)
    if session.console.as_json:
        content = asdict(history) | {"is_intact": history.is_intact, "concerns": history.concerns()}
        del content["now"]
        session.console.show(content | {"steps": [asdict(each) for each in history.steps()]})
    else:
        session.console.facts(_facts(history))
        session.console.table(
            ("when", "what"),
            [("?" if step.at is None else moment(step.at), step.what) for step in history.steps()],
        )
    for concern in history.concerns():
        session.console.say(f"! {concern}", style="bold red")
    raise click.exceptions.Exit(FOUND if history.concerns() else FINE)


def _history(session: Session, payment_id: str, *, look: bool) -> PaymentHistory:
    ledger = LedgerReader.of(session)
    row = ledger.payment(payment_id)
    if not row:
        raise OpsError(
            f"The ledger of {session.aws.target.stack} has no payment {payment_id}: is this the "
            "right --stack?"
        )
    void_id = ledger.void_of(payment_id)
    retention = dead_letter_queue(session).retention_ms()
    with peek(session) as looking:
        letters = [
            described_now(each, retention) | {"sent_ms": each.letter.sent_at}
            for each in looking.found
            if each.letter.subject_id == payment_id
        ]
    return PaymentHistory(
        row=row,
        delivery=ledger.deliveries([payment_id]).get(payment_id, {}),
        voided_by=ledger.payment(void_id) if void_id else {},
        voids=ledger.payment(row["voids"]) if row.get("voids") else {},
        dead_letters=letters,
        mails=AuditMailbox.of(session).mails_of(payment_id) if look else None,
        now=now_ms(),
    )


def _facts(history: PaymentHistory) -> Iterator[tuple[str, object]]:
    row, delivery = history.row, history.delivery
    sign = "-" if row["kind"] == "void" else ""
    yield row["kind"], row["payment_id"]
    yield "entry", f"#{row['seq']:06d} of {row['event_id']} ({row['event_name']})"
    yield "patron", f"{row['patron_name']} <{row['patron_email']}>"
    yield "amount", f"{sign}${row['amount_cents'] / 100:,.2f} {row['method']}"
    if row["reference"]:
        yield "reference", row["reference"]
    if row["note"]:
        yield "note", row["note"]
    if history.voids:
        yield "voids", f"#{history.voids['seq']:06d} {history.voids['payment_id']}: {row['reason']}"
    if history.voided_by:
        yield "voided by", f"#{history.voided_by['seq']:06d} {history.voided_by['payment_id']}"
    yield "hash", f"{row['hash']} ({'matches' if history.is_intact else 'DOES NOT MATCH'} the row)"
    tries = counted(delivery.get("attempts", 0), "try", "tries")
    yield "mail", f"{delivery.get('state', 'queued')}, {tries}"
    if history.mails is not None:
        yield "in the mailbox", ", ".join(history.mails) or "nothing"
