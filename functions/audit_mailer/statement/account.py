"""The daily statement: what the ledger says about one day, and whether numbers are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from shared.delivery import is_sent, last_error, mail_state
from shared.ledger import Head, LedgerEntry, MalformedEntryError, faults_of, matches_its_hash

SCHEMA = "scc.statement/1"
MOST_NAMED = 50  # of each kind, per event; counts are always complete


@dataclass(slots=True)
class Sum:
    """How many, and how much in cents."""

    count: int = 0
    cents: int = 0

    def add(self, count: int, cents: int) -> None:
        self.count += count
        self.cents += cents


@dataclass(frozen=True, slots=True)
class Unmailed:
    """An entry without a mail. state: of its mail."""

    seq: int
    payment_id: str
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class MalformedRow:
    """A row that is not an entry, by its key, and what is wrong with it."""

    pk: str
    sk: str
    faults: Sequence[str]


@dataclass(slots=True)
class EventAccount:
    """One event's part of the day.

    first_seq, last_seq, last_hash: of the day's entries. payments, voids, refunds: by method. head:
    the event's last entry when the statement was made. missing: ranges of numbers without a row, in
    the whole event, not only this day. altered: numbers of rows that are not what was written.
    """

    event_id: str
    event_name: str
    entries: int = 0
    first_seq: int = 0
    last_seq: int = 0
    last_hash: str = ""
    payments: dict[str, Sum] = field(default_factory=dict)
    voids: dict[str, Sum] = field(default_factory=dict)
    refunds: dict[str, Sum] = field(default_factory=dict)
    unmailed: list[Unmailed] = field(default_factory=list)
    unmailed_count: int = 0
    altered: list[int] = field(default_factory=list)
    head: Head = field(default_factory=Head)
    is_head_unreadable: bool = False
    missing: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_head_behind(self) -> bool:
        return not self.is_head_unreadable and self.head.seq < self.last_seq

    def end_at(self, head: Head | None) -> None:
        """Take the event's head as it is now; None if it is there and says nothing."""
        self.head = head or Head()
        self.is_head_unreadable = head is None

    @property
    def net_cents(self) -> int:
        taken = total(self.voids).cents + total(self.refunds).cents
        return total(self.payments).cents - taken

    def add(self, entry: LedgerEntry, row: Mapping[str, Any], delivery: Mapping[str, Any]) -> None:
        self.entries += 1
        self.event_name = entry.event_name
        self.first_seq = min(self.first_seq or entry.seq, entry.seq)
        if entry.seq >= self.last_seq:
            self.last_seq, self.last_hash = entry.seq, entry.hash
        kinds = {"payment": self.payments, "void": self.voids, "refund": self.refunds}
        by_method = kinds[entry.kind]
        by_method.setdefault(entry.method, Sum()).add(1, entry.amount_cents)
        is_sound = not faults_of(row) and matches_its_hash(row)
        if not is_sound and len(self.altered) < MOST_NAMED:
            self.altered.append(entry.seq)
        if not is_sent(delivery):
            self.unmailed_count += 1
            if len(self.unmailed) < MOST_NAMED:
                self.unmailed.append(_unmailed(entry, delivery))


