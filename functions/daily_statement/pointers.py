"""Whether entries can be found by their ids: the pointer of each must lead to its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.ledger import LedgerEntry

LOOKS = 3
PAUSE_SECONDS = 2.0

Place = tuple[Any, Any]  # the key of a row in Payments, as its pointer holds it


class Places(Protocol):
    def places(self, payment_ids: Sequence[str]) -> Mapping[str, Place]: ...


@dataclass(slots=True)
class PointerCheck:
    """Looks at entries as they are read, and once more at those without a pointer.

    pause: sleeps seconds. A row can be seen a moment before its pointer, although one transaction
    writes both.
    """

    ledger: Places
    pause: Callable[[float], None]
    _doubtful: list[LedgerEntry] = field(default_factory=list)

    def look_at(self, entries: Iterable[LedgerEntry]) -> None:
        """entries: as they were written; any others have a finding of their own."""
        self._doubtful += self._unlinked([*entries])

    def unlinked(self) -> list[LedgerEntry]:
        """Those whose pointer is gone, or leads elsewhere, however often it is read."""
        for _ in range(LOOKS - 1):
            if self._doubtful:
                self.pause(PAUSE_SECONDS)
                self._doubtful = self._unlinked(self._doubtful)
        return self._doubtful

    def _unlinked(self, entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
        places = self.ledger.places([each.payment_id for each in entries])
        return [
            each for each in entries if places.get(each.payment_id) != (each.pk, each.timestamp)
        ]
