"""How every event stands at the end of a day, and whether the ledger as it is now follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from functions.daily_statement.rules.account import Statement
from functions.daily_statement.rules.continuity import (
    Continuation,
    Link,
    continue_from,
    hangs_on,
    how_it_was_cut,
    missing_at_the_end,
)
from functions.daily_statement.rules.heads import EventHead
from functions.daily_statement.rules.record import NEW_EVENT, Standings
from functions.daily_statement.rules.totals import totals_differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the ledger has of every event, by its id.

    ends: how it went on until the day's end. later: its entries after that.
    """

    heads: Mapping[str, EventHead]
    ends: Mapping[str, Continuation]
    later: Mapping[str, Sequence[Link]]


def ends_of(statement: Statement, before: Standings) -> dict[str, Continuation]:
    """How every event went on from the day before, in the order of their ids."""
    return {
        each: continue_from(before.get(each, NEW_EVENT).end, _links_of(statement, each))
        for each in sorted({*before, *statement.accounts})
    }


def go_on(statement: Statement, before: Standings, present: Present) -> Standings:
    """How every event stands at the day's end. Names what does not follow from `before`."""
    standings = {}
    for event_id, found in present.ends.items():
        head, later = present.heads[event_id].last, present.later.get(event_id, ())
        tail = missing_at_the_end(found.end, head, later)
        next_link = min(later, key=lambda each: each.seq, default=None)
        if next_link and next_link.seq != found.end.seq + 1:
            next_link = None
        is_cut = not hangs_on(found.end, head, next_link)
        if event_id in statement.accounts or tail or is_cut or head is None:
            account = statement.account(event_id)
            account.report(replace(found, missing=[*found.missing, *tail]))
            if is_cut and head is not None:
                account.rewritten = account.rewritten or how_it_was_cut(found.end, head)
        standing = before.get(event_id, NEW_EVENT)
        totals = standing.totals if found.is_whole else None
        if totals is not None:
            totals = totals.plus(_links_of(statement, event_id))
        standings[event_id] = replace(standing, end=found.end, totals=totals)
    return standings


def compare_totals(statement: Statement, standings: Standings, present: Present) -> None:
    """Names every event whose head says another total than its entries add up to."""
    for event_id, standing in standings.items():
        later, head = present.later.get(event_id, ()), present.heads[event_id]
        if differs := totals_differ(standing.totals, standing.end, later, head):
            statement.account(event_id).totals_differ = differs


def _links_of(statement: Statement, event_id: str) -> Sequence[Link]:
    account = statement.accounts.get(event_id)
    return account.links if account else ()
