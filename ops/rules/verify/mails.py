"""Does an exported mailbox agree with the ledger? Pure rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ops.offline.box import Mailbox
from ops.offline.ledger.chain import check_chain
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Anchor, Finding, Link, found, merged
from ops.offline.operators import Operators, Settlement, unrecorded
from ops.offline.report import about_mails, with_copies
from ops.rules.verify.rows import EventProof
from ops.rules.verify.settled import Settlements, settle
from shared.text import dollars


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mailbox, sorted by event. wrong: findings about its mails.

    settlements: of what a person explained.
    """

    box: Mailbox
    links: Mapping[str, Sequence[Link]]
    wrong: Mapping[str, Sequence[Finding]]
    settlements: Settlements

    @classmethod
    def of(
        cls,
        box: Mailbox,
        senders: Iterable[str] = (),
        operators: Operators | None = None,
    ) -> Mailed:
        """operators: what their records say, by the table; by default, by the mailbox."""
        operators = box.operators() if operators is None else operators
        links: dict[str, list[Link]] = {}
        for link in box.links:
            links.setdefault(link.event_id, []).append(link)
        wrong: dict[str, list[Finding]] = {}
        for each in (*about_mails(box, senders), *unrecorded(box.links, operators)):
            wrong.setdefault(each.event_id, []).append(each)
        return cls(box, links, wrong, Settlements.of(operators))


def compare(
    proof: EventProof,
    mailed: Mailed,
    sent: Collection[str],
    lost: Mapping[str, Settlement] = MappingProxyType({}),
) -> None:
    """Compare the event's entries with its mails. sent: payments whose mail was marked as sent.

    The ledger decides what is missing from the mailbox: it knows what should be there. lost: what
    settles the loss of a payment's mail, by its id.
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
    still_open, proof.settled = settle(wrong, links, mailed.settlements, lost)
    noted = mailed.settlements.noted
    proof.ledger, proof.mailbox = merged(map(noted, proof.ledger)), merged(map(noted, still_open))


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
