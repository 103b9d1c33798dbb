"""What the mailbox lacks or has too much of, and the id under which a person settled that.

The watch, `scc reconcile` and `scc findings` name the same finding by the same id, so what one
person has explained is not found again, and a new finding about the same payment is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

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


def reissue_run(payment_id: str, lost: frozenset[str]) -> str:
    """The run by which a mail is issued again, the same for the same loss: so it is sent once.

    lost: Gmail ids of the mails that were lost.
    """
    return f"ops_reissue_{_digest(payment_id, lost)}"


def _digest(own_id: str, gmail_ids: frozenset[str]) -> str:
    named = "\n".join([own_id, *sorted(gmail_ids)]).encode("utf-8", "replace")
    return hashlib.sha256(named).hexdigest()[:24]
