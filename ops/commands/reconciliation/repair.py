"""Queueing unmailed entries again, recorded before and after as a replay is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ops.clock import now_ms
from ops.rules.reconcile import Reconciliation
from ops.session import Session
from ops.stack.entries import LedgerReader
from ops.stack.ops_record import Deed, OpsRecord, new_run
from ops.stack.queues import OpsAuditQueue
from ops.terminal.interrupts import held_back
from shared.audit.messages import AuditMessage, MalformedMessageError


def repair(
    session: Session, state: Reconciliation, scope: str, reason: str, save: Callable[[], None]
) -> None:
    """Queue what was never sent. scope: told in the record. save: keeps the state."""
    wanted = state.to_repair
    if not wanted:
        return
    queue, ledger, at = OpsAuditQueue.of(session), LedgerReader.of(session), now_ms()
    planned = Deed(
        run=new_run("repair", at),
        action="repair",
        phase="planned",
        who=session.aws.caller,
        at=at,
        stack=session.aws.target.stack,
        filter=scope,
        reason=reason,
        counts={"send": len(wanted)},
        messages=[f"- {each[:100]} send" for each in wanted],
    )
    outcomes = dict.fromkeys(wanted, "not queued")
    state.ops_id = planned.run + "_done"
    with OpsRecord.of(session, queue).around(planned, lambda: _done(planned, outcomes)):
        for each in wanted:
            with held_back():  # so that the record tells of what is queued
                outcomes[each] = _queue_again(each, ledger, queue)
                if outcomes[each] == "queued":
                    state.repaired.append(each)
                save()


def _queue_again(payment_id: str, ledger: LedgerReader, queue: OpsAuditQueue) -> str:
    """What came of it. The row is read again: a row that is no entry has no message."""
    try:
        message = AuditMessage.from_row(ledger.payment(payment_id))
    except MalformedMessageError:
        return "no entry"
    queue.send(message.to_json())
    return "queued"


def _done(planned: Deed, outcomes: dict[str, str]) -> Deed:
    told = [*outcomes.values()]
    return replace(
        planned,
        phase="done",
        at=now_ms(),
        counts={name: told.count(name) for name in told},
        messages=[f"- {name[:100]} {outcome}" for name, outcome in outcomes.items()],
    )
