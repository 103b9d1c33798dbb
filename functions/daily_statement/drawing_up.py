"""Drawing up one day: read its entries, and compare the ledger with what was sealed before."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from functions.daily_statement.days import bounds
from functions.daily_statement.rules.account import Statement, undated
from functions.daily_statement.rules.certificates import extended
from functions.daily_statement.rules.continuity import (
    BEFORE_THE_FIRST,
    ChainEnd,
    Continuation,
    Link,
    continue_from,
    hangs_on,
    missing_numbers,
)
from functions.daily_statement.rules.notable import Watch
from functions.daily_statement.rules.record import Standing, Standings
from shared.ledger import Head, LedgerEntry, MalformedEntryError, PaymentId, business_date
from shared.statements.expiry import NOTHING_EXPIRES, last_day_to_certify

LOOKS = 3
INDEX_LAG_SECONDS = 2.0
SHARES = 30  # every event's old rows are read and hashed again once in so many days


class Daybook(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]: ...
    def has_entries(self, day: str) -> bool: ...
    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Ledger(Protocol):
    def events(self) -> Iterable[str]: ...
    def heads(self, event_ids: Iterable[str]) -> Mapping[str, Head | None]: ...
    def of_event(self, event_id: str) -> Iterable[Mapping[str, Any]]: ...
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...
    def of_patron(self, event_id: str, patron_email: str) -> Iterable[Mapping[str, Any]]: ...


class OpsRecords(Protocol):
    def hashes(self, start: int, end: int) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draughtsman:
    """zone: of business days. now: returns epoch milliseconds. pause: sleeps seconds.

    cash_over_cents: from which amount a cash payment is notable; 0 for none.
    """

    daybook: Daybook
    ledger: Ledger
    ops_records: OpsRecords
    zone: ZoneInfo
    cash_over_cents: int
    now: Callable[[], int]
    pause: Callable[[float], None]

    def draw_up(
        self, day: str, before: Standings | None, *, is_final: bool = True
    ) -> tuple[Statement, Standings]:
        """What the ledger says about a day now, and how its events stand at the day's end.

        before: how they stood at the end of the sealed day before; None for the first statement,
        which reads the whole ledger.
        """
        statement = Statement(day, self.zone.key, self.now(), is_final)
        self._take_entries(statement)
        if before is None:
            before = self._first_standings(statement)
            old = set[str]()
        else:
            old = {each for each in before if _share_of(each) == _share_of_day(day)}
        standings = self._go_on(statement, before)
        for event_id in sorted(old | (self._expiring(statement.day) & before.keys())):
            rows = list(self.ledger.of_event(event_id))
            links = [Link.of(entry, row) for entry, row in _entries(rows)]
            if event_id in old:
                self._name_undated(statement, rows)
                _examine(statement, event_id, standings[event_id], links)
            _certify(statement, standings, event_id, links)
        statement.ops_records.update(self.ops_records.hashes(*bounds(day, self.zone)))
        return statement, standings

    def _take_entries(self, statement: Statement) -> None:
        watch = Watch(
            cash_over_cents=self.cash_over_cents, find=self._find, has_twin=self._has_twin
        )
        for rows in self.daybook.logged_on(statement.day):
            payment_ids = [row.get("payment_id", "") for row in rows]
            for entry in statement.add(rows, self.daybook.deliveries(payment_ids)):
                statement.notable += watch.look_at(entry)

    def _go_on(self, statement: Statement, before: Standings) -> Standings:
        """How every event stands at the day's end. Names what does not follow from `before`."""
        events = {*before, *statement.accounts}
        heads = self.ledger.heads(sorted(events))
        ends = {
            each: continue_from(_end(before, each), self._links_of(statement, each))
            for each in events
        }
        later = self._later_links(statement.day, ends, heads)
        standings = {}
        for event_id in sorted(events):
            found, head = ends[event_id], heads[event_id]
            tail = _missing_at_the_end(found.end, head, later.get(event_id, ()))
            next_link = min(later.get(event_id, ()), key=lambda each: each.seq, default=None)
            if next_link and next_link.seq != found.end.seq + 1:
                next_link = None
            is_cut = not hangs_on(found.end, head, next_link)
            if event_id in statement.accounts or tail or is_cut or head is None:
                account = statement.account(event_id)
                account.head = head
                account.report(replace(found, missing=[*found.missing, *tail]))
                if is_cut and head is not None:
                    account.rewritten = account.rewritten or _how_it_was_cut(found.end, head)
            standings[event_id] = Standing(
                end=found.end, certificate=before.get(event_id, Standing()).certificate
            )
        return standings

    def _later_links(
        self,
        day: str,
        ends: Mapping[str, Continuation],
        heads: Mapping[str, Head | None],
    ) -> Mapping[str, Sequence[Link]]:
        """The entries after each event's end, from the days since.

        An entry logged this very moment can be absent from the index without being missing, so the
        index is read again.
        """
        later: dict[str, list[Link]] = {}
        for look in range(LOOKS):
            if look:
                self.pause(INDEX_LAG_SECONDS)
            later = defaultdict(list)
            for entry, row in self._entries_since(day, again=bool(look)):
                end = ends.get(entry.event_id)
                if end is not None and entry.seq > end.end.seq:
                    later[entry.event_id].append(Link.of(entry, row))
            if not any(
                _missing_at_the_end(each.end, heads[event_id], later.get(event_id, ()))
                for event_id, each in ends.items()
            ):
                break
        return later

    def _entries_since(
        self, day: str, *, again: bool
    ) -> Iterator[tuple[LedgerEntry, Mapping[str, Any]]]:
        """Of the days after this one; `again` also those that joined the day since it was read."""
        each, today = date.fromisoformat(day), business_date(self.now(), self.zone)
        if not again:
            each += timedelta(1)
        while each <= today:
            for rows in self.daybook.logged_on(each.isoformat()):
                yield from _entries(rows)
            each += timedelta(1)

    def _first_standings(self, statement: Statement) -> Standings:
        """How every event stood before the first statement, from all its rows."""
        last_day = _last_day(statement)
        standings: Standings = {}
        for event_id in self.ledger.events():
            rows = list(self.ledger.of_event(event_id))
            self._name_undated(statement, rows)
            links = [
                link
                for link in (Link.of(entry, row) for entry, row in _entries(rows))
                if link.logged_day < statement.day
            ]
            found = continue_from(BEFORE_THE_FIRST, links)
            if found.missing or found.altered or found.broken_at:
                statement.account(event_id).report(found)
            certificate = extended(NOTHING_EXPIRES, links, last_day, found.end)
            standings[event_id] = Standing(end=found.end, certificate=certificate)
            if certificate.through_seq:
                statement.certificates[event_id] = certificate
        return standings

    def _expiring(self, day: str) -> set[str]:
        """The events with entries of the one day that comes within the notice now."""
        last_day = last_day_to_certify(date.fromisoformat(day)).isoformat()
        return {
            entry.event_id
            for rows in self.daybook.logged_on(last_day)
            for entry, _ in _entries(rows)
        }

    def _links_of(self, statement: Statement, event_id: str) -> Sequence[Link]:
        account = statement.accounts.get(event_id)
        return account.links if account else ()

    def _name_undated(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            if undated(row):
                statement.add_malformed(row, undated(row))

    def _find(self, payment_id: PaymentId) -> LedgerEntry | None:
        row = self.ledger.find(payment_id)
        return next((entry for entry, _ in _entries([row] if row else [])), None)

    def _has_twin(self, voided: LedgerEntry) -> bool:
        rows = self.ledger.of_patron(voided.event_id, voided.patron_email)
        entries = [entry for entry, _ in _entries(rows)]
        void = {each.voids for each in entries}
        return any(
            each.kind == "payment"
            and each.amount_cents == voided.amount_cents
            and each.payment_id not in {voided.payment_id, *void}
            for each in entries
        )


def _examine(
    statement: Statement, event_id: str, standing: Standing, links: Sequence[Link]
) -> None:
    """All rows of an event: each must be what was written, and none may be missing.

    Those that a certificate covers may be there or gone.
    """
    certified = standing.certificate
    kept = [each for each in links if certified.through_seq < each.seq <= standing.end.seq]
    found = continue_from(ChainEnd(seq=certified.through_seq, hash=certified.hash), kept)
    gone = missing_numbers([each.seq for each in kept], certified.through_seq + 1, standing.end.seq)
    expiring = [each for each in links if each.seq <= certified.through_seq]
    altered = [*found.altered, *(each.seq for each in expiring if not each.is_sound)]
    if gone or altered or found.broken_at:
        statement.account(event_id).report(replace(found, missing=gone, altered=sorted(altered)))


def _certify(
    statement: Statement, standings: Standings, event_id: str, links: Sequence[Link]
) -> None:
    """links: of all rows of the event."""
    standing = standings[event_id]
    certificate = extended(standing.certificate, links, _last_day(statement), standing.end)
    if certificate != standing.certificate:
        statement.certificates[event_id] = certificate
        standings[event_id] = replace(standing, certificate=certificate)


def _last_day(statement: Statement) -> str:
    return last_day_to_certify(date.fromisoformat(statement.day)).isoformat()


def _end(standings: Standings, event_id: str) -> ChainEnd:
    return standings.get(event_id, Standing()).end


def _missing_at_the_end(
    end: ChainEnd, head: Head | None, later: Sequence[Link]
) -> list[tuple[int, int]]:
    """Numbers up to the head's that no row of this day or a later one has."""
    if head is None or head.seq <= end.seq:
        return []
    return missing_numbers([each.seq for each in later], end.seq + 1, head.seq)


def _how_it_was_cut(end: ChainEnd, head: Head) -> str:
    if head.seq < end.seq:
        return f"#{end.seq:06d} was there, and the last entry is #{head.seq:06d} now"
    return f"#{end.seq:06d} had another hash"


def _entries(
    rows: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[LedgerEntry, Mapping[str, Any]]]:
    """The rows that are entries. The others are named on their own day's statement."""
    for row in rows:
        try:
            yield LedgerEntry.from_row(row), row
        except MalformedEntryError:
            continue


def _share_of(event_id: str) -> int:
    return zlib.crc32(event_id.encode()) % SHARES


def _share_of_day(day: str) -> int:
    return date.fromisoformat(day).toordinal() % SHARES
