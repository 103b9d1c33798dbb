"""`scc verify`: check the ledger's hash chains, alone or against an exported mailbox."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import click

from ops.clock import now_ms
from ops.commands.unlisted import unlisted_rows
from ops.commands.verified import Told, show
from ops.errors import OpsError
from ops.offline.box import Mailbox
from ops.offline.ledger.links import Anchor, Finding, merged
from ops.offline.ledger.public_key import PublicKey, read_public_key
from ops.offline.ledger.seals import broken_seals
from ops.offline.mails import read_mailbox
from ops.offline.operators import Operators, Settlement
from ops.offline.report import expected_head, notes_of, why_not
from ops.offline.settled import Settled, excused_days
from ops.parameters import EventId
from ops.rules.sealed import Sealed
from ops.rules.verify.mails import Mailed, compare, compare_ops
from ops.rules.verify.rows import EventProof, Ledger, out_of_reach, prove
from ops.rules.verify.settled import heard_in, lost_mails
from ops.session import Session, pass_session, shared_options
from ops.stack.deeds import deeds_of
from ops.stack.entries import LedgerReader
from ops.stack.evidence import read_sealed, stack_key
from ops.terminal.console import Meter
from ops.terminal.safe_text import safe
from shared.audit.delivery import is_sent
from shared.ledger import business_day, canonical_json

LOOKS = 4  # an index lags behind its table for a moment
PAUSE_SECONDS = 1.0


class Head(click.ParamType):
    """EVENT=SEQ:HASH, an entry that must be in the event's chain."""

    name = "head"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Anchor:
        try:
            return expected_head(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


@click.command()
@shared_options
@click.option("--event", "event_id", type=EventId(), metavar="ID", help="One event only.")
@click.option(
    "--mbox", "files", metavar="FILE", type=click.Path(path_type=Path), multiple=True,
    help="An exported mailbox to compare with the ledger: .mbox, Takeout's .zip, .eml; repeatable.",
)  # fmt: skip
@click.option(
    "--expect-head", "expected", metavar="EVENT=SEQ:HASH", type=Head(), multiple=True,
    help="An entry that the event's chain must contain; repeatable.",
)  # fmt: skip
@click.option(
    "--sender", "senders", metavar="ADDRESS", multiple=True,
    help="Who may have sent the mails, or got them; repeatable.  [default: of most mails]",
)  # fmt: skip
@click.option(
    "--key", "key_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="The public key that signs the statements.  [default: the stack's]",
)  # fmt: skip
@pass_session
def verify(
    session: Session,
    *,
    event_id: str | None,
    files: tuple[Path, ...],
    expected: tuple[Anchor, ...],
    senders: tuple[str, ...],
    key_file: Path | None,
) -> None:
    """Recompute every hash and every chain of the ledger, and report what does not match.

    Every row must match its own hash and follow the entry before it; the last one must be the
    event's head, whose totals must be what the entries add up to; no row may be without an event;
    every void and refund must be about a payment. Every sealed statement must be signed and follow
    the one before it, and the ledger must be what they say; what they certify as seven years old
    may be gone. With --mbox, every row must also match its mail, every sent mail must be in the
    file, and every mail must show what its record says. A loss that `scc findings ack` settled is
    told as such. Exit 1 when anything is altered, inserted, missing or duplicated. An auditor
    without AWS checks the same file with ops/verify_mbox.py alone.

    \b
    Examples:
      scc verify
      scc verify --event sunset-charter
      scc verify --mbox takeout.zip --json
      scc verify --key key.pem
    """
    if event_id and any(each.event_id != event_id for each in expected):
        raise click.UsageError("--expect-head is about another event than --event.")
    box = _read(files) if files else None
    key = _key(session, key_file)
    now = now_ms()
    sealed = read_sealed(session, now, key)
    today = business_day(now, session.aws.business_zone)
    reader = LedgerReader.of(session)
    places = reader.places()
    ledger = Ledger(places=places, zone=session.aws.business_zone, now=now)
    known = _named(places.events | sealed.events, box, expected)
    unlisted = [] if event_id else unlisted_rows(session, reader, known)
    known |= {str(each["event_id"]) for each in unlisted if "event_id" in each}
    named = {event_id} if event_id else known
    if event_id and event_id not in known and not next(reader.of_event(event_id))[0]:
        raise OpsError(
            f"The ledger has no entry for the event {event_id!r}. `scc verify` lists the events."
        )
    operators = heard_in(deeds_of(session)) if box else Operators()
    mailed = Mailed.of(box, senders, operators) if box else None
    anchors = [*expected, *sealed.anchors, *(box.anchors if box else ())]
    check = _Check(reader, ledger, anchors, sealed, mailed)
    with session.console.meter("checking entries", check.total(places.heads, named)) as meter:
        proofs = [check.event(each, meter) for each in sorted(named)]
    told = [*_told(proofs), *(("ledger", each) for each in out_of_reach(unlisted))]
    for note in notes_of(box, key) if box else ():
        session.console.say(f"note: {safe(note)}")
    told += _about_statements(check, proofs, today, event_id)
    if mailed and not event_id:
        told += _about_the_box(check, mailed, key, today)
    settled = [each for proof in proofs for each in proof.settled]
    settled += check.settled if not event_id else ()
    show(session, proofs, told, settled, sorted(sealed.sha256), has_mails=box is not None)


def _read(files: Sequence[Path]) -> Mailbox:
    try:
        box = read_mailbox(files)
    except (OSError, ValueError) as error:
        raise OpsError(f"A mailbox cannot be checked: {safe(why_not(error), 500)}.") from error
    if box.is_empty:
        named = safe(str(files[0]))
        raise OpsError(f"{named}: {box.mails} mails, none of them an audit mail.")
    return box


def _key(session: Session, file: Path | None) -> PublicKey:
    try:
        return read_public_key(file) if file else stack_key(session)
    except (OSError, ValueError) as error:
        raise OpsError(f"Signatures cannot be checked: {safe(why_not(error), 500)}.") from error


def _named(events: set[str], box: Mailbox | None, expected: Sequence[Anchor]) -> set[str]:
    """Whatever names an event, its entries are looked for."""
    named = events | {each.event_id for each in expected}
    if box:
        named |= {each.event_id for each in box.links} | {each.event_id for each in box.anchors}
    return named


class _Check:
    """One look at every event."""

    def __init__(
        self,
        reader: LedgerReader,
        ledger: Ledger,
        anchors: Sequence[Anchor],
        sealed: Sealed,
        mailed: Mailed | None,
    ) -> None:
        self.reader, self._ledger = reader, ledger
        self.sealed, self.mailed = sealed, mailed
        self._anchors: dict[str, list[Anchor]] = {}
        for each in anchors:
            self._anchors.setdefault(each.event_id, []).append(each)

    def total(self, heads: Mapping[str, Any], named: set[str]) -> int:
        """How many entries there should be, for the meter."""
        seqs = (heads[each].get("seq") for each in named & heads.keys())
        return sum(each for each in seqs if type(each) is int)

    def event(self, event_id: str, meter: Meter) -> EventProof:
        proof, reader = EventProof(event_id), self.reader
        for look in range(LOOKS):
            if look:
                time.sleep(PAUSE_SECONDS)
            before = len(proof.links)
            rows = (row for page, _ in reader.of_event(event_id) for row in page)
            read_head = partial(reader.head, event_id)
            anchors = self._anchors.get(event_id, ())
            certificate = self.sealed.certificate(event_id)
            proof = prove(event_id, rows, read_head, self._ledger, anchors, certificate)
            meter.advance(len(proof.links) - before)
            if not proof.is_missing_something:
                break
        if self.mailed:
            deliveries = self.reader.deliveries([each.payment_id for each in proof.links])
            lost = self.mailed.settlements.of_losses(deliveries)
            compare(proof, self.mailed, _sent(deliveries), lost)
        return proof

    @cached_property
    def besides(self) -> tuple[set[str], dict[str, Settlement]]:
        """Of statements' and operators' mails: which were sent, and whose loss is settled."""
        deliveries = self.reader.deliveries([*self.sealed.delivery_ids, *self.ops])
        lost = self.mailed.settlements.of_losses(deliveries) if self.mailed else {}
        return _sent(deliveries) - lost.keys(), lost

    @property
    def settled(self) -> list[Settled]:
        """What is not in the file, and may be gone, besides entries."""
        return lost_mails(self.mailed.box, self.besides[1]) if self.mailed else []

    @cached_property
    def ops(self) -> Mapping[str, str]:
        """SHA-256 of what operators did, by ops id."""
        return {name: _sha256(each) for name, each in self.reader.ops_records().items()}


def _sent(deliveries: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Which of these mails were marked as sent."""
    return {name for name, each in deliveries.items() if is_sent(each)}


def _sha256(record: Mapping[str, Any]) -> str:
    """Of an ops record; empty for one with a value that none of ours has."""
    try:
        return hashlib.sha256(canonical_json(record)).hexdigest()
    except (TypeError, ValueError):
        return ""


def _told(proofs: Sequence[EventProof]) -> Told:
    told: Told = []
    for proof in proofs:
        told += (("ledger", each) for each in proof.ledger)
        told += (("mailbox", each) for each in proof.mailbox)
    return told


def _about_statements(
    check: _Check, proofs: Sequence[EventProof], today: str, event_id: str | None
) -> Iterator[tuple[str, Finding]]:
    """What the sealed statements and those of the mailbox say of the ledger, and of each other."""
    rows = [link for proof in proofs for link in proof.links]
    doubted = [each for proof in proofs for each in proof.ledger]
    named = {(each.event_id, each.seq) for each in doubted}
    findings = [*check.sealed.statements.findings(rows, doubted)]
    if check.mailed:
        box = check.mailed.box
        excused = excused_days(check.besides[1].values())
        findings += box.statements.findings(rows, doubted, excused)
        sound = [each for each in box.links if each.is_sound]
        statements = check.sealed.statements
        findings += statements.certificates.findings(sound, statements.stated)
    for each in merged(findings):
        if each.event_id == event_id or (not event_id and (each.event_id, each.seq) not in named):
            yield "ledger", each
    yield from (("statements", each) for each in check.sealed.about_itself(today))
    if not event_id:
        yield from (("ledger", each) for each in check.sealed.about_ops(check.ops))


def _about_the_box(
    check: _Check, mailed: Mailed, key: PublicKey, today: str
) -> Iterator[tuple[str, Finding]]:
    """Statements and operators' mails, and mails that cannot be told apart by event."""
    yield from (("mailbox", each) for each in merged(mailed.wrong.get("", ())))
    statements = mailed.box.statements
    yield from (("mailbox", each) for each in merged(broken_seals(statements.seals, key)))
    sent, _ = check.besides
    yield from (("mailbox", each) for each in check.sealed.about_mails(statements, sent, today))
    yield from compare_ops(mailed.box, check.ops, sent)
