"""Is the ledger intact, and does an exported mailbox agree with it? Pure rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.verify_mbox import (
    COMPLETENESS,
    INTEGRITY,
    Anchor,
    Finding,
    Link,
    Mailbox,
    check_chain,
    check_chains,
    link_of,
    merged,
    ranges,
)


@dataclass(slots=True)
class EventProof:
    """What was found about one event. head: its chain's last number, 0 without one."""

    event_id: str
    head: int = 0
    links: list[Link] = field(default_factory=list)
    ledger: list[Finding] = field(default_factory=list)
    mailbox: list[Finding] = field(default_factory=list)
    anchored: set[int] = field(default_factory=set)

    @property
    def unanchored(self) -> str:
        return ranges({each.seq for each in self.links} - self.anchored)


def prove(
    event_id: str,
    rows: Iterable[Mapping[str, Any]],
    read_head: Callable[[], Mapping[str, Any]],
    anchors: Sequence[Anchor] = (),
) -> EventProof:
    """Check one event's rows against their hashes, each other, the head and the mails.

    The head is read after the rows, so no row is newer than the head.
    """
    proof = EventProof(event_id)
    found: list[Finding] = []
    for row in rows:
        try:
            proof.links.append(link_of(row))
        except ValueError as error:
            where = f"the row at {row.get('PK')!r}, {row.get('SK')!r}: {error}"
            found.append(Finding(INTEGRITY, event_id, 0, 0, "unreadable", "", where))
    own, head = [*anchors], read_head()
    proof.head = int(head.get("seq", 0))
    if head:
        own.append(Anchor(event_id, proof.head, str(head.get("hash")), "the event's head"))
    elif proof.links:
        found.append(Finding(COMPLETENESS, event_id, 0, 0, "missing-head"))
    inside = [each for each in proof.links if not head or each.seq <= proof.head]
    for each in proof.links:
        if head and each.seq > proof.head:
            detail = f"the event's head is #{proof.head:06d}"
            found.append(
                Finding(
                    INTEGRITY, event_id, each.seq, each.seq, "inserted", each.payment_id, detail
                )
            )
    if inside or own:
        found += check_chain(inside, own)
    proof.ledger = merged(found)
    return proof


def compare(proof: EventProof, box: Mailbox, sent: Collection[str]) -> None:
    """Compare the event's entries with its mails. sent: payments whose mail was marked as sent.

    The ledger decides what is missing from the mailbox: it knows what should be there.
    """
    event_id = proof.event_id
    links = [each for each in box.links if each.event_id == event_id]
    wrong = [each for each in box.wrong if each.event_id == event_id]
    wrong += [each for each in check_chains(links, ()) if each.kind != "missing"]
    mailed = {each.payment_id: each for each in links}
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
    for payment_id, mail in mailed.items():
        row = ledger.get(payment_id)
        if mail.seq in doubtful:
            continue
        if row is None:
            proof.ledger.append(
                Finding(COMPLETENESS, event_id, mail.seq, mail.seq, "missing", payment_id,
                        "its mail exists, its row does not")
            )  # fmt: skip
        elif row.sha256 != mail.sha256:
            proof.ledger.append(
                Finding(INTEGRITY, event_id, row.seq, row.seq, "altered", payment_id,
                        "its mail differs, and both match their own hash")
            )  # fmt: skip
    for payment_id, row in ledger.items():
        if payment_id not in mailed and payment_id in sent:
            wrong.append(
                Finding(COMPLETENESS, event_id, row.seq, row.seq, "missing", payment_id,
                        "its mail was sent but is not in this file")
            )  # fmt: skip
    proof.ledger, proof.mailbox = merged(proof.ledger), merged(wrong)
