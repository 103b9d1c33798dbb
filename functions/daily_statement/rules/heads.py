"""An event's head as the Ledger table has it: its last entry, and the totals on every screen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.ledger import GENESIS_HASH, MOST_ENTRIES, Head

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHead:
    """last: the event's last entry, None if it cannot be read. totals: by attribute, unchecked."""

    last: Head | None = field(default_factory=Head)
    totals: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> EventHead:
        """row: of Ledger, empty for an event without one."""
        if not row:
            return cls()
        return cls(
            last=_last(row),
            totals={name: value for name, value in row.items() if _is_total(name)},
        )


def _last(row: Mapping[str, Any]) -> Head | None:
    seq, last_hash = row.get("seq"), row.get("hash")
    if type(seq) is not int or not 0 <= seq < MOST_ENTRIES or not isinstance(last_hash, str):
        return None
    if seq and not _HASH.fullmatch(last_hash):
        return None
    return Head(seq=seq, hash=last_hash if seq else GENESIS_HASH)


def _is_total(name: str) -> bool:
    return name == "payments_count" or name.endswith("_cents")
