"""`scc findings tell`: have an operators' mail sent once more that reached nobody."""

from __future__ import annotations

import click

from ops.errors import OpsError
from ops.session import Session, pass_session, shared_options
from ops.stack.deeds import OpsRecordReader
from ops.stack.entries import LedgerReader
from ops.stack.ops_record import OpsRecord
from ops.stack.queues import OpsAuditQueue
from ops.terminal.safe_text import safe
from shared.audit.delivery import is_sent, reached_nobody
from shared.keys import is_key


@click.command()
@shared_options
@click.argument("ops_id", metavar="OPS_ID")
@pass_session
def tell(session: Session, ops_id: str) -> None:
    """Ask again for the mail of an operators' record that came back, or was never sent.

    OPS_ID is an id (ops_…) that `scc findings ls` shows. The record stays as it is, and its mail is
    the same. Mend first what refused it. Exit 2 when there is nothing to send: a mail that arrived
    and was deleted is settled with `scc findings ack`.

    \b
    Examples:
      scc findings tell ops_ack_missing_0123456789abcdef01234567_done
    """
    record = OpsRecordReader.of(session).record(ops_id) if is_key(ops_id) else {}
    if not record:
        raise OpsError(f"No ops record has the id {safe(ops_id)}: see `scc findings ls`.")
    delivery = LedgerReader.of(session).deliveries([ops_id]).get(ops_id, {})
    if is_sent(delivery) and not reached_nobody(delivery):
        raise OpsError(
            f"The mail of {ops_id} was sent, and the watch has not seen it come back: nothing is "
            "sent. The watch looks every hour."
        )
    OpsRecord.of(session, OpsAuditQueue.of(session)).tell(ops_id)
    if session.console.as_json:
        session.console.show({"ops_id": ops_id})
    session.console.say(f"Queued: the mail of {ops_id} is sent once more.")
