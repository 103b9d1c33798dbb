"""An event whose rows are all read again: each must be what was written, and none be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, tzinfo

from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.certificates import extended
from functions.daily_statement.rules.continuity import (
    ChainEnd,
    Link,
    continue_from,
    missing_numbers,
)
from functions.daily_statement.rules.meaning import (
    BACK_DATED,
    Meaning,
    back_dated,
    marks_of,
    refunds_among,
)
from functions.daily_statement.rules.record import Standing, Standings
from functions.daily_statement.rules.totals import Totals
from shared.ledger import LedgerEntry
from shared.statements.expiry import last_day_to_certify

MOST_CERTIFIED = 300  # events in one statement; each is read again within thirty days


def name_impossible(
    statement: Statement, standing: Standing, entries: Sequence[LedgerEntry], zone: tzinfo
) -> None:
    """Names entries that the API never writes. entries: all sound ones of one event."""
    marks, by_id = marks_of(entries), {each.payment_id: each for each in reversed(entries)}
    meaning = Meaning(
        zone=zone,
        find=by_id.get,
        mark_of=lambda payment_id: marks.get(payment_id, {}),
        refunds_of=refunds_among(entries),
        may_be_gone=lambda _: standing.certificate.through_seq > 0,
    )
    for each in entries:
        if why := meaning.problem_with(each):
            statement.account(each.event_id).report_impossible(each.seq, why)


def examine(
    statement: Statement, standings: Standings, event_id: str, links: Sequence[Link]
) -> None:
    """Names what is wrong with the event's rows; without a fault, adds its totals up anew.

    links: of all rows of the event. Those that a certificate covers may be there or gone.
    """
    standing = standings[event_id]
    certified = standing.certificate
    kept = [each for each in links if certified.through_seq < each.seq <= standing.end.seq]
    found = continue_from(ChainEnd(seq=certified.through_seq, hash=certified.hash), kept)
    for seq in back_dated(kept):
        statement.account(event_id).report_impossible(seq, BACK_DATED)
    gone = missing_numbers([each.seq for each in kept], certified.through_seq + 1, standing.end.seq)
    expiring = [each for each in links if each.seq <= certified.through_seq]
    altered = [*found.altered, *(each.seq for each in expiring if not each.is_sound)]
    if gone or altered or found.broken_at:
        statement.account(event_id).report(replace(found, missing=gone, altered=sorted(altered)))
    if found.is_whole and found.end == standing.end:
        totals = Totals.certified(certified).plus(kept)
        standings[event_id] = replace(standing, totals=totals)


def certify(
    statement: Statement, standings: Standings, event_id: str, links: Sequence[Link]
) -> None:
    """links: of all rows of the event. What is too much for one statement waits for another."""
    if len(statement.certificates) >= MOST_CERTIFIED:
        return
    standing = standings[event_id]
    certificate = extended(
        standing.certificate, links, last_certified_day(statement.day), standing.end
    )
    if certificate != standing.certificate:
        statement.certificates[event_id] = certificate
        standings[event_id] = replace(standing, certificate=certificate)


def last_certified_day(day: str) -> str:
    """Whose entries the statement of this day certifies."""
    return last_day_to_certify(date.fromisoformat(day)).isoformat()
