"""The daily statement: where the evidence bucket keeps one, and under which id one is mailed.

functions/daily_statement stores them, the mailer mails them, and scc reads them. This is their one
agreement; what a statement says is in functions/daily_statement/rules/record.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.ledger import PaymentId

SCHEMA = "scc.statement/2"
HEADS_SCHEMA = "scc.heads/1"
SEALED = "statements/"
SO_FAR = "so_far/"
SIGNATURE_FILE = "statement.sig"  # as its mail attaches it


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPlace:
    """Where a statement is kept: a sealed one by its day, one made during the day by its hash.

    day: YYYY-MM-DD. sha256: of its bytes, in hex.
    """

    day: str
    final: bool
    sha256: str

    @property
    def record_key(self) -> str:
        return record_key(self.day) if self.final else f"{SO_FAR}{self.sha256}.json"

    @property
    def signature_key(self) -> str:
        """By the hash of what is signed: it is stored before the statement is."""
        return (
            f"{SEALED}{self.day}/{self.sha256}.sig" if self.final else f"{SO_FAR}{self.sha256}.sig"
        )

    @property
    def delivery_id(self) -> PaymentId:
        """Its key in AuditDeliveries: other bytes are another mail."""
        kind = "final" if self.final else "so_far"
        return PaymentId(f"statement_{self.day}_{kind}_{self.sha256}")


def record_key(day: str) -> str:
    """Of a sealed statement: one a day, so a second one cannot be put beside it."""
    return f"{SEALED}{day}/statement.json"


def heads_key(day: str, sha256: str) -> str:
    """Of the heads that the statement of this day sums up. sha256: of the file."""
    return f"{SEALED}{day}/heads_{sha256}.json"
