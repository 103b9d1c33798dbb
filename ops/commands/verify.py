"""`scc verify`: check the ledger's hash chains, alone or against an exported mailbox."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from ops.clock import now_ms
from ops.errors import FINE, FOUND, OpsError
from ops.offline.box import Mailbox
from ops.offline.ledger.links import Anchor, Finding, merged, ranges, span_text
from ops.offline.ledger.seals import broken_seals
from ops.offline.mails import read_mailbox
from ops.offline.report import expected_head, notes_of, why_not
from ops.parameters import EventId
from ops.rules.verify import EventProof, Ledger, Mailed, compare, compare_ops, prove
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.terminal.console import Meter
from ops.terminal.counted import counted
from ops.terminal.safe_text import safe
from shared.delivery import is_sent
from shared.ledger import canonical_json

LOOKS = 4  # an index lags behind its table for a moment
PAUSE_SECONDS = 1.0
_HEADINGS = {"anchored": "mail agrees", "not_anchored": "no mail agrees"}
Told = list[tuple[str, Finding]]  # where, and what


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
@pass_session
def verify(
    session: Session,
    *,
    event_id: str | None,
    files: tuple[Path, ...],
    expected: tuple[Anchor, ...],
    senders: tuple[str, ...],
) -> None:
    """Recompute every hash and every chain of the ledger, and report what does not match.

    Every row must match its own hash and follow the entry before it; the last one must be the
    event's head, whose totals must be what the entries add up to; every void and refund must be
    about a payment. With --mbox, every row must also match its mail, every sent mail must be in
    the file, and every mail must show what its record says. Exit 1 when anything is altered,
    inserted, missing or duplicated. An auditor without AWS checks the same file with
    ops/verify_mbox.py alone.

    \b
    Examples:
      scc verify
      scc verify --event sunset-charter
      scc verify --mbox takeout.zip --json
    """
    if event_id and any(each.event_id != event_id for each in expected):
        raise click.UsageError("--expect-head is about another event than --event.")
    box = _read(files) if files else None
    reader = LedgerReader.of(session)
    places = reader.places()
    ledger = Ledger(places=places, zone=session.aws.business_zone, now=now_ms())
    known = _named(places.events, box, expected)
    named = {event_id} if event_id else known
    if event_id and event_id not in known and not next(reader.of_event(event_id))[0]:
        raise OpsError(
            f"The ledger has no entry for the event {event_id!r}. `scc verify` lists the events."
        )
    mailed = Mailed.of(box, senders) if box else None
    check = _Check(reader, ledger, [*expected, *(box.anchors if box else ())], mailed)
    with session.console.meter("checking entries", check.total(places.heads, named)) as meter:
        proofs = [check.event(each, meter) for each in sorted(named)]
    told = _told(proofs)
    for note in notes_of(box) if box else ():
        session.console.say(f"note: {safe(note)}")
    if mailed:
        told += _about_the_box(check, proofs, mailed, event_id)
    _show(session, proofs, told, has_mails=box is not None)


def _read(files: Sequence[Path]) -> Mailbox:
    try:
        box = read_mailbox(files)
    except (OSError, ValueError) as error:
        raise OpsError(f"A mailbox cannot be checked: {safe(why_not(error), 500)}.") from error
    if box.is_empty:
        named = safe(str(files[0]))
        raise OpsError(f"{named}: {box.mails} mails, none of them an audit mail.")
    return box


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
        mailed: Mailed | None,
    ) -> None:
        self.reader, self._ledger, self._mailed = reader, ledger, mailed
        self._anchors: dict[str, list[Anchor]] = {}
        for each in anchors:
            self._anchors.setdefault(each.event_id, []).append(each)

    def total(self, heads: Mapping[str, Any], named: set[str]) -> int:
        """How many entries there should be, for the meter."""
        seqs = (heads[each].get("seq") for each in named & heads.keys())
        return sum(each for each in seqs if isinstance(each, int))

    def event(self, event_id: str, meter: Meter) -> EventProof:
        proof, reader = EventProof(event_id), self.reader
        for look in range(LOOKS):
            if look:
                time.sleep(PAUSE_SECONDS)
            before = len(proof.links)
            rows = (row for page, _ in reader.of_event(event_id) for row in page)
            read_head = partial(reader.head, event_id)
            proof = prove(event_id, rows, read_head, self._ledger, self._anchors.get(event_id, ()))
            meter.advance(len(proof.links) - before)
            if not proof.is_missing_something:
                break
        if self._mailed:
            deliveries = reader.deliveries([each.payment_id for each in proof.links])
            sent = {name for name, each in deliveries.items() if is_sent(each)}
            compare(proof, self._mailed, sent)
        return proof

    def ops(self, box: Mailbox) -> Iterator[tuple[str, Finding]]:
        records = self.reader.ops_records()
        deliveries = self.reader.deliveries(list(records))
        sent = {name for name, each in deliveries.items() if is_sent(each)}
        yield from compare_ops(box, {name: _sha256(each) for name, each in records.items()}, sent)


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


def _about_the_box(
    check: _Check, proofs: Sequence[EventProof], mailed: Mailed, event_id: str | None
) -> Iterator[tuple[str, Finding]]:
    """Statements, operators' mails, and mails that cannot be told apart by event."""
    rows = [link for proof in proofs for link in proof.links]
    doubted = [each for proof in proofs for each in proof.ledger]
    named = {(each.event_id, each.seq) for each in doubted}
    for each in merged(mailed.box.statements.findings(rows, doubted)):
        if each.event_id == event_id or (not event_id and (each.event_id, each.seq) not in named):
            yield "ledger", each
    if not event_id:
        yield from (("mailbox", each) for each in merged(mailed.wrong.get("", ())))
        seals = mailed.box.statements.seals
        yield from (("mailbox", each) for each in broken_seals(seals, None))
        yield from check.ops(mailed.box)


def _show(session: Session, proofs: Sequence[EventProof], told: Told, *, has_mails: bool) -> None:
    events = [
        {
            "event_id": each.event_id,
            "entries": len(each.links),
            "head": each.head,
            "totals_compared": each.totals_compared,
        }
        | (
            {"anchored": ranges(each.anchored), "not_anchored": each.unanchored}
            if has_mails
            else {}
        )
        for each in proofs
    ]
    if session.console.as_json:
        findings = [{"where": where} | asdict(each) for where, each in told]
        session.console.show({"events": events, "findings": findings})
    else:
        names = ("event_id", "entries", "head", "anchored", "not_anchored")[: 5 if has_mails else 3]
        session.console.table(
            [_HEADINGS.get(each, each.replace("_", " ")) for each in names],
            [[row[name] for name in names] for row in events],
        )
        if told:
            session.console.table(
                ("finding", "in", "event", "entry", "payment", "detail"),
                [
                    (
                        each.kind, where, each.event_id,
                        span_text(each.seq, each.last_seq) if each.seq else "",
                        each.payment_id, each.detail,
                    )
                    for where, each in told
                ],
            )  # fmt: skip
    for each in proofs:
        if not each.totals_compared:
            session.console.say(
                f"{each.event_id}: totals not compared, since not every entry is there as written"
            )
    for verdict in ("integrity", "completeness"):
        count = sum(each.verdict == verdict for _, each in told)
        outcome = f"FAILED, {counted(count, 'finding')}" if count else "ok"
        session.console.say(f"{verdict}: {outcome}")
    raise click.exceptions.Exit(FOUND if told else FINE)
