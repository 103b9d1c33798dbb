"""What happened to sealed statements, by what the evidence bucket lists. Pure rules.

Objects are locked, but in production only, and a lock forbids neither a newer version nor a delete
marker on top. What is sealed is read as it was; that somebody tried is worth a finding.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.statements.places import SEALED, StatementPlace, record_key

HIDDEN = "{} lies behind a delete marker"
ON_TOP = "{} has another version on top of the sealed one"
NO_STATEMENT = "statement.json is gone"
NO_SIGNATURE = "its signature is gone"
NO_HEADS = "its list of heads is gone"
MAILED = "a statement that was mailed is gone: {}"
FEWER = "of the sealed ones, {} cannot be found"  # the same each night: no new finding
_SIGNATURE = re.compile(r"([0-9a-f]{64})\.sig")
_HEADS = re.compile(r"heads_[0-9a-f]{64}\.json")


@dataclass(frozen=True, slots=True, order=True)
class Damage:
    """day: of the sealed statement, empty for all of them. what: in words."""

    day: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What lies under the sealed statements. versions: how many, by key. hidden: keys.

    count: how many statements the last sealed one knew of, itself included; None if it does not
    say. are_mailed: which of these ever had a delivery. sha256_of: a day's statement that is there.
    """

    versions: Mapping[str, int]
    hidden: Collection[str]
    count: int | None
    are_mailed: Callable[[Sequence[StatementPlace]], Collection[StatementPlace]]
    sha256_of: Callable[[str], str]

    def damages(self) -> list[Damage]:
        by_day: dict[str, dict[str, int]] = defaultdict(dict)
        for key, count in self.versions.items():
            _, day, file = key.split("/", 2)
            by_day[day][file] = count
        sealed = [day for day, files in by_day.items() if "statement.json" in files]
        found = [*self._hidden(), *self._missing(len(sealed))]
        last = max(sealed, default="")
        for day, files in by_day.items():
            found += [Damage(day, ON_TOP.format(file)) for file, n in files.items() if n > 1]
            found += [Damage(day, each) for each in _gone(files, is_over=day < last)]
        return sorted({*found, *self._exchanged(by_day)})

    def _hidden(self) -> Iterator[Damage]:
        for key in self.hidden:
            _, day, file = key.split("/", 2)
            yield Damage(day, HIDDEN.format(file))

    def _missing(self, count: int) -> Iterator[Damage]:
        if self.count is not None and count < self.count:
            yield Damage("", FEWER.format(self.count - count))

    def _exchanged(self, by_day: Mapping[str, Mapping[str, int]]) -> Iterator[Damage]:
        """A signature of what is not there, of a statement that was mailed.

        A run that dies before it has sealed leaves a signature, too, and nothing was mailed.
        """
        signed = {day: _signed(day, files) for day, files in by_day.items()}
        doubtful = {
            day: places
            for day, places in signed.items()
            if len(places) > 1 or (places and record_key(day) not in self.versions)
        }
        mailed = self.are_mailed([each for places in doubtful.values() for each in places])
        for day, places in doubtful.items():
            known = {each.sha256 for each in places if each in mailed}
            if record_key(day) in self.versions:
                known.discard(self.sha256_of(day))
            for each in sorted(known):
                yield Damage(day, MAILED.format(each))


def is_sealed_key(key: str) -> bool:
    """Of a file in a day's folder; other things there are not ours."""
    return bool(re.fullmatch(re.escape(SEALED) + r"\d{4}-\d\d-\d\d/[^/]+", key))


def _gone(files: Mapping[str, int], *, is_over: bool) -> Iterator[str]:
    """is_over: a later day is sealed."""
    if "statement.json" not in files:
        if is_over:
            yield NO_STATEMENT
        return
    if not any(map(_SIGNATURE.fullmatch, files)):
        yield NO_SIGNATURE
    if not any(map(_HEADS.fullmatch, files)):
        yield NO_HEADS


def _signed(day: str, files: Mapping[str, int]) -> list[StatementPlace]:
    found = map(_SIGNATURE.fullmatch, sorted(files))
    return [StatementPlace(day=day, final=True, sha256=each[1]) for each in found if each]
