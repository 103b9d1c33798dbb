"""Which mails the watch looks for, and what it makes of them.

First what is unsettled, then the last days, statements and operators' mails too, then a part of all
entries before: in the end every entry of seven years, again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from functions.audit_mailer.gmail.paced import OutOfTimeError
from functions.audit_mailer.watch.sightings import Round
from functions.audit_mailer.watch.subjects import Subject, entry_subject
from functions.audit_mailer.watch.verdicts import Sighting, roles_of
from shared import keys
from shared.audit.delivery import is_sent
from shared.audit.findings import MailFinding

RECENT_DAYS = 3  # before today: every run looks at their mails
ROUND_ENTRIES = 1_000
OLDEST = timedelta(2_555 + 60)  # rows are deleted some time after seven years


class Ledger(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]: ...
    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Subjects(Protocol):
    def find(self, own_id: str) -> Subject | None: ...
    def besides_entries(self, days: Iterable[str], since: int) -> Iterable[Subject]: ...


class Finder(Protocol):
    def sighting(
        self, subject: Subject, delivery: Mapping[str, Any], *, anew: bool = False
    ) -> Sighting: ...


class Sightings(Protocol):
    def round(self) -> Round: ...
    def keep(self, state: Round) -> None: ...
    def note(
        self,
        before: Mapping[str, Any],
        sighting: Sighting,
        findings: Sequence[MailFinding],
        now: int,
    ) -> None: ...


@dataclass(slots=True)
class Watched:
    """looked_at: whose mails. found: unsettled findings by kind. is_finished: of the last days."""

    looked_at: set[str] = field(default_factory=set)
    settled: int = 0
    found: Counter[str] = field(default_factory=Counter)
    unsettled: list[str] = field(default_factory=list)
    is_finished: bool = False

    @property
    def looked(self) -> int:
        return len(self.looked_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """settle_ms: how long Gmail's search may not show a mail. is_settled: whether a person has.

    report: is told of each unsettled finding. former: recipients whose mails are in another
    mailbox, in lower case. round_days: at the most, of the rest, in a run.
    """

    ledger: Ledger
    subjects: Subjects
    finder: Finder
    sightings: Sightings
    is_settled: Callable[[MailFinding], bool]
    report: Callable[[MailFinding], None]
    former: Collection[str]
    now: int
    settle_ms: int
    round_days: int = 150

    def run(self, today: date, watched: Watched) -> None:
        """Raises DeliveryError when the mailbox cannot be read. What was seen before is kept."""
        state = self.sightings.round()
        waiting, before = list(state.unsettled), list(state.unsettled)
        try:
            while waiting:
                self._look_again(waiting[0], watched)
                waiting.pop(0)
            days = [(today - timedelta(back)).isoformat() for back in range(RECENT_DAYS + 1)]
            for day in days:
                self._look_at_day(day, watched)
            since = self.now - RECENT_DAYS * 24 * 3_600_000
            for subject in self.subjects.besides_entries(days, since):
                self._look(subject, self._delivery(subject.own_id), watched)
            for own_id in before:
                self._keep_open(own_id, watched)
            watched.is_finished = True
            self._go_round(state, today - timedelta(RECENT_DAYS + 1), today - OLDEST, watched)
        except OutOfTimeError:
            pass
        finally:
            state.unsettled = list(dict.fromkeys([*watched.unsettled, *waiting]))
            self.sightings.keep(state)

    def _look_again(self, own_id: str, watched: Watched) -> None:
        subject = self.subjects.find(own_id)
        if subject is not None:
            self._look(subject, self._delivery(own_id), watched)

    def _keep_open(self, own_id: str, watched: Watched) -> None:
        """What a finding is about is gone, too, or cannot be found: nobody has explained that."""
        kind = self._delivery(own_id).get("mailbox_finding")
        if own_id not in watched.looked_at and isinstance(kind, str):
            watched.found[kind] += 1
            watched.unsettled.append(own_id)

    def _delivery(self, own_id: str) -> Mapping[str, Any]:
        return self.ledger.deliveries([own_id]).get(own_id, {})

    def _look_at_day(
        self, day: str, watched: Watched, state: Round | None = None, most: int = 0
    ) -> None:
        """All of a day, or with a state what is left of it."""
        begin = (state.after, state.last) if state else (-1, "")
        for page in self.ledger.logged_on(day):
            rows = sorted(page, key=_place)
            deliveries = self.ledger.deliveries([str(each.get("payment_id")) for each in rows])
            for row in rows:
                place = _place(row)
                payment_id = place[1]
                if place <= begin:
                    continue
                if state is not None and watched.looked >= most:
                    raise OutOfTimeError
                subject = entry_subject(row) if keys.is_key(payment_id) else None
                if subject:
                    delivery = deliveries.get(payment_id, {})
                    self._look(subject, delivery, watched, anew=state is not None)
                if state is not None:
                    state.after, state.last = place

    def _go_round(self, state: Round, newest: date, oldest: date, watched: Watched) -> None:
        most = watched.looked + ROUND_ENTRIES
        for _ in range(self.round_days):
            day = date.fromisoformat(state.day) if state.day else newest
            if not oldest <= day <= newest:
                day, state.after, state.last = newest, 0, ""
            state.day = day.isoformat()
            self._look_at_day(state.day, watched, state, most)
            state.day, state.after, state.last = (day - timedelta(1)).isoformat(), 0, ""

    def _look(
        self, subject: Subject, delivery: Mapping[str, Any], watched: Watched, *, anew: bool = False
    ) -> None:
        """One mail, if it was sent long enough ago. anew: whatever was noted before."""
        sent_at = delivery.get("sent_at")
        if not is_sent(delivery) or subject.own_id in watched.looked_at:
            return
        if type(sent_at) is int and 0 <= self.now - sent_at < self.settle_ms:
            return
        if str(delivery.get("recipient")).lower() in self.former:
            return  # any other address was written there by hand: the mail must be here
        sighting = self.finder.sighting(subject, delivery, anew=anew)
        watched.looked_at.add(subject.own_id)
        findings = list(sighting.findings())
        unsettled = [each for each in findings if not self.is_settled(each)]
        for each in findings:
            if each not in unsettled:
                watched.settled += 1
                self._look_again(each.ops_id, watched)  # what compliance was told must be there
        for each in unsettled:
            watched.found[each.kind] += 1
            self.report(each)
        if unsettled:
            watched.unsettled.append(sighting.own_id)
        if _has_changed(delivery, sighting, unsettled):
            self.sightings.note(delivery, sighting, unsettled, self.now)


def _place(row: Mapping[str, Any]) -> tuple[int, str]:
    return _whole(row.get("logged_at")), str(row.get("payment_id"))


def _whole(value: Any) -> int:
    return value if type(value) is int else 0


def _has_changed(
    delivery: Mapping[str, Any], sighting: Sighting, findings: Sequence[MailFinding]
) -> bool:
    kind = findings[0].kind if findings else None
    has_seen = bool(delivery.get("seen_at")) == bool(sighting.genuine)
    is_same = dict(sighting.roles) == roles_of(delivery)
    is_explained = not (sighting.genuine or findings)
    is_told = bool(delivery.get("mailbox_explained")) == is_explained
    return not (is_same and has_seen and is_told and delivery.get("mailbox_finding") == kind)
