"""Drawing up one day: read its entries, and compare the ledger with what was sealed before."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from functions.daily_statement.days import bounds
from functions.daily_statement.pointers import Place, PointerCheck
from functions.daily_statement.rows import NO_EVENT_ID, entries_in
from functions.daily_statement.rules.account import Statement, undated
from functions.daily_statement.rules.certificates import extended
from functions.daily_statement.rules.continuity import (
    BEFORE_THE_FIRST,
    Continuation,
    Link,
    continue_from,
    missing_at_the_end,
)
from functions.daily_statement.rules.heads import EventHead
from functions.daily_statement.rules.meaning import (
    BACK_DATED,
    Meaning,
    back_dated,
    refunds_among,
)
from functions.daily_statement.rules.notable import Watch
from functions.daily_statement.rules.record import NEW_EVENT, Standing, Standings
from functions.daily_statement.rules.rereading import (
    MOST_CERTIFIED,
    certify,
    examine,
    last_certified_day,
    name_impossible,
)
from functions.daily_statement.rules.standings import Present, compare_totals, ends_of, go_on
from functions.daily_statement.rules.totals import NO_ENTRIES
from shared import keys
from shared.ledger import LedgerEntry, PaymentId, business_date, is_event_id
from shared.statements.expiry import NOTHING_EXPIRES

LOOKS = 3
INDEX_LAG_SECONDS = 2.0
SHARES = 30  # every event's old rows are read and hashed again once in so many days

Entries = Sequence[tuple[LedgerEntry, Link]]


class Daybook(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]: ...
    def has_entries(self, day: str) -> bool: ...
    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Ledger(Protocol):
    def events(self) -> Iterable[str]: ...
    def heads(self, event_ids: Iterable[str]) -> Mapping[str, EventHead]: ...
    def places(self, payment_ids: Sequence[str]) -> Mapping[str, Place]: ...
    def of_event(self, event_id: str) -> Iterable[Mapping[str, Any]]: ...
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...
    def mark_of(self, payment_id: str) -> Mapping[str, Any]: ...
    def of_patron(self, event_id: str, patron_email: str) -> Iterable[Mapping[str, Any]]: ...


class OpsRecords(Protocol):
    def made(self, start: int, end: int) -> Iterable[Mapping[str, Any]]: ...


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
        pointers = PointerCheck(self.ledger, self.pause)
        self._take_entries(statement, pointers, before or {})
        if before is None:
            before = self._first_standings(statement, pointers)
            old = set[str]()
        else:
            old = {each for each in before if _share_of(each) == _share_of_day(day)}
        present = self._present(statement, before)
        standings = go_on(statement, before, present)
        for event_id in sorted(old | (self._expiring(statement.day) & before.keys())):
            rows = list(self.ledger.of_event(event_id))
            entries = [(entry, Link.of(entry, row)) for entry, row in entries_in(rows)]
            links = [link for _, link in entries]
            if event_id in old:
                self._name_undated(statement, rows)
                pointers.look_at(_sound(entries, day))
                name_impossible(statement, before[event_id], [*_sound(entries, day)], self.zone)
                examine(statement, standings, event_id, links)
            certify(statement, standings, event_id, links)
        compare_totals(statement, standings, present)
        for entry in pointers.unlinked():
            statement.account(entry.event_id).report_unlinked(entry.seq)
        for account in statement.events:
            account.head = present.heads[account.event_id].last
        for record in self.ops_records.made(*bounds(day, self.zone)):
            statement.add_ops_record(record)
        return statement, standings

    def _take_entries(
        self, statement: Statement, pointers: PointerCheck, before: Standings
    ) -> None:
        find = lru_cache(maxsize=8)(self._find)  # both ask for what an entry is about
        watch = Watch(cash_over_cents=self.cash_over_cents, find=find, has_twin=self._has_twin)
        meaning = Meaning(
            zone=self.zone,
            find=find,
            mark_of=self.ledger.mark_of,
            refunds_of=lru_cache(maxsize=8)(self._refunds_of),
            may_be_gone=lambda each: before.get(each, NEW_EVENT).certificate.through_seq > 0,
        )
        for rows in self.daybook.logged_on(statement.day):
            payment_ids = [row.get("payment_id", "") for row in rows]
            entries = statement.add(rows, self.daybook.deliveries(payment_ids))
            pointers.look_at(_sound(entries))
            for entry, link in entries:
                statement.notable += watch.look_at(entry)
                if link.is_sound and (why := meaning.problem_with(entry)):
                    statement.account(entry.event_id).report_impossible(entry.seq, why)
        for account in statement.events:
            for seq in back_dated(account.links):
                account.report_impossible(seq, BACK_DATED)

    def _present(self, statement: Statement, before: Standings) -> Present:
        heads = self.ledger.heads(sorted({*before, *statement.accounts}))
        ends = ends_of(statement, before)
        return Present(heads=heads, ends=ends, later=self._later_links(statement.day, ends, heads))

    def _later_links(
        self,
        day: str,
        ends: Mapping[str, Continuation],
        heads: Mapping[str, EventHead],
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
                missing_at_the_end(each.end, heads[event_id].last, later.get(event_id, ()))
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
                yield from entries_in(rows)
            each += timedelta(1)

    def _first_standings(self, statement: Statement, pointers: PointerCheck) -> Standings:
        """How every event stood before the first statement, from all its rows."""
        last_day = last_certified_day(statement.day)
        standings: Standings = {}
        for event_id in self.ledger.events():
            if not is_event_id(event_id):
                statement.add_malformed(keys.head(event_id), [NO_EVENT_ID])
                continue
            rows = list(self.ledger.of_event(event_id))
            self._name_undated(statement, rows)
            entries = [(entry, Link.of(entry, row)) for entry, row in entries_in(rows)]
            sound = [*_sound(entries, statement.day)]
            pointers.look_at(sound)
            name_impossible(statement, NEW_EVENT, sound, self.zone)
            links = [link for _, link in entries if link.logged_day < statement.day]
            found = continue_from(BEFORE_THE_FIRST, links)
            if not found.is_whole:
                statement.account(event_id).report(found)
            certificate = NOTHING_EXPIRES
            if len(statement.certificates) < MOST_CERTIFIED:
                certificate = extended(NOTHING_EXPIRES, links, last_day, found.end)
            standings[event_id] = Standing(
                end=found.end,
                certificate=certificate,
                totals=NO_ENTRIES.plus(links) if found.is_whole else None,
            )
            if certificate.through_seq:
                statement.certificates[event_id] = certificate
        return standings

    def _expiring(self, day: str) -> set[str]:
        """The events with entries of the one day that comes within the notice now."""
        last_day = last_certified_day(day)
        return {
            entry.event_id
            for rows in self.daybook.logged_on(last_day)
            for entry, _ in entries_in(rows)
        }

    def _name_undated(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            if undated(row):
                statement.add_malformed(row, undated(row))

    def _find(self, payment_id: PaymentId) -> LedgerEntry | None:
        row = self.ledger.find(payment_id)
        return next((entry for entry, _ in entries_in([row] if row else [])), None)

    def _refunds_of(self, payment: LedgerEntry) -> Sequence[LedgerEntry]:
        """Of the same patron: a refund to another one has a finding of its own."""
        rows = self.ledger.of_patron(payment.event_id, payment.patron_email)
        entries = [(entry, Link.of(entry, row)) for entry, row in entries_in(rows)]
        return refunds_among(_sound(entries))(payment)

    def _has_twin(self, voided: LedgerEntry) -> bool:
        rows = self.ledger.of_patron(voided.event_id, voided.patron_email)
        entries = [entry for entry, _ in entries_in(rows)]
        void = {each.voids for each in entries}
        return any(
            each.kind == "payment"
            and each.amount_cents == voided.amount_cents
            and each.payment_id not in {voided.payment_id, *void}
            for each in entries
        )


def _sound(entries: Entries, but_of_day: str = "") -> Iterator[LedgerEntry]:
    """Entries that are as they were written. but_of_day: whose entries are left out."""
    return (entry for entry, link in entries if link.is_sound and link.logged_day != but_of_day)


def _share_of(event_id: str) -> int:
    return zlib.crc32(event_id.encode()) % SHARES


def _share_of_day(day: str) -> int:
    return date.fromisoformat(day).toordinal() % SHARES
