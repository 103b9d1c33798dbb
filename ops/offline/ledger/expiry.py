"""Certificates of expiry: what may be gone by now, and whether it was what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from ops.offline.ledger.links import INTEGRITY, Anchor, Finding, Link, span_text
from shared.ledger import is_event_id
from shared.methods import counted_as
from shared.statements.expiry import NOTHING_EXPIRES, Certificate, expired, last_day_to_certify


class StatedDay(Protocol):
    """What a final statement says of one event's part of the day. sums: by kind and method."""

    @property
    def event_id(self) -> str: ...
    @property
    def day(self) -> str: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    @property
    def sums(self) -> Mapping[tuple[str, str], tuple[int, int]]: ...


def certificates_in(record: Mapping[str, Any]) -> dict[str, Certificate]:
    """Of one statement, by event.

    Raises KeyError, TypeError or ValueError for what is no statement.
    """
    certificates = {}
    for each in record["expiring"]:
        event_id = each["event_id"]
        if not (isinstance(event_id, str) and is_event_id(event_id)):
            raise ValueError("a certificate names an event as no event is named")
        certificates[event_id] = Certificate.from_record(each)
    return certificates


@dataclass(slots=True)
class Certificates:
    """Those of final statements, by event and by the statement's day."""

    by_event: dict[str, dict[str, Certificate]] = field(default_factory=dict)

    def take(self, certificates: Mapping[str, Certificate], day: str) -> list[Anchor]:
        """Of one statement, by event; returns the entries that they name."""
        anchors = []
        for event_id, certificate in certificates.items():
            self.by_event.setdefault(event_id, {})[day] = certificate
            source = f"the certificate of {day}"
            anchors.append(Anchor(event_id, certificate.through_seq, certificate.hash, source))
        return anchors

    def of(self, event_id: str) -> Certificate:
        """The last one of an event: every one covers all entries from the first."""
        of_event = self.by_event.get(event_id)
        return of_event[max(of_event)] if of_event else NOTHING_EXPIRES

    @property
    def through(self) -> dict[str, int]:
        """Through which number each event's entries may be gone."""
        return {each: self.of(each).through_seq for each in self.by_event}

    def findings(self, links: Iterable[Link], stated: Iterable[StatedDay]) -> Iterator[Finding]:
        """links: sound entries of any events. stated: what statements say of their days."""
        days: dict[str, list[StatedDay]] = {}
        for each in stated:
            days.setdefault(each.event_id, []).append(each)
        covered: dict[str, list[Link]] = {}
        through = self.through
        for link in links:
            if link.seq <= through.get(link.event_id, 0):
                covered.setdefault(link.event_id, []).append(link)
        for event_id, by_day in sorted(self.by_event.items()):
            before = NOTHING_EXPIRES
            for day, certificate in sorted(by_day.items()):
                problem = (
                    _less(before, certificate)
                    or _problem(certificate, day, covered.get(event_id, ()))
                    or _unlike_days(certificate, day, days.get(event_id, ()))
                )
                if problem:
                    detail = f"the certificate of {day} {problem}"
                    last = certificate.through_seq
                    yield Finding(INTEGRITY, event_id, 1, last, "wrong-certificate", "", detail)
                before = certificate

    def notes(self, links: Iterable[Link]) -> Iterator[str]:
        """What is not there and need not be. links: what is there."""
        there: dict[str, set[int]] = {}
        for link in links:
            there.setdefault(link.event_id, set()).add(link.seq)
        for event_id in sorted(self.by_event):
            through = self.of(event_id).through_seq
            gone = through - sum(each <= through for each in there.get(event_id, ()))
            if gone:
                yield (
                    f"{event_id}: {gone} of {span_text(1, through)} not here; their seven years "
                    f"are over, by the certificate of {max(self.by_event[event_id])}"
                )


def _unlike_days(certificate: Certificate, day: str, stated: Sequence[StatedDay]) -> str:
    """What was stated of a day when it was over outlives its entries."""
    last_day = last_day_to_certify(date.fromisoformat(day)).isoformat()
    inside = sorted(
        (each for each in stated if each.first_seq <= certificate.through_seq),
        key=lambda each: each.first_seq,
    )
    young = next((each for each in inside if each.day > last_day), None)
    if young:
        first = span_text(young.first_seq, 0)
        return f"covers {first}, which the statement of {young.day} has"
    reached, nets = 0, Counter[str]()
    for each in inside:
        if each.first_seq != reached + 1:
            return ""  # other days are stated elsewhere
        reached = each.last_seq
        for (kind, method), (_, cents) in each.sums.items():
            nets[method] += cents if kind == "payment" else -cents
    certified = Counter[str]()
    for method, cents in certificate.net_by_method.items():
        certified[counted_as(method)] += cents
    is_equal = all(nets[name] == certified[name] for name in nets | certified)
    is_other = reached == certificate.through_seq and not is_equal
    return "has other sums than the days it covers" if is_other else ""


def _less(before: Certificate, certificate: Certificate) -> str:
    """A later certificate covers more entries."""
    if certificate.through_seq > before.through_seq:
        return ""
    return f"ends at {span_text(certificate.through_seq, 0)}, and an earlier one does not"


def _problem(certificate: Certificate, day: str, links: Sequence[Link]) -> str:
    inside = [each for each in links if each.seq <= certificate.through_seq]
    last_day = last_day_to_certify(date.fromisoformat(day)).isoformat()
    for each in inside:
        if each.logged_day > last_day:
            return f"covers {span_text(each.seq, 0)}, which was logged on {each.logged_day}"
    gone = expired(certificate, inside)
    if not gone.count and (gone.net_by_method or gone.payments_count):
        return "has other sums than its entries"
    return ""
