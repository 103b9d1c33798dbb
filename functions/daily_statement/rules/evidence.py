"""What happened to sealed statements, by what the evidence bucket lists. Pure rules.

Objects are locked, but in production only, and a lock forbids neither a newer version nor a delete
marker on top. What is sealed is read as it was; that somebody tried is worth a finding.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.statements.places import SEALED, StatementPlace, record_key

HIDDEN = "{} lies behind a delete marker"
BESIDE = "{} has other versions than the sealed one: {}"
NO_STATEMENT = "statement.json is gone"
NO_SIGNATURE = "its signature is gone"
NO_HEADS = "its list of heads is gone"
MAILED = "a statement that was mailed is gone: {}"
EXCHANGED = "statement.json is not the one that was sealed"
NOT_SEALED = "files lie there, and this day was never sealed"
MORE = "and {} more of the like"
MOST_DAMAGES = 500  # a statement must stay small enough to be mailed
STATEMENT = "statement.json"
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

    Only files with our own names are named one by one; of others, only days that were never sealed.

    day: whose statement is drawn up. days: that were sealed before it, in a row; None if the last
    statement does not say how many. exchanged: of those that were read tonight, the ones whose
    statement is another. are_mailed: which of these ever had a delivery. sha256_of: a day's
    statement that is there.
    """

    versions: Mapping[str, int]
    hidden: Collection[str]
    day: str
    days: Sequence[str] | None
    exchanged: Collection[str]
    are_mailed: Callable[[Sequence[StatementPlace]], Collection[StatementPlace]]
    sha256_of: Callable[[str], str]

    def damages(self) -> list[Damage]:
        by_day: dict[str, dict[str, int]] = defaultdict(dict)
        for key, count in self.versions.items():
            _, day, file = key.split("/", 2)
            by_day[day][file] = count
        found = [*self._hidden()]
        for day, files in by_day.items():
            found += [*self._beside(day, files)]
        sealed = self._sealed_days(by_day)
        for day in sealed:
            found += [Damage(day, each) for each in _gone(by_day.get(day, {}))]
            # Without any signature nobody can tell, and that is named.
            if day in self.exchanged and any(map(_SIGNATURE.fullmatch, by_day.get(day, ()))):
                found.append(Damage(day, EXCHANGED))
        found += [Damage(each, NOT_SEALED) for each in self._added(by_day, sealed)]
        found += self._mailed_and_gone(by_day)
        return _first_of(found, {*sealed})

    def _sealed_days(self, by_day: Mapping[str, Mapping[str, int]]) -> Sequence[str]:
        if self.days is not None:
            return self.days
        return [day for day, files in sorted(by_day.items()) if STATEMENT in files]

    def _added(
        self, by_day: Mapping[str, Mapping[str, int]], sealed: Sequence[str]
    ) -> Iterator[str]:
        """Days that have no place in the chain. What a run left that died before it sealed has one.

        It left the day's heads and its signature: under the day that is drawn up now, which another
        run may be sealing too, or before the first statement, under a day without entries.
        """
        first = min(sealed, default=self.day)
        for day in by_day.keys() - {*sealed, self.day}:
            if day > first or not all(map(_is_left_over, by_day[day])):
                yield day

    def _beside(self, day: str, files: Mapping[str, int]) -> Iterator[Damage]:
        """Of the day that is drawn up now, whatever is in its statement's place came too early."""
        for file, count in files.items():
            is_early = day == self.day and file == STATEMENT
            others = count if is_early else count - 1
            if others and _is_ours(file):
                yield Damage(day, BESIDE.format(file, others))

    def _hidden(self) -> Iterator[Damage]:
        for key in self.hidden:
            _, day, file = key.split("/", 2)
            if _is_ours(file):
                yield Damage(day, HIDDEN.format(file))

    def _mailed_and_gone(self, by_day: Mapping[str, Mapping[str, int]]) -> Iterator[Damage]:
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


def _first_of(found: Iterable[Damage], sealed: Collection[str]) -> list[Damage]:
    """In order; of too many, those that are about sealed days."""
    told = sorted({*found}, key=lambda each: (each.day not in sealed, each))
    more = len(told) - MOST_DAMAGES
    rest = [Damage("", MORE.format(more))] if more > 0 else []
    return sorted([*told[:MOST_DAMAGES], *rest])


def _gone(files: Mapping[str, int]) -> Iterator[str]:
    if STATEMENT not in files:
        yield NO_STATEMENT
        return
    if not any(map(_SIGNATURE.fullmatch, files)):
        yield NO_SIGNATURE
    if not any(map(_HEADS.fullmatch, files)):
        yield NO_HEADS


def _is_ours(file: str) -> bool:
    """By its name. Whoever puts other files there can give them any number and length of names."""
    return file == STATEMENT or _is_left_over(file)


def _is_left_over(file: str) -> bool:
    return bool(_SIGNATURE.fullmatch(file) or _HEADS.fullmatch(file))


def _signed(day: str, files: Mapping[str, int]) -> list[StatementPlace]:
    found = map(_SIGNATURE.fullmatch, sorted(files))
    return [StatementPlace(day=day, final=True, sha256=each[1]) for each in found if each]
