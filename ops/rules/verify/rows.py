"""Is the ledger intact? Pure rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Protocol

from ops.offline.ledger.chain import check_chain
from ops.offline.ledger.links import (
    COMPLETENESS,
    INTEGRITY,
    Anchor,
    Finding,
    Link,
    found,
    link_of,
    merged,
    ranges,
)
from ops.offline.settled import Settled
from ops.rules.heads import EventHead
from shared.ledger import RETENTION_SECONDS
from shared.statements.expiry import NOTHING_EXPIRES, Certificate, expired

RETENTION_NEAR = 365 * 24 * 60 * 60  # seconds; entries of an event may be a year apart


class Places(Protocol):
    """What the Ledger table says about where entries are and which are voided."""

    def of(self, payment_id: str) -> tuple[Any, Any] | None: ...
    def void_of(self, payment_id: str) -> str: ...
    def mark_of(self, payment_id: str) -> str: ...
    def lost(self, event_id: str, known: Collection[str], expired: int) -> Collection[str]: ...


@dataclass(slots=True)
class EventProof:
    """What was found about one event. head: its chain's last number, 0 without one.

    settled: what is wrong with its mails, and was explained by a person.

    certificate: of entries that may be gone. expired: how many of them are.
    totals_compared: whether the head's totals could be held against the entries; not while one of
    them is missing or is not as it was written.
    """

    event_id: str
    head: int = 0
    certificate: Certificate = NOTHING_EXPIRES
    expired: int = 0
    links: list[Link] = field(default_factory=list)
    ledger: list[Finding] = field(default_factory=list)
    mailbox: list[Finding] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    anchored: set[int] = field(default_factory=set)
    totals_compared: bool = True

    @property
    def unanchored(self) -> str:
        return ranges({each.seq for each in self.links} - self.anchored)

    @property
    def is_missing_something(self) -> bool:
        """An index that lags looks the same for a moment."""
        return any(each.kind.startswith("missing") for each in self.ledger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What every event is checked with. zone: of business days. now: epoch milliseconds."""

    places: Places
    zone: tzinfo
    now: int


def prove(
    event_id: str,
    rows: Iterable[Mapping[str, Any]],
    read_head: Callable[[], Mapping[str, Any]],
    ledger: Ledger,
    anchors: Sequence[Anchor] = (),
    certificate: Certificate = NOTHING_EXPIRES,
) -> EventProof:
    """Check one event's rows against their hashes, each other, the head and the mails.

    The head is read after the rows, so no row is newer than the head. certificate: of entries that
    may be gone.
    """
    proof = EventProof(event_id, certificate=certificate)
    findings: list[Finding] = []
    unlinked: list[Finding] = []
    for row in rows:
        try:
            link = link_of(row)
        except ValueError as error:
            where = f"the row at {row.get('PK')!r}, {row.get('SK')!r}: {error}"
            findings.append(Finding(INTEGRITY, event_id, 0, 0, "unreadable", "", where))
            continue
        proof.links.append(link)
        unlinked += _wrong_places(link, row, ledger.places)
    head = EventHead.of(read_head())
    proof.head = head.seq
    own = [*anchors]
    findings += [
        Finding(INTEGRITY, event_id, 0, 0, "unreadable", "", f"the event's head: {fault}")
        for fault in head.faults
    ]
    if head.seq:
        own.append(Anchor(event_id, head.seq, head.hash, "the event's head"))
    elif (proof.links or certificate.through_seq) and not head.faults:
        findings.append(Finding(COMPLETENESS, event_id, 0, 0, "missing-head"))
    inside = [each for each in proof.links if not head.seq or each.seq <= head.seq]
    for each in proof.links:
        if head.seq and each.seq > head.seq:
            detail = f"the event's head is #{head.seq:06d}"
            findings.append(found(INTEGRITY, each, "inserted", detail))
    if inside or own:
        chain = check_chain(inside, own, ledger.zone, min(certificate.through_seq, head.seq))
        findings += [_with_retention(each, proof, head, ledger.now) for each in chain]
    gone = expired(certificate, (each for each in proof.links if each.is_sound))
    proof.expired = gone.count
    if not any(each.kind == "missing" for each in findings):
        findings += _lost(proof, ledger.places)
    named = {each.seq for each in findings}
    findings += [each for each in unlinked if each.seq not in named]
    is_sound = all(each.is_sound for each in proof.links)
    is_whole = is_sound and len(proof.links) + gone.count == head.seq
    proof.totals_compared = (is_whole and not findings) or not head.seq
    if proof.totals_compared:
        findings += head.wrong_totals(event_id, proof.links, gone)
    proof.ledger = merged(findings)
    return proof


def out_of_reach(rows: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Of rows that no query of an event finds, those that say no event or no time."""
    for row in rows:
        lacking = [name for name in ("event_id", "timestamp") if name not in row]
        if lacking:
            where = f"the row at {row.get('PK')!r}, {row.get('SK')!r}"
            detail = f"{where}: {' and '.join(lacking)} missing, so that no event has it"
            yield Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail[:500])


def _wrong_places(link: Link, row: Mapping[str, Any], places: Places) -> Iterator[Finding]:
    place = places.of(link.payment_id)
    if place != (row.get("PK"), row.get("SK")):
        detail = "no pointer leads to it" if place is None else "its pointer leads elsewhere"
        yield found(INTEGRITY, link, "unlinked", detail)
    if link.kind == "void" and places.void_of(link.about) != link.payment_id:
        detail = f"the void's mark of {link.about} does not name it"
        yield found(INTEGRITY, link, "unlinked", detail)
    void_id = places.mark_of(link.payment_id)
    if void_id and places.of(void_id) is None:
        detail = f"it is marked as voided by {void_id[:60]}, which is not there"
        yield found(INTEGRITY, link, "unlinked", detail)


def _lost(proof: EventProof, places: Places) -> Iterator[Finding]:
    """Entries whose pointer is there and whose row is not; their numbers are not known.

    As many may be gone as have expired: pointers stay.
    """
    known = {each.payment_id for each in proof.links}
    lost = places.lost(proof.event_id, known, proof.expired)
    detail = "its pointer is there, its row is not"
    if proof.expired:
        detail = f"of {proof.expired + len(lost)} pointers without a row, {proof.expired} expired"
    for payment_id in sorted(lost):
        yield Finding(COMPLETENESS, proof.event_id, 0, 0, "missing", payment_id, detail)


def _with_retention(finding: Finding, proof: EventProof, head: EventHead, now: int) -> Finding:
    """The oldest entries of an event may be gone because DynamoDB removed them on time."""
    if finding.kind != "missing" or finding.seq != proof.certificate.through_seq + 1:
        return finding
    later = [
        each.logged_at for each in proof.links if each.seq > finding.last_seq and each.logged_at
    ]
    age = now // 1000 - min(later, default=head.last_logged_at) // 1000
    if age < RETENTION_SECONDS - RETENTION_NEAR or not (later or head.last_logged_at):
        return finding
    detail = (
        "if they were logged over seven years ago, retention has removed them; no sealed statement "
        "certifies that"
    )
    return replace(finding, detail=detail)
