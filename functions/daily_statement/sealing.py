"""Sealing: one statement a day, in order, made once, signed, and handed to the mailer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from functions.daily_statement.days import due_days
from functions.daily_statement.drawing_up import Draughtsman
from functions.daily_statement.rules.account import Previous, Statement, Whole
from functions.daily_statement.rules.record import (
    Standings,
    heads_record,
    standings_of,
    statement_record,
)
from shared.delivery import is_sent, needs_message
from shared.evidence import EvidenceDamagedError, SealedStatement
from shared.ledger import business_date, canonical_json
from shared.statement import StatementPlace

GRACE_MS = 60 * 60 * 1000  # how long a statement that was handed over is left to the mailer
DAYS_WATCHED = 60  # how far back a sealed statement without a mail is looked for


class ZoneChangedError(Exception):
    """The stack's business days are another zone's than those that were sealed."""


class Evidence(Protocol):
    def sealed_days(self) -> list[str]: ...
    def sealed(self, day: str) -> SealedStatement | None: ...
    def heads(self, sealed: SealedStatement) -> Mapping[str, Any]: ...
    def signature(self, place: StatementPlace) -> bytes | None: ...
    def keep_heads(self, day: str, content: bytes, sha256: str) -> None: ...
    def seal(self, day: str, content: bytes) -> bool: ...
    def sign(self, place: StatementPlace, signature: bytes) -> None: ...
    def keep_for_a_while(self, place: StatementPlace, content: bytes) -> None: ...


class Key(Protocol):
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

    def due(self) -> list[str]:
        """Days that are over and not sealed, oldest first."""
        sealed = self.evidence.sealed_days()
        today = business_date(self.now(), self.zone)
        return due_days(sealed[-1] if sealed else None, today, self.has_entries)

    def is_sealed(self, day: str) -> bool:
        return day in self.evidence.sealed_days()

    def seal(self, day: str) -> Statement | None:
        """Make the day's statement once, and hand it over; None if it was made before.

        Days must be sealed in their order. Raises ZoneChangedError or EvidenceDamagedError.
        """
        days = self.evidence.sealed_days()
        if days and day <= days[-1]:
            return None
        statement, standings = self._drawn_up(day, self._last(days))
        self._keep_heads(statement, standings)
        if not self.evidence.seal(day, canonical_json(statement_record(statement))):
            return None  # somebody else's run was faster
        sealed = self.evidence.sealed(day)
        if sealed is None:
            raise EvidenceDamagedError(f"the statement of {day} was stored and is not there")
        self._hand_over(sealed.place, sealed.content)
        return statement

    def make_so_far(self, day: str) -> Statement:
        """A statement of a day that is not over: outside the chain, and not kept for long."""
        statement, standings = self._drawn_up(day, self._last(self.evidence.sealed_days()))
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
        until a day that is mailed: the mailer keeps their order.
        """
        unmailed = []
        for day in reversed(self.evidence.sealed_days()[-DAYS_WATCHED:]):
            sealed = self.evidence.sealed(day)
            if sealed is None:
                continue
            place = sealed.place
            delivery = self.deliveries([place.delivery_id]).get(place.delivery_id, {})
            if is_sent(delivery):
                break
            unmailed.append(day)
            is_new = self.now() - int(sealed.record["made_at"]) < GRACE_MS
            if not is_new and needs_message(delivery, self.now(), GRACE_MS):
                self._hand_over(place, sealed.content)
        return unmailed[::-1]

    def _last(self, days: Sequence[str]) -> SealedStatement | None:
        last = self.evidence.sealed(days[-1]) if days else None
        if last and last.record["timezone"] != self.zone.key:
            raise ZoneChangedError(
                f"the sealed days are those of {last.record['timezone']}, and BusinessTimezone is "
                f"{self.zone.key}: another zone is another stack"
            )
        return last

    def _drawn_up(self, day: str, last: SealedStatement | None) -> tuple[Statement, Standings]:
        before = standings_of(self.evidence.heads(last)) if last else None
        statement, standings = self.draughtsman.draw_up(day, before)
        statement.key_sha256 = self.key.sha256
        statement.previous = Previous(day=last.day, sha256=last.sha256) if last else None
        return statement, standings

    def _keep_heads(self, statement: Statement, standings: Standings) -> None:
        heads = canonical_json(heads_record(statement.day, standings))
        sha256 = hashlib.sha256(heads).hexdigest()
        self.evidence.keep_heads(statement.day, heads, sha256)
        _sum_up(statement, standings, sha256)

    def _hand_over(self, place: StatementPlace, content: bytes) -> None:
        """Whatever stopped an earlier run: the signature is the same, and a mail is sent once."""
        if self.evidence.signature(place) is None:
            self.evidence.sign(place, self.key.sign(content))
        self.outbox.send(place)


def _sum_up(statement: Statement, standings: Standings, heads_sha256: str) -> None:
    statement.whole = Whole(
        events=len(standings),
        entries=sum(each.end.seq for each in standings.values()),
        heads_sha256=heads_sha256,
    )