@dataclass(slots=True)
class Statement:
    """day: YYYY-MM-DD, a business day of the zone `timezone` (its IANA name). made_at: epoch ms.

    is_final: the day was over when it was made.
    """

    day: str
    timezone: str
    made_at: int
    is_final: bool
    accounts: dict[str, EventAccount] = field(default_factory=dict)
    malformed: list[MalformedRow] = field(default_factory=list)
    malformed_count: int = 0

    def add(
        self, rows: Sequence[Mapping[str, Any]], deliveries: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Add one page of the day's rows. What a row that is not an entry says is not added up."""
        for row in rows:
            try:
                entry = LedgerEntry.from_row(row)
            except MalformedEntryError:
                self.add_malformed(row, faults_of(row))
                continue
            account = self.accounts.setdefault(
                entry.event_id, EventAccount(entry.event_id, entry.event_name)
            )
            account.add(entry, row, deliveries.get(entry.payment_id, {}))

    def add_malformed(self, row: Mapping[str, Any], faults: Sequence[str]) -> None:
        self.malformed_count += 1
        if len(self.malformed) < MOST_NAMED:
            self.malformed.append(MalformedRow(str(row.get("PK")), str(row.get("SK")), faults))

    @property
    def events(self) -> list[EventAccount]:
        return [self.accounts[each] for each in sorted(self.accounts)]

    @property
    def entries(self) -> int:
        return sum(each.entries for each in self.events)

    @property
    def payments(self) -> dict[str, Sum]:
        return _added(each.payments for each in self.events)

    @property
    def voids(self) -> dict[str, Sum]:
        return _added(each.voids for each in self.events)

    @property
    def refunds(self) -> dict[str, Sum]:
        return _added(each.refunds for each in self.events)

    @property
    def net_cents(self) -> int:
        return sum(each.net_cents for each in self.events)

    @property
    def unmailed_count(self) -> int:
        return sum(each.unmailed_count for each in self.events)

    @property
    def findings(self) -> dict[str, list[str]]:
        """What is wrong, and where: ids and numbers only. Empty when nothing is."""
        found = {
            "GAP in": [
                f"{each.event_id} {numbers(*gap)}" for each in self.events for gap in each.missing
            ],
            "ALTERED": [
                f"{each.event_id} {numbers(seq, seq)}"
                for each in self.events
                for seq in each.altered
            ],
            "HEAD BEHIND in": [each.event_id for each in self.events if each.is_head_behind],
            "HEAD UNREADABLE in": [
                each.event_id for each in self.events if each.is_head_unreadable
            ],
            "MALFORMED ROWS": [str(self.malformed_count)] if self.malformed else [],
            "NOT MAILED": [str(self.unmailed_count)] if self.unmailed_count else [],
        }
        return {kind: places for kind, places in found.items() if places}

    def to_record(self) -> dict[str, Any]:
        """The content of statement.json. Money is in cents."""
        return {
            "schema": SCHEMA,
            "day": self.day,
            "timezone": self.timezone,
            "made_at": self.made_at,
            "is_final": self.is_final,
            "currency": "USD",
            "entries": self.entries,
            "payments": _record_of(self.payments),
            "voids": _record_of(self.voids),
            "refunds": _record_of(self.refunds),
            "net_cents": self.net_cents,
            "not_mailed": self.unmailed_count,
            "malformed_rows": self.malformed_count,
            "malformed": [
                {"pk": each.pk, "sk": each.sk, "faults": list(each.faults)}
                for each in self.malformed
            ],
            "events": [_event_record(each) for each in self.events],
        }


def missing_numbers(seen: Iterable[int], last: int) -> list[tuple[int, int]]:
    """The ranges of numbers from 1 to `last` that were not seen, at most MOST_NAMED of them.

    Takes memory for what was seen, not for what a forged head claims.
    """
    return list(islice(_gaps(seen, last), MOST_NAMED))


def undated(row: Mapping[str, Any]) -> list[str]:
    """Why a row is on no day's statement: without these, it is not in the index by day."""
    return [f"{name} is missing" for name in ("logged_day", "logged_at") if name not in row]


def numbers(first: int, last: int) -> str:
    """#000012, or #000012-#000014."""
    return f"#{first:06d}" if first == last else f"#{first:06d}-#{last:06d}"


def total(sums: Mapping[str, Sum]) -> Sum:
    return Sum(sum(each.count for each in sums.values()), sum(each.cents for each in sums.values()))


def _gaps(seen: Iterable[int], last: int) -> Iterator[tuple[int, int]]:
    first = 1
    for number in sorted({each for each in seen if 0 < each <= last}):
        if first < number:
            yield first, number - 1
        first = number + 1
    if first <= last:
        yield first, last


def _added(parts: Iterable[Mapping[str, Sum]]) -> dict[str, Sum]:
    added: dict[str, Sum] = {}
    for part in parts:
        for method, one in part.items():
            added.setdefault(method, Sum()).add(one.count, one.cents)
    return added


def _unmailed(entry: LedgerEntry, delivery: Mapping[str, Any]) -> Unmailed:
    return Unmailed(
        seq=entry.seq,
        payment_id=entry.payment_id,
        state=mail_state(delivery),
        error=str(last_error(delivery).get("code") or ""),
    )


def _record_of(sums: Mapping[str, Sum]) -> dict[str, Any]:
    whole = total(sums)
    by_method = {name: {"count": each.count, "cents": each.cents} for name, each in sums.items()}
    return {"count": whole.count, "cents": whole.cents, "by_method": by_method}


def _event_record(account: EventAccount) -> dict[str, Any]:
    return {
        "event_id": account.event_id,
        "event_name": account.event_name,
        "entries": account.entries,
        "first_seq": account.first_seq,
        "last_seq": account.last_seq,
        "last_hash": account.last_hash,
        "head_seq": account.head.seq,
        "head_hash": "" if account.is_head_unreadable else account.head.hash,
        "payments": _record_of(account.payments),
        "voids": _record_of(account.voids),
        "refunds": _record_of(account.refunds),
        "net_cents": account.net_cents,
        "missing": [list(each) for each in account.missing],
        "altered": account.altered,
        "not_mailed": account.unmailed_count,
        "not_mailed_entries": [
            {
                "seq": each.seq,
                "payment_id": each.payment_id,
                "state": each.state,
                "error": each.error,
            }
            for each in account.unmailed
        ],
    }
