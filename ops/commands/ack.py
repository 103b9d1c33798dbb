"""`scc findings ack`: settle what is explained, recorded and mailed to compliance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from ops.clock import now_ms
from ops.commands.payment import Found, found_or_gone, payment_id_of, sent_as
from ops.errors import FOUND, OpsError
from ops.parameters import Reason
from ops.rules.hits import Hits
from ops.rules.mails.deeds import Ack, Deeds
from ops.rules.mails.watched import noted
from ops.session import Session, pass_session, shared_options
from ops.stack.deeds import OpsRecordReader, deeds_of
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox
from ops.stack.ops_record import Deed, OpsRecord
from ops.stack.queues import OpsAuditQueue
from ops.terminal.safe_text import safe
from shared.audit.delivery import is_sent, reached_nobody
from shared.audit.findings import FindingKind, MailFinding
from shared.ledger import problem_with

EXPLAINED: dict[FindingKind, str] = {
    "missing": "missing mail explained",
    "duplicate": "double mail explained",
    "altered": "altered mail explained",
    "orphan": "mail without an entry explained",
}
INCIDENT = "docs/runbook.md#settled-without-a-mail"
_OTHERS = re.compile(r"(ops|statement)_")


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


@click.command()
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
    mailed to compliance. If it was interrupted before that mail was asked for, run it again. A
    ledger row that is not as it was written cannot be settled. Exit 2 when there is nothing to
    settle.

    \b
    Examples:
      scc findings ack pay_9f86d081884c7d659a2feaa0c55ad015 --reason "deleted by mistake, ticket 12"
    """
    if _OTHERS.match(own_id):
        found = list(_found_by_the_watch(session, own_id))
        deeds = deeds_of(session)
    else:
        payment_id = payment_id_of(own_id, also="an id (ops_…, statement_…) from `scc findings ls`")
        deeds, found = _found(session, payment_id)
    before = list(deeds.acks(own_id))
    if not found and all(each.is_heard for each in before):
        raise OpsError(_nothing(own_id))
    settle(session, found, before, reason)


def settle(session: Session, found: Sequence[Open], before: Sequence[Ack], reason: str) -> None:
    """Record what is not settled yet, and have compliance told of what is not mailed yet.

    before: what records settled already; they stay as they are.
    """
    record = OpsRecord.of(session, OpsAuditQueue.of(session))
    known = {each.ops_id: each for each in before}
    settled = [each for each in found if each.finding.ops_id not in known]
    for each in settled:
        record.append(_deed(session, each, reason))
    _show(session, found, settled, before)
    if not settled:
        session.console.say("All of it was settled before: this reason was not recorded.")
    _tell_of(session, record, before)


def _tell_of(session: Session, record: OpsRecord, before: Sequence[Ack]) -> None:
    """Have those mailed that are not. One that was changed after its mail never can be."""
    sent = LedgerReader.of(session).deliveries([each.ops_id for each in before])
    unmailed = [
        each
        for each in before
        if not is_sent(sent.get(each.ops_id)) or reached_nobody(sent.get(each.ops_id))
    ]
    for each in unmailed:
        record.tell(each.ops_id)
        became = "its mail came back" if is_sent(sent.get(each.ops_id)) else "not mailed yet"
        session.console.say(
            f"{each.ops_id} was recorded before by {each.who} ({each.reason}); {became}. It stays "
            "as it is; its mail is asked for again."
        )
    changed = [each for each in before if each not in unmailed and not each.is_heard]
    for each in changed:
        session.console.say(
            f"! {each.ops_id} was changed after it was mailed: {INCIDENT}", style="bold red"
        )
    if changed:
        raise click.exceptions.Exit(FOUND)


def _nothing(own_id: str) -> str:
    if _OTHERS.match(own_id):
        return f"There is nothing to settle: the watch found nothing about the mail {safe(own_id)}."
    return (
        f"There is nothing to settle: the mailbox has one mail for {safe(own_id)}, and it is as it "
        "was written."
    )


def _found(session: Session, payment_id: str) -> tuple[Deeds, list[Open]]:
    """Raises OpsError for what cannot be settled."""
    ledger, mailbox = LedgerReader.of(session), AuditMailbox.of(session)
    entry = found_or_gone(session, ledger, payment_id)
    hits = mailbox.hits_of(payment_id, sent_as(ledger, payment_id))
    deeds = deeds_of(session)  # after the mails: one of them may have been issued again just now
    if not isinstance(entry, Found):
        orphans = [
            MailFinding("orphan", payment_id, frozenset({each.gmail_id}))
            for each in hits
            if each.payment_id == payment_id
        ]
        return deeds, [Open(each, entry.event_id) for each in orphans]
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
    own = Hits.of(entry.row, hits, deeds, delivery)
    event_id = str(entry.row["event_id"])
    return deeds, [Open(each, event_id) for each in own.findings(payment_id, delivery)]


def _found_by_the_watch(session: Session, own_id: str) -> Iterator[Open]:
    """Of a statement's or operators' mail: the watch has read it. Raises OpsError."""
    delivery = LedgerReader.of(session).deliveries([own_id]).get(own_id)
    if delivery is None:
        raise OpsError(f"Nothing that was mailed has the id {safe(own_id)}: see `scc findings ls`.")
    if own_id.startswith("ops_"):
        _require_record(session, own_id)
    for finding in noted(own_id, delivery):
        yield Open(finding, "")


def _require_record(session: Session, ops_id: str) -> None:
    records = OpsRecordReader.of(session)
    planned = records.record(f"{ops_id}_planned")
    if planned.get("action") == "reissue":
        raise OpsError(
            f"{ops_id} is a mail that was issued again: settle its payment, {planned['filter']}."
        )
    if not records.record(ops_id):
        raise OpsError(
            f"No ops record has the id {safe(ops_id)}, so it is nobody's mail: see `scc findings "
            "ls`."
        )


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
        counts={EXPLAINED[finding.kind]: 1},
        messages=[f"{each} {finding.own_id} {EXPLAINED[finding.kind]}" for each in mails],
    )


def _show(
    session: Session, found: Sequence[Open], settled: Sequence[Open], before: Sequence[Ack]
) -> None:
    """What was found, and what was settled before and is not found any more."""
    names = {each.finding.ops_id for each in found}
    rows = [each.row | {"settled": "now" if each in settled else "before"} for each in found]
    rows += [
        {"payment_id": each.own_id, "kind": each.kind, "ops_id": each.ops_id, "settled": "before"}
        for each in before
        if each.ops_id not in names
    ]
    if session.console.as_json:
        session.console.show(rows)
        return
    session.console.table(
        ("finding", "mails", "settled", "recorded as"),
        [
            (
                each["kind"],
                ", ".join(each.get("gmail_ids", ())) or "none",
                each["settled"],
                each["ops_id"],
            )
            for each in rows
        ],
    )
