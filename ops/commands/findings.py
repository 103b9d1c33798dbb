"""`scc findings`: what the mailbox lacks or has too much of, and settling it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from functions.audit_mailer.watch.verdicts import Sighting, roles_of
from ops.clock import now_ms
from ops.commands.payment import Found, found_or_gone, payment_id_of, sent_as
from ops.errors import FINE, FOUND, OpsError
from ops.parameters import Reason
from ops.rules.hits import Hits
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox
from ops.stack.ops_record import Deed, OpsRecord
from ops.stack.queues import OpsAuditQueue
from ops.terminal.safe_text import safe
from shared.audit.delivery import is_sent, last_known_as
from shared.audit.findings import MailFinding
from shared.ledger import problem_with


@dataclass(frozen=True, slots=True)
class Open:
    """A finding that nobody has settled yet. event_id: empty when nothing says which."""

    finding: MailFinding
    event_id: str

    @property
    def row(self) -> dict[str, Any]:
        return {
            "payment_id": self.finding.own_id,
            "kind": self.finding.kind,
            "event_id": self.event_id,
            "gmail_ids": sorted(self.finding.gmail_ids),
            "ops_id": self.finding.ops_id,
        }


@click.group()
@shared_options
def findings() -> None:
    """Look at what the watch over the audit mailbox found, and settle what is explained.

    \b
    Examples:
      scc findings ls
      scc findings ack pay_9f86d081884c7d659a2feaa0c55ad015 --reason "deleted by mistake, ticket 12"
    """


@findings.command()
@shared_options
@pass_session
def ls(session: Session) -> None:
    """List the payments whose mail the watch misses, has twice, or finds altered.

    The watch looks every hour; `scc payment PAY --mailbox` looks now. Exit 1 when something is
    listed.

    \b
    Examples:
      scc findings ls
    """
    ledger = LedgerReader.of(session)
    settled = OpsRecord.of(session, OpsAuditQueue.of(session)).acknowledged()
    deliveries = ledger.deliveries(ledger.unsettled())
    listed = [
        {"payment_id": own_id, "kind": str(delivery["mailbox_finding"])}
        for own_id, delivery in deliveries.items()
        if delivery.get("mailbox_finding")
        and not {each.ops_id for each in _noted(own_id, delivery)} <= settled
    ]
    if session.console.as_json:
        session.console.show(listed)
    else:
        session.console.table(
            ("payment", "finding"), [(each["payment_id"], each["kind"]) for each in listed]
        )
    session.console.say(f"{len(listed)} open")
    raise click.exceptions.Exit(FOUND if listed else FINE)


@findings.command()
@shared_options
@click.argument("own_id", metavar="PAY")
@click.option("--reason", type=Reason(), required=True, metavar="TEXT", help="What explains it.")
@pass_session
def ack(session: Session, own_id: str, *, reason: str) -> None:
    """Settle what is found about a payment's mail now: it is explained, and no longer an alarm.

    Looks into the mailbox, and settles just what it finds: another mail, or another fault, is a new
    finding. PAY may also be an id that `scc findings ls` shows for a statement's or an operators'
    mail; then what the watch found is settled. `scc reconcile` shows settled findings as such, and
    the watch passes over them. What is settled, by whom and why is kept in the ops record and
    mailed to compliance. A ledger row that is not as it was written cannot be settled. Exit 2 when
    there is nothing to settle.

    \b
    Examples:
      scc findings ack pay_9f86d081884c7d659a2feaa0c55ad015 --reason "deleted by mistake, ticket 12"
    """
    is_payment = not own_id.startswith(("ops_", "statement_"))
    look = _found if is_payment else _found_by_the_watch
    found = list(look(session, payment_id_of(own_id) if is_payment else own_id))
    record = OpsRecord.of(session, OpsAuditQueue.of(session))
    settled = record.acknowledged()
    still_open = [each for each in found if each.finding.ops_id not in settled]
    if not found:
        raise OpsError(
            f"There is nothing to settle: the mailbox has one mail for {safe(own_id)}, and it is "
            "as it was written."
        )
    for each in still_open:
        record.append(_deed(session, each, reason))
    _show(session, found, still_open)


def _found(session: Session, payment_id: str) -> Iterator[Open]:
    """Raises OpsError for what cannot be settled."""
    ledger, mailbox = LedgerReader.of(session), AuditMailbox.of(session)
    entry = found_or_gone(session, ledger, payment_id)
    hits = mailbox.hits_of(payment_id, sent_as(ledger, payment_id))
    if not isinstance(entry, Found):
        for each in hits:
            if each.payment_id == payment_id:
                orphan = MailFinding("orphan", payment_id, frozenset({each.gmail_id}))
                yield Open(orphan, entry.event_id)
        return
    problem = problem_with(entry.row)
    if problem:
        raise OpsError(
            f"The ledger's row of {payment_id} is not as it was written ({problem}). That cannot "
            "be settled: docs/runbook.md#ledger-tampered says what to do."
        )
    delivery = ledger.deliveries([payment_id]).get(payment_id, {})
    if not is_sent(delivery):
        raise OpsError(
            f"The mail of {payment_id} was never sent: `scc payment {payment_id}` says what it "
            "waits for, and `scc reconcile --repair` queues it again."
        )
    for finding in Hits.of(entry.row, hits).findings(payment_id, delivery):
        yield Open(finding, str(entry.row["event_id"]))


def _found_by_the_watch(session: Session, own_id: str) -> Iterator[Open]:
    """Of a statement's or operators' mail: the watch has read it."""
    delivery = LedgerReader.of(session).deliveries([own_id]).get(own_id)
    if delivery is None:
        raise OpsError(f"Nothing that was mailed has the id {safe(own_id)}: see `scc findings ls`.")
    if delivery.get("mailbox_finding"):
        for finding in _noted(own_id, delivery):
            yield Open(finding, "")


def _noted(own_id: str, delivery: Mapping[str, Any]) -> Iterator[MailFinding]:
    """What the watch found, by what it noted."""
    return Sighting(own_id, roles_of(delivery), last_known_as(delivery)).findings()


def _deed(session: Session, settled: Open, reason: str) -> Deed:
    finding = settled.finding
    mails = sorted(finding.gmail_ids) or ["-"]
    return Deed(
        run=finding.run,
        action="ack",
        phase="done",
        who=session.aws.caller,
        at=now_ms(),
        stack=session.aws.target.stack,
        filter=finding.own_id,
        reason=reason,
        counts={finding.kind: 1},
        messages=[f"{each} {finding.own_id} {finding.kind}" for each in mails],
    )


def _show(session: Session, found: Sequence[Open], settled: Sequence[Open]) -> None:
    if session.console.as_json:
        session.console.show(
            [each.row | {"settled": "now" if each in settled else "before"} for each in found]
        )
        return
    session.console.table(
        ("finding", "mails", "settled", "recorded as"),
        [
            (
                each.finding.kind,
                ", ".join(sorted(each.finding.gmail_ids)) or "none",
                "now" if each in settled else "before",
                each.finding.ops_id,
            )
            for each in found
        ],
    )
