"""Which of the sealed statements are ours, by signature and by what lies there now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from functions.daily_statement.rules.sealed_chain import Kept
from shared.statements.bucket import EvidenceDamagedError, HasSigned, SealedStatement
from shared.statements.places import StatementPlace


class Evidence(Protocol):
    def sealed_days(self) -> list[str]: ...
    def sealed(self, day: str, has_signed: HasSigned | None = None) -> SealedStatement | None: ...
    def final_versions(self, day: str) -> Iterator[SealedStatement]: ...


class Key(Protocol):
    def has_signed(self, content: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class GenuineStatements:
    """evidence: what lies in the bucket, by whomever."""

    evidence: Evidence
    key: Key

    def of(self, day: str) -> SealedStatement:
        """Raises EvidenceDamagedError if nothing there was sealed by us."""
        sealed = self.evidence.sealed(day, self.key.has_signed)
        if sealed is None:
            raise EvidenceDamagedError(f"the statement of {day} is gone")
        return sealed

    def has(self, day: str) -> bool:
        return self._signed(day) is not None

    def places(self, day: str) -> list[StatementPlace]:
        """Of all that could be the day's statement by what it says, signed or not."""
        try:
            return [each.place for each in self.evidence.final_versions(day)]
        except EvidenceDamagedError:
            return []

    def kept(self, day: str) -> Kept | None:
        """The day's statement, or what lies in its place if none is ours; None for nothing."""
        try:
            sealed = self._signed(day) or self.evidence.sealed(day)
        except EvidenceDamagedError:
            return Kept()
        return Kept.of(sealed.sha256, sealed.record) if sealed else None

    def sha256_of(self, day: str) -> str:
        """Of what lies there; empty when nothing can be read."""
        kept = self.kept(day)
        return kept.sha256 if kept else ""

    def _signed(self, day: str) -> SealedStatement | None:
        try:
            return self.evidence.sealed(day, self.key.has_signed)
        except EvidenceDamagedError:
            return None
