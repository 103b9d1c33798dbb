"""Which of the sealed statements are ours, by signature and by what lies there now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from functions.daily_statement.rules.sealed_chain import Kept
from shared.statements.bucket import EvidenceDamagedError, SealedStatement
from shared.statements.places import StatementPlace


class Evidence(Protocol):
    def sealed(self, day: str) -> SealedStatement | None: ...
    def signature(self, place: StatementPlace) -> bytes | None: ...


class Key(Protocol):
    def has_signed(self, content: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class GenuineStatements:
    evidence: Evidence
    key: Key

    def of(self, day: str) -> SealedStatement:
        """Raises EvidenceDamagedError for what was not sealed by us."""
        sealed = self.evidence.sealed(day)
        if sealed is None:
            raise EvidenceDamagedError(f"the statement of {day} is gone")
        signature = self.evidence.signature(sealed.place)
        if signature is None or not self.key.has_signed(sealed.content, signature):
            raise EvidenceDamagedError(f"the statement of {day} is not signed by this stack's key")
        return sealed

    def has(self, day: str) -> bool:
        try:
            return bool(self.of(day))
        except EvidenceDamagedError:
            return False

    def kept(self, day: str) -> Kept | None:
        """What lies there as the day's statement, ours or not; None when nothing does."""
        try:
            sealed = self.evidence.sealed(day)
        except EvidenceDamagedError:
            return Kept()
        return Kept.of(sealed.sha256, sealed.record) if sealed else None

    def sha256_of(self, day: str) -> str:
        """Of what lies there; empty when nothing can be read."""
        kept = self.kept(day)
        return kept.sha256 if kept else ""
