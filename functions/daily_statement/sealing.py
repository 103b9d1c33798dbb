"""Sealing: one statement a day, in order, made once, signed, and handed to the mailer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from functions.daily_statement import genuine
from functions.daily_statement.days import due_days
from functions.daily_statement.drawing_up import Draughtsman
from functions.daily_statement.genuine import GenuineStatements
from functions.daily_statement.rules.account import Previous, Statement, Whole
from functions.daily_statement.rules.evidence import EXCHANGED, Damage, Sealed, is_sealed_key
from functions.daily_statement.rules.record import (
    Standings,
    heads_record,
    previous_of,
    standings_of,
    statement_record,
)
from functions.daily_statement.rules.sealed_chain import SealedChain, days_until, runs_of_night
from shared.audit.delivery import is_sent, needs_message
from shared.ledger import business_date, canonical_json
from shared.statements.bucket import EvidenceDamagedError, Listing, SealedStatement
from shared.statements.places import StatementPlace

GRACE_MS = 60 * 60 * 1000  # how long a statement that was handed over is left to the mailer
SETTLE_MS = 5 * 60 * 1000  # after midnight, so that a day's last second is in the ledger
DAYS_WATCHED = 60  # how far back a sealed statement without a mail is looked for


class ZoneChangedError(Exception):
    """The stack's business days are another zone's than those that were sealed."""


class Evidence(genuine.Evidence, Protocol):
    def sealed_days(self) -> list[str]: ...
    def sealed_objects(self) -> Listing: ...
    def as_listed(self, listing: Listing) -> genuine.Evidence: ...
    def heads(self, sealed: SealedStatement) -> Mapping[str, Any]: ...
    def keep_heads(self, day: str, content: bytes, sha256: str) -> None: ...
    def seal(self, day: str, content: bytes) -> bool: ...
    def sign(self, place: StatementPlace, signature: bytes) -> None: ...
    def keep_for_a_while(self, place: StatementPlace, content: bytes) -> None: ...


class Key(genuine.Key, Protocol):
    @property
    def sha256(self) -> str: ...
    def sign(self, content: bytes) -> bytes: ...


class Outbox(Protocol):
    def send(self, place: StatementPlace) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """zone: of business days. now: returns epoch milliseconds.

    has_entries: whether anything was logged on a day. deliveries: items of AuditDeliveries by id.
    """

    draughtsman: Draughtsman
    evidence: Evidence
    key: Key
    outbox: Outbox
    has_entries: Callable[[str], bool]
    deliveries: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]
    zone: ZoneInfo
    now: Callable[[], int]

    def today(self) -> date:
        """The business day that is not over. The clocks of those who log may differ a little."""
        return business_date(self.now() - SETTLE_MS, self.zone)

    def due(self) -> list[str]:
        """Days that are over and not sealed, oldest first."""
        sealed = self._sealed_days()
        return due_days(sealed[-1] if sealed else None, self.today(), self.has_entries)

    def is_sealed(self, day: str) -> bool:
        return day in self._sealed_days()

    def seal(self, day: str) -> Statement | None:
        """Make the day's statement once, and hand it over; None if it was made before.

        Days must be sealed in their order. Raises ZoneChangedError or EvidenceDamagedError.
        """
        days = self._sealed_days()
        if days and day <= days[-1]:
            return None
        statement, standings = self._drawn_up(day, self._last(days), is_final=True)
        self._keep_heads(statement, standings)
        content = canonical_json(statement_record(statement))
        place = StatementPlace(day=day, final=True, sha256=hashlib.sha256(content).hexdigest())
        # First: whatever lies in the bucket without a signature is not ours, and is never signed.
        self.evidence.sign(place, self.key.sign(content))
        if not self.evidence.seal(day, content):
            return None  # somebody else's run was faster
        self.outbox.send(place)
        return statement

    def make_so_far(self, day: str) -> Statement:
        """A statement of a day that is not over: outside the chain, and not kept for long."""
        statement, standings = self._drawn_up(day, self._last(self._sealed_days()), is_final=False)
        heads = canonical_json(heads_record(day, standings))
        _sum_up(statement, standings, hashlib.sha256(heads).hexdigest())
        content = canonical_json(statement_record(statement))
        place = StatementPlace(day=day, final=False, sha256=hashlib.sha256(content).hexdigest())
        self.evidence.keep_for_a_while(place, content)
        self.evidence.sign(place, self.key.sign(content))
        self.outbox.send(place)
        return statement

    def hand_over_unmailed(self) -> list[str]:
        """Hand over again what was sealed, is not mailed, and waits with no mailer.

        Returns the days that are not mailed, those with a mailer too, oldest first. Looks back
        until a day that is mailed: the mailer keeps their order. What is damaged is never mailed.
        """
        unmailed = []
        for day in reversed(self._sealed_days()[-DAYS_WATCHED:]):
            try:
                sealed = self._genuine.of(day)
            except EvidenceDamagedError:
                unmailed.append(day)
                continue
            place = sealed.place
            delivery = self.deliveries([place.delivery_id]).get(place.delivery_id, {})
            if is_sent(delivery):
                break
            unmailed.append(day)
            is_new = self.now() - int(sealed.record["made_at"]) < GRACE_MS
            if not is_new and needs_message(delivery, self.now(), GRACE_MS):
                self.outbox.send(place)
        return unmailed[::-1]

    @property
    def _genuine(self) -> GenuineStatements:
        return GenuineStatements(self.evidence, self.key)

    def _sealed_days(self) -> list[str]:
        """Without days that are not over: whatever lies there for one of these is not ours."""
        today = self.today().isoformat()
        return [each for each in self.evidence.sealed_days() if each < today]

    def _last(self, days: Sequence[str]) -> SealedStatement | None:
        last = self._genuine.of(days[-1]) if days else None
        if last and last.record["timezone"] != self.zone.key:
            raise ZoneChangedError(
                f"the sealed days are those of {last.record['timezone']}, and BusinessTimezone is "
                f"{self.zone.key}: another zone is another stack"
            )
        return last

    def _drawn_up(
        self, day: str, last: SealedStatement | None, *, is_final: bool
    ) -> tuple[Statement, Standings]:
        before = standings_of(self.evidence.heads(last)) if last else None
        statement, standings = self.draughtsman.draw_up(day, before, is_final=is_final)
        statement.key_sha256 = self.key.sha256
        previous = previous_of(last.day, last.sha256, last.record) if last else None
        statement.previous = previous
        statement.damages = self._damages(day, previous)
        known = previous.number if previous else 0
        statement.number = None if known is None else known + 1
        return statement, standings

    def _damages(self, day: str, previous: Previous | None) -> list[Damage]:
        """What happened to what was sealed before this day."""
        listing = self.evidence.sealed_objects()
        there = GenuineStatements(self.evidence.as_listed(listing), self.key)
        days = None
        if previous is None:
            days = []
        elif previous.number is not None:
            days = days_until(previous.day, previous.number)
        sealed = Sealed(
            versions={
                key: len(each) for key, each in listing.versions.items() if is_sealed_key(key)
            },
            hidden={each for each in listing.hidden if is_sealed_key(each)},
            day=day,
            days=days,
            exchanged=_exchanged(there, days or (), day, previous),
            are_mailed=self._mailed,
            sha256_of=there.sha256_of,
        )
        return sealed.damages()

    def _mailed(self, places: Sequence[StatementPlace]) -> set[StatementPlace]:
        found = self.deliveries([each.delivery_id for each in places])
        return {each for each in places if each.delivery_id in found}

    def _keep_heads(self, statement: Statement, standings: Standings) -> None:
        heads = canonical_json(heads_record(statement.day, standings))
        sha256 = hashlib.sha256(heads).hexdigest()
        self.evidence.keep_heads(statement.day, heads, sha256)
        _sum_up(statement, standings, sha256)


def _exchanged(
    there: GenuineStatements, days: Sequence[str], night: str, previous: Previous | None
) -> set[str]:
    """Of the days read tonight; of the others, those that the statement before named."""
    runs = runs_of_night(days, night)
    damages = previous.damages if previous else ()
    named = {each.day for each in damages if each.what == EXCHANGED}
    chain = SealedChain(read=there.kept, is_signed=there.has)
    return {*chain.exchanged(runs), *(named - {day for run in runs for day in run})}


def _sum_up(statement: Statement, standings: Standings, heads_sha256: str) -> None:
    statement.whole = Whole(
        events=sum(each.end.seq > 0 for each in standings.values()),
        entries=sum(each.end.seq for each in standings.values()),
        heads_sha256=heads_sha256,
    )
