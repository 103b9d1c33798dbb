"""What operators do about mails: their records, mailed, and the mails that are issued again."""

from __future__ import annotations

from typing import Any

from functions.audit_mailer.mails.ops_mail import compose as ops_of
from functions.audit_mailer.mails.payment_mail import Reissue, compose
from ops.commands.ack import EXPLAINED
from ops.stack.ops_record import Deed
from shared.audit.findings import FindingKind, MailFinding, reissue_run
from shared.ledger import LedgerEntry
from tests.builders import NOW
from tests.ops.mailboxes import ADDRESSES, APP_URL, related

LOST_AS = frozenset({"18c0ffee"})
WHO = "arn:aws:iam::123456789012:user/grace"
REASON = "a filter deleted it"


def reissued(entry: LedgerEntry, run: str = "", at: int = NOW + 60_000) -> bytes:
    """Its mail, issued again. run: as its header names it. at: epoch milliseconds."""
    run = run or reissue_run(entry.payment_id, LOST_AS)
    known = related(entry, [entry])
    return compose(entry.to_row(), ADDRESSES, known, APP_URL, Reissue(run, at)).content


def reissue_record(payment_id: str, at: int = NOW + 50_000, **changes: Any) -> dict[str, Any]:
    """As `scc payment reissue` appends it before anything is queued."""
    deed = Deed(
        run=reissue_run(payment_id, LOST_AS),
        action="reissue",
        phase="planned",
        who=WHO,
        at=at,
        stack="shipcaptaincrew",
        filter=payment_id,
        reason=REASON,
        counts={"send": 1},
        messages=[f"- {payment_id} send"],
    )
    return deed.parts()[0] | changes


def ack_record(
    own_id: str,
    kind: FindingKind = "missing",
    mails: frozenset[str] = LOST_AS,
    at: int = NOW + 70_000,
    **changes: Any,
) -> dict[str, Any]:
    """As `scc findings ack` appends it. mails: Gmail ids that the finding is about."""
    deed = Deed(
        run=MailFinding(kind, own_id, mails).run,
        action="ack",
        phase="done",
        who=WHO,
        at=at,
        stack="shipcaptaincrew",
        filter=own_id,
        reason=REASON,
        counts={EXPLAINED[kind]: 1},
        messages=[f"{each} {own_id} {EXPLAINED[kind]}" for each in sorted(mails) or ["-"]],
    )
    return deed.parts()[0] | changes


def mailed(record: dict[str, Any]) -> bytes:
    return ops_of(record, ADDRESSES).content
