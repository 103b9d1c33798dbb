"""What the ledger says about one business day: sums, gaps, and what is not as it was written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.daily_statement.rows import (
    LONGEST_ADDRESS,
    MalformedRow,
    clipped,
    entry_in,
    faults_in,
)
from functions.daily_statement.rules.continuity import MOST_NAMED, Continuation, Link, numbers
from functions.daily_statement.rules.evidence import Damage
from functions.daily_statement.rules.notable import Notable
from functions.daily_statement.rules.sums import Sums
from shared.audit.delivery import is_sent, last_error, mail_state
from shared.ledger import Head, LedgerEntry, MalformedEntryError, canonical_json
from shared.statements.expiry import Certificate

NO_OPS_RECORD = "a record of operators that holds what no record of ours does"
MOST_OPS_RECORDS = 1_000  # of a day; the others are counted as malformed rows
_OPS_ID = re.compile(r"[A-Za-z0-9._+@-]{1,200}")  # what a header of its mail can hold


@dataclass(frozen=True, slots=True)
class Unmailed:
    """An entry without a mail. state: of its mail."""

    seq: int
    payment_id: str
    state: str
    error: str


@dataclass(slots=True)
class EventAccount:
    """One event's part of the day.

    links: the day's entries as links of the chain. head: the event's last entry when the statement
    was made, None if it cannot be read. missing: ranges of numbers without a row. altered: numbers
    of rows that are not what was written. unlinked: numbers of rows that no pointer leads to.
    impossible: numbers of entries that the API never writes, each with the reason in words.
    rewritten: in words, why the chain is no longer the one that the statement before knew; empty
    when it is. totals_differ: in words, what its head says unlike its entries.
    """

    event_id: str
    event_name: str = ""
    sums: Sums = field(default_factory=Sums)
    links: list[Link] = field(default_factory=list)
    head: Head | None = field(default_factory=Head)
    missing: list[tuple[int, int]] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)
    unlinked: list[int] = field(default_factory=list)
    impossible: dict[int, str] = field(default_factory=dict)
    unmailed: list[Unmailed] = field(default_factory=list)
    unmailed_count: int = 0
    rewritten: str = ""
    totals_differ: str = ""

    def add(self, entry: LedgerEntry, link: Link, delivery: Mapping[str, Any]) -> None:
        self.event_name = clipped(entry.event_name)
        if link.is_sound:
            self.sums.add(entry)
        self.links.append(link)
        if not is_sent(delivery):
            self.unmailed_count += 1
            if len(self.unmailed) < MOST_NAMED:
                self.unmailed.append(_unmailed(entry, delivery))

    def report(self, found: Continuation) -> None:
        """Take what is wrong with some of the event's entries, each fault once."""
        self.missing = _joined(self.missing, found.missing)
        self.altered = _joined(self.altered, found.altered)
        if found.broken_at and not self.rewritten:
            self.rewritten = f"{number(found.broken_at)} does not follow the entry before it"

    def report_unlinked(self, seq: int) -> None:
        self.unlinked = _joined(self.unlinked, [seq])

    def report_impossible(self, seq: int, why: str) -> None:
        if len(self.impossible) < MOST_NAMED:
            self.impossible.setdefault(seq, why)

    @property
    def first(self) -> int:
        return min((each.seq for each in self.links), default=0)

    @property
    def last(self) -> tuple[int, str]:
        """Number and hash of the day's last entry."""
        last = max(self.links, key=lambda each: each.seq, default=None)
        return (last.seq, last.hash) if last else (0, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The sealed statement before this one. sha256: of its bytes.

    number: as in a statement, None if it does not say. damages: those that it named.
    """

    day: str
    sha256: str
    number: int | None = None
    damages: frozenset[Damage] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The whole ledger at the end of the day. heads_sha256: of the list of all events' heads."""

    events: int
    entries: int
    heads_sha256: str


@dataclass(slots=True)
class Statement:
    """day: YYYY-MM-DD, a business day of the zone `timezone` (its IANA name). made_at: epoch ms.

    number: of the sealed statements, from 1; None if those before do not say. damages: what
    happened to sealed statements, old and new.
    is_final: the day was over when it was made. previous: None for the first one. by_admin: sums by
    who logged. certificates: of entries that expire soon, by event. ops_records: SHA-256 by id.
    """

    day: str
    timezone: str
    made_at: int
    is_final: bool
    key_sha256: str = ""
    number: int | None = None
    previous: Previous | None = None
    damages: list[Damage] = field(default_factory=list)
    whole: Whole = Whole(events=0, entries=0, heads_sha256="")
    sums: Sums = field(default_factory=Sums)
    accounts: dict[str, EventAccount] = field(default_factory=dict)
    by_admin: dict[str, tuple[str, Sums]] = field(default_factory=dict)
    notable: list[Notable] = field(default_factory=list)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    ops_records: dict[str, str] = field(default_factory=dict)
    malformed: list[MalformedRow] = field(default_factory=list)
    malformed_count: int = 0

    def add(
        self, rows: Sequence[Mapping[str, Any]], deliveries: Mapping[str, Mapping[str, Any]]
    ) -> list[tuple[LedgerEntry, Link]]:
        """Add one page of the day's rows; returns those that are entries.

        What a row that is not an entry, or is not as it was written, says is in no sum.
        """
        entries = []
        for row in rows:
            try:
                entry = entry_in(row)
            except MalformedEntryError:
                self.add_malformed(row, faults_in(row))
                continue
            link = Link.of(entry, row)
            entries.append((entry, link))
            self.account(entry.event_id).add(entry, link, deliveries.get(entry.payment_id, {}))
            if link.is_sound:
                self.sums.add(entry)
                who = clipped(entry.logged_by, LONGEST_ADDRESS)
                name = clipped(entry.logged_by_name)
                self.by_admin.setdefault(who, (name, Sums()))[1].add(entry)
        return entries

    def add_malformed(self, row: Mapping[str, Any], faults: Sequence[str]) -> None:
        self.malformed_count += 1
        if len(self.malformed) < MOST_NAMED:
            self.malformed.append(MalformedRow.of(row, faults))

    def add_ops_record(self, record: Mapping[str, Any]) -> None:
        """By the hash of its canonical form, which is the attachment of its mail."""
        ops_id = str(record["ops_id"])
        if not _OPS_ID.fullmatch(ops_id) or len(self.ops_records) >= MOST_OPS_RECORDS:
            self.add_malformed({"PK": ops_id, "SK": record.get("part")}, [NO_OPS_RECORD])
            return
        try:
            self.ops_records[ops_id] = hashlib.sha256(canonical_json(record)).hexdigest()
        except (TypeError, ValueError):
            self.add_malformed({"PK": ops_id, "SK": record.get("part")}, [NO_OPS_RECORD])

    def account(self, event_id: str) -> EventAccount:
        return self.accounts.setdefault(event_id, EventAccount(event_id))

    @property
    def events(self) -> list[EventAccount]:
        return [self.accounts[each] for each in sorted(self.accounts)]

    def is_new(self, damage: Damage) -> bool:
        """Whether the statement before did not name it: what was named once is no new alarm."""
        return self.previous is None or damage not in self.previous.damages

    @property
    def unmailed_count(self) -> int:
        return sum(each.unmailed_count for each in self.events)

    @property
    def findings(self) -> dict[str, list[str]]:
        """What is wrong, and where: ids and numbers only. Empty when nothing is."""
        found = {
            "REWRITTEN": [each.event_id for each in self.events if each.rewritten],
            "GAP in": [
                f"{each.event_id} {numbers(*gap)}" for each in self.events for gap in each.missing
            ],
            "ALTERED": [
                f"{each.event_id} {number(seq)}" for each in self.events for seq in each.altered
            ],
            "UNLINKED": [
                f"{each.event_id} {number(seq)}" for each in self.events for seq in each.unlinked
            ],
            "IMPOSSIBLE": [
                f"{each.event_id} {number(seq)}" for each in self.events for seq in each.impossible
            ],
            "HEAD UNREADABLE in": [each.event_id for each in self.events if each.head is None],
            "TOTALS in": [each.event_id for each in self.events if each.totals_differ],
            "EVIDENCE": [
                *dict.fromkeys(
                    each.day or "statements" for each in self.damages if self.is_new(each)
                )
            ],
            "MALFORMED ROWS": [str(self.malformed_count)] if self.malformed else [],
            "NOT MAILED": [str(self.unmailed_count)] if self.unmailed_count else [],
        }
        return {kind: places for kind, places in found.items() if places}


def undated(row: Mapping[str, Any]) -> list[str]:
    """Why a row is on no day's statement: without these, it is not in the index by day."""
    return [f"{name} is missing" for name in ("logged_day", "logged_at") if name not in row]


def number(seq: int) -> str:
    return numbers(seq, seq)


def _joined(known: Sequence[Any], more: Sequence[Any]) -> list[Any]:
    return sorted({*known, *more})[:MOST_NAMED]


def _unmailed(entry: LedgerEntry, delivery: Mapping[str, Any]) -> Unmailed:
    return Unmailed(
        seq=entry.seq,
        payment_id=clipped(entry.payment_id),
        state=mail_state(delivery),
        error=clipped(str(last_error(delivery).get("code") or "")),
    )
