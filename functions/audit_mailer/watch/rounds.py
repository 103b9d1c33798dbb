"""Which entries the watch looks at, and what it makes of them.

First what is unsettled, then the last days, then a part of everything before: in the end every mail
of seven years, again and again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from functions.audit_mailer.gmail.mailbox import MOST_FOUND, FoundMail, Receipt
from functions.audit_mailer.gmail.paced import OutOfTimeError
from functions.audit_mailer.mails.copies import is_misplaced
from functions.audit_mailer.watch.sightings import Round
from functions.audit_mailer.watch.verdicts import Sighting, role_of, still_known
from shared.daybook import is_key
from shared.delivery import is_sent
from shared.findings import MailFinding
from shared.ledger import canonical_json, problem_with, record_of
from shared.text import search_token

RECENT_DAYS = 3  # before today: every run looks at their mails
ROUND_DAYS = 150  # at the most, of the rest, in a run
ROUND_ENTRIES = 1_000
OLDEST = timedelta(2_555 + 60)  # rows are deleted some time after seven years


class Ledger(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]: ...
    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Rows(Protocol):
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...


class Reader(Protocol):
    def search(self, query: str) -> list[Receipt]: ...
    def read(self, gmail_id: str) -> FoundMail | None: ...


class Sightings(Protocol):
    def round(self) -> Round: ...
    def keep(self, state: Round) -> None: ...
    def note(self, sighting: Sighting, findings: Sequence[MailFinding], now: int) -> None: ...


@dataclass(slots=True)
class Watched:
    """looked: entries. found: unsettled findings by kind. is_finished: of the last days."""

    looked: int = 0
    settled: int = 0
    found: Counter[str] = field(default_factory=Counter)
    unsettled: list[str] = field(default_factory=list)
    is_finished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """settle_ms: how long Gmail's search may not show a mail. is_settled: whether a person has.

    report: is told of each unsettled finding. recipient: whose mailbox it is.
    """

    ledger: Ledger
    rows: Rows
    reader: Reader
    sightings: Sightings
    is_settled: Callable[[MailFinding], bool]
    report: Callable[[MailFinding], None]
    recipient: str
    now: int
    settle_ms: int

    def run(self, today: date) -> Watched:
        """Raises DeliveryError when the mailbox cannot be read. What was seen is kept."""
        state, watched = self.sightings.round(), Watched()
        waiting = list(state.unsettled)
        try:
            while waiting:
                self._look_again(waiting[0], watched)
                waiting.pop(0)
            for back in range(RECENT_DAYS + 1):
                self._look_at_day((today - timedelta(back)).isoformat(), watched)
            watched.is_finished = True
            self._go_round(state, today - timedelta(RECENT_DAYS + 1), today - OLDEST, watched)
        except OutOfTimeError:
            pass
        finally:
            state.unsettled = list(dict.fromkeys([*watched.unsettled, *waiting]))
            self.sightings.keep(state)
        return watched

    def _look_again(self, payment_id: str, watched: Watched) -> None:
        row = self.rows.find(payment_id)
        if row is not None:
            self._look(row, self.ledger.deliveries([payment_id]).get(payment_id, {}), watched)

    def _look_at_day(
        self, day: str, watched: Watched, state: Round | None = None, most: int = 0
    ) -> None:
        """All of a day, or with a state what is left of it."""
        known = set(watched.unsettled)  # looked at in this run
        for rows in self.ledger.logged_on(day):
            deliveries = self.ledger.deliveries([str(each.get("payment_id")) for each in rows])
            for row in rows:
                at, payment_id = row.get("logged_at"), str(row.get("payment_id"))
                if state is not None and type(at) is int and at <= state.after:
                    continue
                if state is not None and watched.looked >= most:
                    raise OutOfTimeError
                if payment_id not in known:
                    self._look(row, deliveries.get(payment_id, {}), watched)
                if state is not None and type(at) is int:
                    state.after = at

    def _go_round(self, state: Round, newest: date, oldest: date, watched: Watched) -> None:
        most = watched.looked + ROUND_ENTRIES
        for _ in range(ROUND_DAYS):
            day = date.fromisoformat(state.day) if state.day else newest
            if not oldest <= day <= newest:
                day, state.after = newest, 0
            state.day = day.isoformat()
            self._look_at_day(state.day, watched, state, most)
            state.day, state.after = (day - timedelta(1)).isoformat(), 0

    def _look(self, row: Mapping[str, Any], delivery: Mapping[str, Any], watched: Watched) -> None:
        """One entry. A row that is not as it was written is named by others, and has no mail."""
        sent_at, payment_id = delivery.get("sent_at"), row.get("payment_id")
        if not is_sent(delivery) or not is_key(payment_id) or problem_with(row):
            return
        if type(sent_at) is int and self.now - sent_at < self.settle_ms:
            return
        if delivery.get("recipient", self.recipient) != self.recipient:
            return  # it went to another mailbox, before the stack's recipient changed
        sighting = self._sighting(row, delivery)
        watched.looked += 1
        findings = list(sighting.findings())
        unsettled = [each for each in findings if not self.is_settled(each)]
        watched.settled += len(findings) - len(unsettled)
        for each in unsettled:
            watched.found[each.kind] += 1
            self.report(each)
        if unsettled:
            watched.unsettled.append(sighting.payment_id)
        if _has_changed(delivery, sighting, unsettled):
            self.sightings.note(sighting, unsettled, self.now)

    def _sighting(self, row: Mapping[str, Any], delivery: Mapping[str, Any]) -> Sighting:
        payment_id = str(row["payment_id"])
        sha256 = hashlib.sha256(canonical_json(record_of(row))).hexdigest()
        there = [each.gmail_id for each in self.reader.search(f'"{search_token(payment_id)}"')]
        roles = still_known(_roles(delivery), there)
        for each in there:
            if each not in roles:
                self._take(each, payment_id, sha256, roles)
        sighting = Sighting(payment_id, roles)
        if not sighting.genuine or len(there) >= MOST_FOUND:  # a search may miss it
            for each in dict.fromkeys([*_roles(delivery), str(delivery.get("gmail_id") or "")]):
                if each and each not in roles:
                    self._take(each, payment_id, sha256, roles)
        return sighting

    def _take(self, gmail_id: str, payment_id: str, sha256: str, roles: dict[str, str]) -> None:
        """Read a mail. One in the trash or in spam is none."""
        found = self.reader.read(gmail_id)
        if found is not None and not is_misplaced(found.labels):
            roles[gmail_id] = role_of(found.raw, payment_id, sha256)


def _roles(delivery: Mapping[str, Any]) -> dict[str, str]:
    """What an earlier run read. Whoever edits a table by hand writes anything."""
    mails = delivery.get("mails")
    if not isinstance(mails, Mapping):
        return {}
    return {name: role for name, role in mails.items() if isinstance(role, str)}


def _has_changed(
    delivery: Mapping[str, Any], sighting: Sighting, findings: Sequence[MailFinding]
) -> bool:
    kind = findings[0].kind if findings else None
    has_seen = bool(delivery.get("seen_at")) == bool(sighting.genuine)
    is_same = dict(sighting.roles) == _roles(delivery)
    return not (is_same and has_seen and delivery.get("mailbox_finding") == kind)
