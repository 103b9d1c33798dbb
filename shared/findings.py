"""What the mailbox lacks or has too much of, and the id under which a person settled that.

The watch, `scc reconcile` and `scc findings` name the same finding by the same id, so what one
person has explained is not found again, and a new finding about the same payment is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["missing", "duplicate", "altered", "misplaced", "orphan"]


@dataclass(frozen=True, slots=True)
class MailFinding:
    """own_id: of the payment, ops record or statement that a mail is about.

    gmail_ids: of the mails; none for one that is missing.
    """

    kind: FindingKind
    own_id: str
    gmail_ids: frozenset[str] = frozenset()

    @property
    def run(self) -> str:
        """The run of the ops record that settles it."""
        named = "\n".join(sorted(self.gmail_ids)).encode()
        digest = hashlib.sha256(named).hexdigest()[:12]
        return f"ops_ack_{self.own_id}_{self.kind}_{digest}"

    @property
    def ops_id(self) -> str:
        """Of the OpsRecord item that settles it."""
        return f"{self.run}_done"
