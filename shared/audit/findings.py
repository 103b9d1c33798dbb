"""What the mailbox lacks or has too much of, and the id under which a person settled that.

The watch, `scc reconcile` and `scc findings` name the same finding by the same id, so what one
person has explained is not found again, and a new finding about the same payment is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.audit.delivery import is_sent, reached_nobody
from shared.ledger import canonical_json

UNHEARD_MS = 3_600_000  # how long the mail about an ops record may be on its way
CLOCKS_DIFFER_MS = 5 * 60_000

FindingKind = Literal["missing", "duplicate", "altered", "orphan"]


@dataclass(frozen=True, slots=True)
class MailFinding:
    """own_id: of the payment, ops record or statement that a mail is about.

    gmail_ids: of the mails that it is about. One that is missing is called what it was when it was
    last there: when another one is lost later, that is a new finding.
    """

    kind: FindingKind
    own_id: str
    gmail_ids: frozenset[str] = frozenset()

    @property
    def run(self) -> str:
        """The run of the ops record that settles it. Short: a header must hold it in one line."""
        return f"ops_ack_{self.kind}_{_digest(self.own_id, self.gmail_ids)}"

    @property
    def ops_id(self) -> str:
        """Of the OpsRecord item that settles it."""
        return f"{self.run}_done"


def settles(
    finding: MailFinding, record: Mapping[str, Any], delivery: Mapping[str, Any], now: int
) -> bool:
    """Whether a person has explained it, and compliance heard of that.

    record: what OpsRecord has under the finding's `ops_id`. delivery: of the mail about it. now:
    epoch milliseconds.
    """
    is_ack = record.get("action") == "ack" and record.get("filter") == finding.own_id
    return is_ack and was_heard(record, delivery, now)


def was_heard(record: Mapping[str, Any], delivery: Mapping[str, Any], now: int) -> bool:
    """Whether compliance was mailed this very ops record, or its mail may still be on its way.

    A record that somebody only wrote into the table says nothing, nor does a mail that came back.
    """
    if reached_nobody(delivery):
        return False
    if is_sent(delivery):
        return delivery.get("record_sha256") == (_sha256(record) or None)
    at = record.get("at")
    return type(at) is int and -CLOCKS_DIFFER_MS <= now - at < UNHEARD_MS


def reissue_run(payment_id: str, lost: frozenset[str]) -> str:
    """The run by which a mail is issued again, the same for the same loss: so it is sent once.

    lost: Gmail ids of the mails that were lost.
    """
    return f"ops_reissue_{_digest(payment_id, lost)}"


def _sha256(record: Mapping[str, Any]) -> str:
    """Of the attachment that its mail has; empty for what no record of ours holds."""
    try:
        return hashlib.sha256(canonical_json(record)).hexdigest()
    except (TypeError, ValueError):
        return ""


def _digest(own_id: str, gmail_ids: frozenset[str]) -> str:
    named = "\n".join([own_id, *sorted(gmail_ids)]).encode("utf-8", "replace")
    return hashlib.sha256(named).hexdigest()[:24]
