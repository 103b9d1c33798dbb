"""`scc verify`: check the ledger's hash chains, alone or against an exported mailbox."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from ops.console import Meter
from ops.counted import counted
from ops.errors import FINE, FOUND, OpsError
from ops.rules.verify import EventProof, compare, prove
from ops.session import Session, pass_session, shared_options
from ops.stack.entries import LedgerReader
from ops.verify_mbox import Anchor, Finding, Mailbox, ranges, read_mailbox, span_text
from shared.delivery import is_sent

LOOKS = 4  # an index lags behind its table for a moment
PAUSE_SECONDS = 1.0


@click.command()
@shared_options
@click.option("--event", "event_id", metavar="ID", help="One event only.")
@click.option(
    "--mbox", "file", metavar="FILE", type=click.Path(path_type=Path),
    help="An exported mailbox to compare with the ledger.",
)  # fmt: skip
@pass_session
def verify(session: Session, event_id: str | None, file: Path | None) -> None:
    """Recompute every hash and every chain of the ledger, and report what does not match.

    Every row must match its own hash and follow the entry before it; the last one must be the
    event's head. With --mbox, every row must also match its mail, and every sent mail must be in
    the file. Exit 1 when anything is altered, inserted, missing or duplicated. An auditor without
    AWS checks the same file with ops/verify_mbox.py alone.

    \b
    Examples:
      scc verify
      scc verify --event sunset-charter
      scc verify --mbox export.mbox --json
    """
    box = _read(file) if file else None
    ledger = LedgerReader.of(session)
    heads = {event_id: ledger.head(event_id)} if event_id else ledger.heads()
    named = sorted(
        {*heads, *((each.event_id for each in box.links) if box and not event_id else ())}
    )
    if event_id and not heads[event_id] and not next(ledger.of_event(event_id))[0]:
        raise OpsError(
            f"The ledger has no entry for the event {event_id!r}. `scc verify` lists the events."
        )
    total = sum(int(each.get("seq", 0)) for each in heads.values())
    with session.console.meter("checking entries", total) as meter:
        proofs = [_proof(ledger, each, box, meter) for each in named]
    _show(session, proofs, box, is_one=bool(event_id))


def _read(file: Path) -> Mailbox:
    try:
        with file.open("rb") as content:
            box = read_mailbox(content)
    except (OSError, ValueError) as error:
        raise OpsError(f"{file} cannot be checked: {error}") from error
    if not (box.links or box.anchors or box.wrong):
        raise OpsError(f"{file}: {box.mails} mails, none of them an audit mail.")
    return box


def _proof(ledger: LedgerReader, event_id: str, box: Mailbox | None, meter: Meter) -> EventProof:
    anchors: Sequence[Anchor] = [
        each for each in (box.anchors if box else ()) if each.event_id == event_id
    ]
    proof = EventProof(event_id)
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE_SECONDS)
        before = len(proof.links)
        rows = (row for page, _ in ledger.of_event(event_id) for row in page)
        proof = prove(event_id, rows, partial(ledger.head, event_id), anchors)
        meter.advance(len(proof.links) - before)
        if not any(each.kind.startswith("missing") for each in proof.ledger):
            break
    if box:
        deliveries = ledger.deliveries([each.payment_id for each in proof.links])
        sent = {name for name, each in deliveries.items() if is_sent(each)}
        compare(proof, box, sent)
    return proof


def _show(
    session: Session, proofs: Sequence[EventProof], box: Mailbox | None, *, is_one: bool
) -> None:
    findings = list(_findings(proofs, box, is_one=is_one))
    events = [
        {"event_id": each.event_id, "entries": len(each.links), "head": each.head}
        | ({"anchored": ranges(each.anchored), "not_anchored": each.unanchored} if box else {})
        for each in proofs
    ]
    if session.console.as_json:
        told = [{"where": where} | asdict(each) for where, each in findings]
        session.console.show({"events": events, "findings": told})
    else:
        names = ("event_id", "entries", "head", "anchored", "not_anchored")[: 5 if box else 3]
        session.console.table(
            [each.replace("_", " ") for each in names],
            [[row[name] for name in names] for row in events],
        )
        if findings:
            session.console.table(
                ("finding", "in", "event", "entry", "payment", "detail"),
                [
                    (
                        each.kind, where, each.event_id,
                        span_text(each.seq, each.last_seq) if each.seq else "",
                        each.payment_id, each.detail,
                    )
                    for where, each in findings
                ],
            )  # fmt: skip
    for verdict in ("integrity", "completeness"):
        count = sum(each.verdict == verdict for _, each in findings)
        outcome = f"FAILED, {counted(count, 'finding')}" if count else "ok"
        session.console.say(f"{verdict}: {outcome}")
    raise click.exceptions.Exit(FOUND if findings else FINE)


def _findings(
    proofs: Sequence[EventProof], box: Mailbox | None, *, is_one: bool
) -> Iterator[tuple[str, Finding]]:
    for proof in proofs:
        yield from (("ledger", each) for each in proof.ledger)
        yield from (("mailbox", each) for each in proof.mailbox)
    if box and not is_one:  # unreadable mails belong to no event
        yield from (("mailbox", each) for each in box.wrong if not each.event_id)
