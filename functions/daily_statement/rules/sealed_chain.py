"""Whether sealed statements are still those that the ones after them name. Pure rules.

Each names the day before it and the hash of that day's statement, so what the last one names is
known back to the first. The newest are read every night, the others once in thirty days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

NEWEST = 7  # days that are read every night
SHARES = 30  # all others are read once in so many nights
BLOCK = 16  # days that are read together: with eight years, some 120 a night


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What lies under a day as its statement. names: the day before it, and its statement's hash.

    Both are empty for what is no statement.
    """

    sha256: str = ""
    names: tuple[str, str] | None = None

    @classmethod
    def of(cls, sha256: str, record: Mapping[str, Any]) -> Kept:
        """record: whatever lies there, as JSON says it."""
        match record.get("previous"):
            case {"day": str(day), "sha256": str(named)}:
                return cls(sha256=sha256, names=(day, named))
        return cls(sha256=sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedChain:
    """read: a day's statement, None if it is gone. is_signed: whether a day's has our signature."""

    read: Callable[[str], Kept | None]
    is_signed: Callable[[str], bool]

    def exchanged(self, runs: Sequence[Sequence[str]]) -> Iterator[str]:
        """The days of these runs, as `runs_of_night` makes them, with another statement."""
        for run in runs:
            yield from self._exchanged_in(run)

    def _exchanged_in(self, run: Sequence[str]) -> Iterator[str]:
        """From the newest back: what is named by a genuine one is genuine itself."""
        named: tuple[str, str] | None = None
        for day in reversed(run):
            kept = self.read(day)
            if kept is None:  # that it is gone is named elsewhere
                named = None
                continue
            is_genuine = named == (day, kept.sha256) if named else self.is_signed(day)
            if not is_genuine:
                yield day
            named = kept.names if is_genuine else None


def days_until(last: str, count: int) -> list[str]:
    """So many days in a row, oldest first."""
    end = date.fromisoformat(last)
    count = max(0, min(count, end.toordinal()))
    return [(end - timedelta(each)).isoformat() for each in reversed(range(count))]


def runs_of_night(days: Sequence[str], night: str) -> list[Sequence[str]]:
    """Which of these days to read tonight: runs of days in a row, each with one that follows it."""
    runs = [days[-NEWEST:]]
    share = date.fromisoformat(night).toordinal() % SHARES
    starts = [n for n, day in enumerate(days) if date.fromisoformat(day).toordinal() % BLOCK == 0]
    for start in sorted({0, *starts} if days else ()):
        block = date.fromisoformat(days[start]).toordinal() // BLOCK
        if block % SHARES == share:
            end = next((each for each in starts if each > start), len(days))
            runs.append(days[start : end + 1])
    return [each for each in runs if each]
