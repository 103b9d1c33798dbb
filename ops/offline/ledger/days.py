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
from ops.offline.ledger.sums import Sums, add_sum, net_of, sums_in, sums_of, whole
from shared.ledger import MOST_ENTRIES, is_event_id
from shared.zones import has_zones, zone_called

MOST_NAME = 100  # characters of a name that is none
MOST_RIVALS = 10  # final statements of one day that are read; two are already a finding


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
    names, by its own hash. unfit: what statements name that no event has, by day and hash: it is
    passed over, and the rest is believed.
    """

    anchors: list[Anchor] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    sha256: dict[str, set[str]] = field(default_factory=dict)
    timezones: set[str] = field(default_factory=set)
    final_timezones: set[str] = field(default_factory=set)
    seals: list[Seal] = field(default_factory=list)
    certificates: Certificates = field(default_factory=Certificates)
    named: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    unfit: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def take(self, record: Mapping[str, Any], sha256: str, signature: bytes) -> str:
        """Take one statement.json; returns what it contradicts itself in, or an empty text.

        Raises KeyError, TypeError or ValueError for what is not a statement.
        """
        day = date.fromisoformat(record["day"]).isoformat()
        every = [_stated(event, day) for event in record["events"]]
        stated = [each for each in every if is_event_id(each.event_id)]
        unfit = [repr(each.event_id) for each in every if not is_event_id(each.event_id)]
        anchors = []
        for event in record["events"]:
            named, ends = _anchors(event, day)
            anchors += named
            unfit += ends
        if len({each.event_id for each in stated}) < len(stated):
            return "it names an event twice"
        certificates = certificates_in(record)
        ops = [(str(each["ops_id"]), str(each["sha256"])) for each in record["ops"]]
        self.seals.append(seal_of(record, sha256, signature))
        timezone = str(record.get("timezone") or "")[:100]
        self.anchors += anchors
        if unfit:
            self.unfit[day, sha256] = unfit
        self.timezones |= {timezone} - {""}
        if record["is_final"]:
            self.final_timezones |= {timezone} - {""}
            self.anchors += self.certificates.take(certificates, day)
            self.named.setdefault(sha256, ops)
            known = self.sha256.setdefault(day, set())
            if sha256 not in known and len(known) < MOST_RIVALS:
                self.stated += [each for each in stated if each.entries]
            known.add(sha256)
        return _sum_problem(record, every)

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
        for (day, _), unfit in sorted(self.unfit.items()):
            detail = f"the statement of {day} names what no event has: {few(unfit)}"
            yield Finding(INTEGRITY, "", 0, 0, "no-event", "", detail)
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


def _anchors(event: Mapping[str, Any], day: str) -> tuple[list[Anchor], list[str]]:
    """Also what it names instead of an entry: nobody can write a head that stops the check."""
    anchors, unfit = [], []
    for which in ("last", "head") if is_event_id(_name_of(event)) else ():
        seq, digest = event[f"{which}_seq"], event[f"{which}_hash"]
        if type(seq) is not int or not 0 <= seq < MOST_ENTRIES or not isinstance(digest, str):
            unfit.append(f"the {which} entry of {event['event_id']}")
        elif seq:
            anchors.append(Anchor(event["event_id"], seq, digest, f"the statement of {day}"))
    return anchors, unfit


def _name_of(event: Mapping[str, Any]) -> str:
    return event["event_id"] if isinstance(event["event_id"], str) else ""


def few(names: Sequence[str]) -> str:
    """The first one of many, and how many more."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return names[0][:MOST_NAME] + more


def _stated(event: Mapping[str, Any], day: str) -> Stated:
    return Stated(
        event_id=_name_of(event),
        day=day,
        first_seq=whole(event["first_seq"]),
        last_seq=whole(event["last_seq"]),
        entries=whole(event["entries"]),
        net_cents=whole(event["net_cents"]),
        sums=sums_in(event),
    )


def _sum_problem(record: Mapping[str, Any], stated: Sequence[Stated]) -> str:
    added: Sums = {}
    for each in stated:
        for name, (count, cents) in each.sums.items():
            add_sum(added, *name, count, cents)
    if added != sums_in(record):
        return "its sums are not those of its events"
    if any(net_of(each.sums) != each.net_cents for each in stated) or net_of(added) != record.get(
        "net_cents", 0
    ):
        return "its net is not what its sums add up to"
    if sum(each.entries for each in stated) != record.get("entries", 0):
        return "its count of entries is not that of its events"
    return ""


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
