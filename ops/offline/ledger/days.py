"""Daily statements: what they say of each event, and whether the entries and the days agree."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from ops.offline.ledger.chain import gaps
from ops.offline.ledger.expiry import Certificates, certificates_in
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Anchor, Finding, Link, found
from ops.offline.ledger.public_key import PublicKey
from ops.offline.ledger.seals import Seal, seal_of, unsigned
from shared.ledger import MOST_ENTRIES, is_event_id
from shared.zones import has_zones, zone_called

Sums = dict[tuple[str, str], tuple[int, int]]  # (kind, method): count and cents
MOST_RIVALS = 10  # final statements of one day that are read; two are already a finding
_KINDS = {"payments": "payment", "voids": "void", "refunds": "refund"}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a final statement says of one event's part of the day."""

    event_id: str
    day: str
    first_seq: int
    last_seq: int
    entries: int
    net_cents: int
    sums: Sums


@dataclass(slots=True)
class Statements:
    """All statements of a mailbox. sha256: of each day's final ones.

    timezones: of the days; final_timezones: those that final statements name. seals: what holds
    each in its place. named: the ids and hashes of operators' records that each final statement
    names, by its own hash.
    """

    anchors: list[Anchor] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    sha256: dict[str, set[str]] = field(default_factory=dict)
    timezones: set[str] = field(default_factory=set)
    final_timezones: set[str] = field(default_factory=set)
    seals: list[Seal] = field(default_factory=list)
    certificates: Certificates = field(default_factory=Certificates)
    named: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def take(self, record: Mapping[str, Any], sha256: str, signature: bytes) -> str:
        """Take one statement.json; returns what it contradicts itself in, or an empty text.

        Raises KeyError, TypeError or ValueError for what is not a statement.
        """
        day = date.fromisoformat(record["day"]).isoformat()
        anchors = [each for event in record["events"] for each in _anchors(event, day)]
        stated = [_stated(event, day) for event in record["events"]]
        if len({each.event_id for each in stated}) < len(stated):
            return "it names an event twice"
        certificates = certificates_in(record)
        ops = [(str(each["ops_id"]), str(each["sha256"])) for each in record["ops"]]
        self.seals.append(seal_of(record, sha256, signature))
        timezone = str(record.get("timezone") or "")[:100]
        self.anchors += anchors
        self.timezones |= {timezone} - {""}
        if record["is_final"]:
            self.final_timezones |= {timezone} - {""}
            self.anchors += self.certificates.take(certificates, day)
            self.named.setdefault(sha256, ops)
            known = self.sha256.setdefault(day, set())
            if sha256 not in known and len(known) < MOST_RIVALS:
                self.stated += [each for each in stated if each.entries]
            known.add(sha256)
        return _sum_problem(record, stated)

    @property
    def zone(self) -> ZoneInfo | None:
        """Of business days; None if statements name none or several, or this computer lacks it."""
        named = self.final_timezones or self.timezones
        return zone_called(next(iter(named))) if len(named) == 1 else None

    def ops(self, key: PublicKey | None = None) -> dict[str, set[str]]:
        """Operators' records by id, each with the hashes that statements signed by the key name."""
        doubted, ops = unsigned(self.seals, key), dict[str, set[str]]()
        for sha256, named in self.named.items():
            for ops_id, ops_sha256 in named if sha256 not in doubted else ():
                ops.setdefault(ops_id, set()).add(ops_sha256)
        return ops

    @property
    def begin(self) -> bool:
        """Whether the first one of all, which follows none, is here."""
        return any(each.is_final and not each.previous[0] for each in self.seals)

    def findings(
        self,
        links: Sequence[Link],
        doubted: Sequence[Finding] = (),
        excused: Collection[str] = (),
    ) -> Iterator[Finding]:
        """links: the mailbox's entries, or the ledger's. doubted: what is wrong with them.

        excused: days whose statement may be gone.
        """
        for day, different in sorted(self.sha256.items()):
            if len(different) > 1:
                detail = f"{len(different)} different final statements for {day}"
                yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
        yield from self._wrong_zones()
        yield from _missing_days({*self.sha256, *excused})
        yield from self._entries_in_stated_days(links)
        doubtful = {(each.event_id, each.seq) for each in doubted}
        sound = [
            each for each in links if each.is_sound and (each.event_id, each.seq) not in doubtful
        ]
        yield from self._wrong_sums(sound)
        yield from self.certificates.findings(sound, self.stated)

    def _wrong_zones(self) -> Iterator[Finding]:
        """A statement with another zone must not switch the check of days off."""
        named = sorted(each[:60] for each in self.timezones)
        if len(named) > 1:
            detail = f"statements name {len(named)} time zones: {', '.join(named[:5])}"
            yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
        elif named and self.zone is None and has_zones():
            detail = f"statements name {named[0]}, which is no time zone"
            yield Finding(INTEGRITY, "", 0, 0, "altered", "", detail)

    def _entries_in_stated_days(self, links: Iterable[Link]) -> Iterator[Finding]:
        """A day's final statement is its last word: no entry may join the day later."""
        of_day = {(each.event_id, each.day): each for each in self.stated}
        later = _Later(self.stated)
        for link in links:
            if not link.is_sound:
                continue
            own = of_day.get((link.event_id, link.logged_day))
            is_stated = link.logged_day in self.sha256
            if is_stated and not (own and own.first_seq <= link.seq <= own.last_seq):
                detail = f"the statement of {link.logged_day} does not have it"
            elif later_day := later.day_of(link):
                detail = f"the statement of {later_day} has it on a later day"
            else:
                continue
            yield found(INTEGRITY, link, "back-dated", detail)

    def _wrong_sums(self, links: Iterable[Link]) -> Iterator[Finding]:
        """Sums are compared where every entry of the day is here, once, and sound."""
        by_day: dict[tuple[str, str], list[Link]] = {}
        wanted = {(each.event_id, each.day) for each in self.stated}
        for link in links:
            if link.is_sound and (link.event_id, link.logged_day) in wanted:
                by_day.setdefault((link.event_id, link.logged_day), []).append(link)
        for each in self.stated:
            of_day = by_day.get((each.event_id, each.day), ())
            there = {e.seq: e for e in of_day if each.first_seq <= e.seq <= each.last_seq}
            if gaps(seq - each.first_seq + 1 for seq in there) or each.last_seq not in there:
                continue
            if sums_of(there.values()) != each.sums or len(there) != each.entries:
                detail = f"the statement of {each.day} has other sums than its entries"
                numbers = (each.first_seq, each.last_seq)
                yield Finding(INTEGRITY, each.event_id, *numbers, "wrong-sums", "", detail)


