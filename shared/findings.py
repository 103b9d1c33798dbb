"""What the mailbox lacks or has too much of, and the id under which a person settled that.

The watch, `scc reconcile` and `scc findings` name the same finding by the same id, so what one
person has explained is not found again, and a new finding about the same payment is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["missing", "duplicate", "altered", "misplaced", "orphan"]


@dataclass(frozen=True, slots=True)
class MailFinding:
    """gmail_ids: of the mails that it is about; none for a mail that is missing."""

    kind: FindingKind
    payment_id: str
    gmail_ids: frozenset[str] = frozenset()

    @property
    def ops_id(self) -> str:
        """Of the OpsRecord item that settles it."""
        named = "\n".join(sorted(self.gmail_ids)).encode()
        return f"{self.run}_{hashlib.sha256(named).hexdigest()[:12]}_done"

    @property
    def run(self) -> str:
        return f"ops_ack_{self.payment_id}_{self.kind}"


def settled_by(records: Iterable[str], finding: MailFinding) -> bool:
    return finding.ops_id in records
