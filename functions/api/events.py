"""Events and rosters as the API shows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from functions.api.money import text_from_cents


def event_view(
    meta: Mapping[str, Any], head: Mapping[str, Any] | None, *, money: bool
) -> dict[str, Any]:
    """An event; with `money`, also the count and total of its payments."""
    names = ("event_id", "name", "event_date", "timezone", "location", "roster_size")
    view = {name: meta.get(name) for name in names}
    if money:
        totals = head or {}
        view |= {
            "payments_count": totals.get("payments_count", 0),
            "total": text_from_cents(totals.get("total_cents", 0)),
            "last_payment_at": totals.get("last_logged_at"),
        }
    return view


def matching(roster: Sequence[Mapping[str, Any]], sought: str) -> list[Mapping[str, Any]]:
    """The patrons whose name or e-mail holds `sought`, whatever its case and diacritics."""
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
            "waiver_signed_at": patron.get("waiver_signed_at"),
        }
        for patron in sorted(roster, key=lambda each: str(each["name"]).casefold())
    ]
