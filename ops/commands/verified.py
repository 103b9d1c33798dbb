"""What `scc verify` prints: one line per event, what was found, and the two verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from ops.errors import FINE, FOUND
from ops.offline.ledger.links import Finding, ranges, span_text
from ops.offline.report import finding_text, settled_summary
from ops.offline.settled import Settled
from ops.rules.verify.rows import EventProof
from ops.session import Session
from ops.terminal.counted import counted
from ops.terminal.safe_text import safe

_HEADINGS = {"anchored": "mail agrees", "not_anchored": "no mail agrees"}
Told = list[tuple[str, Finding]]  # where, and what


def show(
    session: Session,
    proofs: Sequence[EventProof],
    told: Told,
    settled: Sequence[Settled],
    sealed_days: Sequence[str],
    *,
    has_mails: bool,
) -> None:
    """Print it all and end the command: exit code 1 when something was found.

    settled: what is no fault, since a person explained it.
    """
    events = [
        {
            "event_id": each.event_id,
            "entries": len(each.links),
            "expired": each.expired,
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
        statements = {"sealed": len(sealed_days), "until": max(sealed_days, default=None)}
        session.console.show(
            {
                "events": events,
                "statements": statements,
                "findings": findings,
                "settled": [settled_summary(each) for each in settled],
            }
        )
    else:
        names = ["event_id", "entries"]
        names += ["expired"] if any(each.expired for each in proofs) else []
        names += ["head", "anchored", "not_anchored"][: 3 if has_mails else 1]
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
    for one in settled:
        told_of = f"{finding_text(asdict(one.finding))}  {one.told()}"
        session.console.say(f"settled: {safe(told_of, 1_000)}")
    for each in proofs:
        if not each.totals_compared:
            session.console.say(
                f"{each.event_id}: totals not compared, since not every entry is there as written"
            )
    days = f" until {max(sealed_days)}" if sealed_days else ""
    session.console.say(f"{counted(len(sealed_days), 'sealed statement')}{days}")
    for verdict in ("integrity", "completeness"):
        count = sum(each.verdict == verdict for _, each in told)
        outcome = f"FAILED, {counted(count, 'finding')}" if count else "ok"
        session.console.say(f"{verdict}: {outcome}")
    raise click.exceptions.Exit(FOUND if told else FINE)
