"""Events and rosters as the API shows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from functions.api.payments.listing import Deliveries, audit_view
from functions.api.payments.money import text_from_cents
from shared.ledger import LedgerEntry, MalformedEntryError
from shared.methods import METHODS

RECENT_MS = 7 * 24 * 60 * 60 * 1000
LATE_MS = 5 * 60 * 1000
NEWEST = 25  # entries of an event whose mails are checked
MOST_EVENTS = 20  # per page whose mails are checked
_SUMS = ("payments_count", "total_cents", *(f"{method}_cents" for method in METHODS))


class Heads(Protocol):
    def heads(self, event_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Payments(Deliveries, Protocol):
    def newest(self, event_id: str, limit: int) -> Sequence[Mapping[str, Any]]: ...


def event_view(meta: Mapping[str, Any]) -> dict[str, Any]:
    """An event as every signed-in user sees it."""
    names = ("event_id", "name", "event_date", "timezone", "location", "roster_size")
    return {name: meta[name] for name in names}


def money_views(
    metas: Sequence[Mapping[str, Any]], ledger: Heads, payments: Payments, now: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """Events with what was paid, less voids and refunds, and the state of their audit mails.

    `audit` counts mails that need attention: `failed`, which will not be retried, and `late`,
    neither sent nor failed five minutes after the entry was logged. It covers the newest 25 entries
    of the 20 most recently active events; other events, and those without an entry in the last
    seven days, have none. So a page costs at most one batch for the heads, 20 queries and five
    batches for the deliveries, however large the ledger is. `scc reconcile` checks everything.
    now: epoch milliseconds.

    Also the ids of events whose sums cannot be read: they are shown without any.
    """
    found = ledger.heads(meta["event_id"] for meta in metas)
    heads = {event_id: head for event_id, head in found.items() if _is_readable(head)}
    unreadable = sorted(found.keys() - heads.keys())
    watched = sorted(
        (name for name, head in heads.items() if head["last_logged_at"] > now - RECENT_MS),
        key=lambda name: int(heads[name]["last_logged_at"]),
    )[-MOST_EVENTS:]
    audits = _audits(watched, payments, now)
    views = []
    for meta in metas:
        event_id = meta["event_id"]
        view = event_view(meta)
        if event_id not in unreadable:
            view |= _totals(heads.get(event_id, {}))
        views.append(view | ({"audit": audits[event_id]} if event_id in audits else {}))
    return views, unreadable


def _is_readable(head: Mapping[str, Any]) -> bool:
    sums = [head.get(name, 0) for name in _SUMS]
    return all(type(each) is int for each in (head.get("last_logged_at"), *sums))


def _totals(head: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "payments_count": head.get("payments_count", 0),
        "total": text_from_cents(head.get("total_cents", 0)),
        "totals_by_method": {
            method: text_from_cents(head.get(f"{method}_cents", 0)) for method in METHODS
        },
        "last_payment_at": head.get("last_logged_at"),
    }


def _audits(event_ids: Sequence[str], payments: Payments, now: int) -> dict[str, dict[str, int]]:
    newest = {each: _entries(payments.newest(each, NEWEST)) for each in event_ids}
    deliveries = payments.deliveries(
        entry.payment_id for entries in newest.values() for entry in entries
    )
    audits = {}
    for event_id, entries in newest.items():
        states = [
            (audit_view(deliveries.get(entry.payment_id))["state"], entry.logged_at)
            for entry in entries
        ]
        audits[event_id] = {
            "failed": sum(state == "failed" for state, _ in states),
            "late": sum(state == "queued" and at < now - LATE_MS for state, at in states),
        }
    return audits


def _entries(rows: Iterable[Mapping[str, Any]]) -> list[LedgerEntry]:
    """An altered entry counts, too: its mail may have failed."""
    entries = []
    for row in rows:
        with suppress(MalformedEntryError):
            entries.append(LedgerEntry.from_row(row))
    return entries


def matching(roster: Sequence[Mapping[str, Any]], sought: str) -> list[Mapping[str, Any]]:
    """The patrons whose name or e-mail contains `sought`, ignoring case and accents."""
    folded = _folded(sought.strip())
    return [
        patron
        for patron in roster
        if folded in _folded(patron["name"]) or folded in _folded(patron["email"])
    ]


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()


def roster_view(roster: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The patrons by name; waiver_signed_at: epoch milliseconds, or None."""
    return [
        {
            "email": patron["email"],
            "name": patron["name"],
            "waiver_signed_at": patron["waiver_signed_at"],
        }
        for patron in sorted(roster, key=lambda each: str(each["name"]).casefold())
    ]