class _Later:
    """For each event and day, the least number that statements of later days begin with."""

    def __init__(self, stated: Iterable[Stated]) -> None:
        self._days: dict[str, list[str]] = {}  # ascending
        self._least: dict[str, list[tuple[int, str]]] = {}  # from that day on
        by_event: dict[str, list[Stated]] = {}
        for each in stated:
            by_event.setdefault(each.event_id, []).append(each)
        for event_id, days in by_event.items():
            days.sort(key=lambda each: each.day)
            self._days[event_id] = [each.day for each in days]
            firsts = [(each.first_seq, each.day) for each in reversed(days)]
            self._least[event_id] = list(accumulate(firsts, min))[::-1]

    def day_of(self, link: Link) -> str:
        """The later day that claims to begin before this entry, or an empty text."""
        at = bisect_right(self._days.get(link.event_id, ()), link.logged_day)
        rest = self._least.get(link.event_id, ())
        seq, day = rest[at] if at < len(rest) else (0, "")
        return day if day and seq <= link.seq else ""


def sums_of(links: Iterable[Link]) -> Sums:
    sums: Sums = {}
    for link in links:
        count, cents = sums.get((link.kind, link.method), (0, 0))
        sums[link.kind, link.method] = (count + 1, cents + link.amount_cents)
    return sums


def _anchors(event: Mapping[str, Any], day: str) -> Iterator[Anchor]:
    for which in ("last", "head"):
        seq, digest = event[f"{which}_seq"], event[f"{which}_hash"]
        if not _is_event_id(event["event_id"]):
            raise ValueError(f"the statement of {day} names an event as no event is named")
        if type(seq) is not int or not 0 <= seq < MOST_ENTRIES or not isinstance(digest, str):
            raise ValueError(f"the statement of {day} has no {which} for an event")
        if seq:
            yield Anchor(event["event_id"], seq, digest, f"the statement of {day}")


def _is_event_id(value: Any) -> bool:
    return isinstance(value, str) and is_event_id(value)


def _stated(event: Mapping[str, Any], day: str) -> Stated:
    return Stated(
        event_id=event["event_id"],
        day=day,
        first_seq=_whole(event["first_seq"]),
        last_seq=event["last_seq"],
        entries=_whole(event["entries"]),
        net_cents=_whole(event["net_cents"]),
        sums=_sums(event),
    )


def _sums(of: Mapping[str, Any]) -> Sums:
    """Of an event or a whole statement."""
    return {
        (kind, method): (_whole(one["count"]), _whole(one["cents"]))
        for name, kind in _KINDS.items()
        for method, one in of.get(name, {}).get("by_method", {}).items()
    }


def _sum_problem(record: Mapping[str, Any], stated: Sequence[Stated]) -> str:
    added: Sums = {}
    for each in stated:
        for name, (count, cents) in each.sums.items():
            before = added.get(name, (0, 0))
            added[name] = (before[0] + count, before[1] + cents)
    if added != _sums(record):
        return "its sums are not those of its events"
    if any(_net(each.sums) != each.net_cents for each in stated) or _net(added) != record.get(
        "net_cents", 0
    ):
        return "its net is not what its sums add up to"
    if sum(each.entries for each in stated) != record.get("entries", 0):
        return "its count of entries is not that of its events"
    return ""


def _net(sums: Sums) -> int:
    return sum(cents if kind == "payment" else -cents for (kind, _), (_, cents) in sums.items())


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a statement counts in whole numbers")
    return value


def _missing_days(days: Iterable[str]) -> Iterator[Finding]:
    """A statement is sent every day: none may be missing between the first and the last."""
    for first, last in lost_days(days):
        detail = f"no statement for {first}" + (f" to {last}" if last > first else "")
        yield Finding(COMPLETENESS, "", 0, 0, "no-statement", "", detail)


def lost_days(days: Iterable[str]) -> list[tuple[date, date]]:
    """The gaps between these days, each by its first and last one."""
    known = sorted(date.fromisoformat(each) for each in days)
    return [
        (before + timedelta(1), after - timedelta(1))
        for before, after in pairwise(known)
        if (after - before).days > 1
    ]
