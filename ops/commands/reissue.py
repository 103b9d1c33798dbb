"""`scc payment reissue`: send the mail of an entry once more, marked as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from ops.clock import now_ms
from ops.commands.payment import Found, found_or_gone, payment_id_of
from ops.errors import OpsError
from ops.parameters import Reason
from ops.rules.hits import Hits
from ops.session import Session, pass_session, shared_options
from ops.stack.deeds import OpsRecordReader, deeds_of
from ops.stack.entries import LedgerReader
from ops.stack.mailbox import AuditMailbox, gmail_settings
from ops.stack.ops_record import Deed, OpsRecord
from ops.stack.queues import OpsAuditQueue
from ops.terminal.console import Console
from ops.terminal.interrupts import held_back
from shared.audit.delivery import is_sent, last_known_as
from shared.audit.findings import reissue_run
from shared.audit.messages import ReissueMessage
from shared.ledger import problem_with


@click.command()
@shared_options
@click.argument("payment_id", metavar="PAY")
@click.option("--reason", type=Reason(), required=True, metavar="TEXT", help="Why, for the record.")
@pass_session
def reissue(session: Session, payment_id: str, *, reason: str) -> None:
    """Issue a payment's mail again: the same record, marked REISSUED.

    For a mail that was sent and is in the mailbox no more. Looks into the mailbox first, and
    refuses when the mail is there. Who had it issued and why is kept in the ops record and mailed
    to compliance. The new mail counts as the entry's for `scc reconcile`, the watch and the offline
    verifier. If it was interrupted, run it again. Exit 2 when nothing was issued.

    \b
    Examples:
      scc payment reissue pay_9f86d081884c7d659a2feaa0c55ad015 --reason "deleted by a filter"
    """
    payment_id = payment_id_of(payment_id)
    run = _run_for_the_loss(session, payment_id)
    queue, at = OpsAuditQueue.of(session), now_ms()
    planned = Deed(
        run=run,
        action="reissue",
        phase="planned",
        who=session.aws.caller,
        at=at,
        stack=session.aws.target.stack,
        filter=payment_id,
        reason=reason,
        counts={"send": 1},
        messages=[f"- {payment_id} send"],
    )
    issue(OpsRecord.of(session, queue), queue, planned, session.console)
    done = _done(planned)
    if session.console.as_json:
        session.console.show({"payment_id": payment_id, "run": run, "ops_id": done.ops_id})
    session.console.say(f"Queued. The mail will say REISSUED; recorded as {done.ops_id}.")


def issue(record: OpsRecord, queue: OpsAuditQueue, planned: Deed, console: Console) -> None:
    """Record it, queue it, record that it is queued. Whatever stops this, asking again goes on.

    Nothing says that it is done before it is queued, as records cannot be changed.
    """
    is_done = False
    try:
        record.append(planned)
        with held_back():
            queue.send(ReissueMessage(run=planned.run).to_json())
            record.append(_done(planned))
            is_done = True
    except (KeyboardInterrupt, ClientError, BotoCoreError):
        console.say(
            "It is queued and recorded."
            if is_done
            else "Perhaps not queued: ask again. However often, there will be one mail."
        )
        raise


def _done(planned: Deed) -> Deed:
    told = [f"- {planned.filter} queued"]
    return replace(planned, phase="done", at=now_ms(), counts={"queued": 1}, messages=told)


def _complete(session: Session, run: str) -> None:
    """Say that it was queued, which its delivery shows, if whoever queued it could not."""
    records = OpsRecordReader.of(session)
    planned = records.record(ReissueMessage(run=run).planned)
    if not planned or records.record(f"{run}_done"):
        return
    known = {name: str(planned.get(name)) for name in ("who", "stack", "filter", "reason")}
    deed = Deed(
        run=run, action="reissue", phase="planned", at=now_ms(), counts={}, messages=(), **known
    )
    OpsRecord.of(session, OpsAuditQueue.of(session)).append(_done(deed))


def _run_for_the_loss(session: Session, payment_id: str) -> str:
    """The same for the same loss: however often it is asked for, there is one mail.

    Raises OpsError when nothing is lost, or nobody can tell yet.
    """
    ledger = LedgerReader.of(session)
    row = _sound_row(session, ledger, payment_id)
    delivery = ledger.deliveries([payment_id]).get(payment_id, {})
    if not is_sent(delivery):
        raise OpsError(
            f"The mail of {payment_id} was never sent: `scc payment {payment_id}` says what it "
            "waits for, and `scc reconcile --repair` queues it again."
        )
    lost, last_sent = last_known_as(delivery), delivery
    mailbox = AuditMailbox.of(session)
    while True:
        run = reissue_run(payment_id, lost)
        issued = ledger.deliveries([run]).get(run)
        if issued is not None:
            _complete(session, run)
        mails = mailbox.hits_of(payment_id, _gmail_id(last_sent))
        hits = Hits.of(row, mails, deeds_of(session), delivery)
        if hits.placed:
            raise OpsError(
                f"Its mail is in the mailbox, as {hits.placed[0].gmail_id}: nothing was issued."
            )
        if issued is None:
            break
        if not is_sent(issued):
            raise OpsError(f"Its mail is being issued again already: {run} is on its way.")
        # What was taken for the lost mail is another loss, too.
        gmail_id = _gmail_id(issued)
        lost, last_sent = lost | {run if gmail_id in lost else gmail_id}, issued
    settle = gmail_settings(session).gmail_search_settle_seconds
    age = (now_ms() - int(last_sent.get("sent_at", 0))) // 1000
    if 0 <= age < settle:
        raise OpsError(
            f"Its mail was sent {age} seconds ago, and Gmail's search may not show it yet: try "
            f"again in {settle - age} seconds."
        )
    for ack in deeds_of(session).acks(payment_id):
        session.console.say(f"{ack.who} settled something about its mail before: {ack.reason}")
    for each in hits.genuine:
        session.console.say(
            f"{each.gmail_id}, a mail of it, is in the trash or in spam. It may be moved back: "
            "both will count."
        )
    return run


def _sound_row(session: Session, ledger: LedgerReader, payment_id: str) -> Mapping[str, Any]:
    """Raises OpsError for one that no mail can be made from."""
    entry = found_or_gone(session, ledger, payment_id)
    if not isinstance(entry, Found):
        raise OpsError(f"{entry.told()} Without its row there is nothing to make a mail from.")
    problem = problem_with(entry.row)
    if problem:
        raise OpsError(
            f"The ledger's row of {payment_id} is not as it was written ({problem}): "
            "docs/runbook.md#ledger-tampered says what to do."
        )
    if not entry.is_linked:
        raise OpsError(f"No pointer leads to {payment_id}: run `scc verify`.")
    return entry.row


def _gmail_id(delivery: Mapping[str, Any]) -> str:
    return str(delivery.get("gmail_id") or "")
