"""Is the ledger intact, and does an exported mailbox agree with it? Pure rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Protocol

from ops.offline.box import Mailbox
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
from ops.offline.report import about_mails, with_copies
from ops.rules.heads import EventHead
from shared.ledger import RETENTION_SECONDS
from shared.statements.expiry import NOTHING_EXPIRES, Certificate, expired
from shared.text import dollars

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


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mailbox, sorted by event. wrong: findings about its mails."""

    box: Mailbox
    links: Mapping[str, Sequence[Link]]
    wrong: Mapping[str, Sequence[Finding]]

    @classmethod
    def of(cls, box: Mailbox, senders: Iterable[str] = ()) -> Mailed:
        links: dict[str, list[Link]] = {}
        for link in box.links:
            links.setdefault(link.event_id, []).append(link)
        wrong: dict[str, list[Finding]] = {}
        for each in about_mails(box, senders):
            wrong.setdefault(each.event_id, []).append(each)
        return cls(box, links, wrong)


def compare(proof: EventProof, mailed: Mailed, sent: Collection[str]) -> None:
    """Compare the event's entries with its mails. sent: payments whose mail was marked as sent.

    The ledger decides what is missing from the mailbox: it knows what should be there.
    """
    event_id = proof.event_id
    links = mailed.links.get(event_id, ())
    wrong = [*mailed.wrong.get(event_id, ())]
    through = proof.certificate.through_seq
    said = Anchor(event_id, through, proof.certificate.hash, "the certificate")
    if links:
        chain = check_chain(links, [said] if through else ())
        wrong += [each for each in chain if each.kind != "missing"]
    by_id = {each.payment_id: each for each in links}
    ledger = {each.payment_id: each for each in proof.links}
    doubtful = {each.seq for each in wrong}
    doubtful |= {
        each.seq
        for each in links
        if any(one.seq <= each.seq <= one.last_seq for one in proof.ledger)
    }
    rows_sha256 = {each.payment_id: each.sha256 for each in proof.links}
    proof.anchored = {
        each.seq
        for each in links
        if each.hash == each.computed and rows_sha256.get(each.payment_id) == each.sha256
    }
    for payment_id, mail in by_id.items():
        row = ledger.get(payment_id)
        if mail.seq in doubtful or (row is None and mail.seq <= through):
            continue
        if row is None:
            proof.ledger.append(
                found(COMPLETENESS, mail, "missing", "its mail exists, its row does not")
            )
        elif row.sha256 != mail.sha256:
            detail = "its mail differs, and both match their own hash"
            proof.ledger.append(found(INTEGRITY, row, "altered", detail))
    proof.ledger += [*_differences(proof.ledger, by_id, ledger)]
    named = {each.payment_id for each in proof.ledger if each.seq}
    proof.ledger = [each for each in proof.ledger if each.seq or each.payment_id not in named]
    for payment_id, row in ledger.items():
        if payment_id not in by_id and payment_id in sent and row.seq > through:
            missing = found(
                COMPLETENESS, row, "missing", "its mail was sent but is not in this file"
            )
            wrong.append(with_copies(mailed.box, missing))
    proof.ledger, proof.mailbox = merged(proof.ledger), merged(wrong)


_SHOWN: Mapping[str, Callable[[Any], str]] = {"amount_cents": dollars, "seq": "#{:06d}".format}
_COMPARED = (
    "seq", "kind", "amount_cents", "method", "patron_email", "about", "logged_day", "logged_at",
)  # fmt: skip
_WORDS = {
    "seq": "number", "amount_cents": "amount", "patron_email": "patron", "about": "about payment",
}  # fmt: skip


def _differences(
    findings: Sequence[Finding], mails: Mapping[str, Link], rows: Mapping[str, Link]
) -> Iterator[Finding]:
    """What the mail and the ledger say, for each altered entry that both have.

    Only of what a link holds: keeping whole records would fill the memory.
    """
    for each in findings:
        mail, row = mails.get(each.payment_id), rows.get(each.payment_id)
        if each.kind != "altered" or mail is None or row is None or mail.sha256 == row.sha256:
            continue
        if mail.faults or row.faults:
            continue
        told = [
            f"{_WORDS.get(name, name)}: the mail says {_said(mail, name)}, the ledger "
            f"{_said(row, name)}"
            for name in _COMPARED
            if getattr(mail, name) != getattr(row, name)
        ]
        detail = "; ".join(told) or f"what differs is none of {', '.join(_COMPARED)}"
        yield replace(each, detail=detail)


def _said(link: Link, name: str) -> str:
    value = getattr(link, name)
    return _SHOWN.get(name, str)(value) or "nothing"


def compare_ops(
    box: Mailbox, records: Mapping[str, str], sent: Collection[str]
) -> Iterator[tuple[str, Finding]]:
    """Operators' records and their mails. records: SHA-256 by ops id. Yields where, and what."""
    mailed = {each.ops_id for each in box.ops}
    for each in box.ops:
        if each.ops_id not in records:
            detail = f"{each.where}: {each.ops_id[:100]} is not in the table of ops records"
            yield "ledger", Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
        elif records[each.ops_id] != each.sha256:
            detail = f"the ops record {each.ops_id} differs from its mail"
            yield "ledger", Finding(INTEGRITY, "", 0, 0, "altered", "", detail)
    for ops_id in sorted(records.keys() - mailed):
        if ops_id in sent:
            detail = f"the mail of {ops_id} was sent but is not in this file"
            yield "mailbox", Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
