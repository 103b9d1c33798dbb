"""Where a message lies. Moving it changes labels only: its id and thread stay, as in Gmail."""

from collections.abc import Iterable
from typing import Literal, get_args

Place = Literal["inbox", "spam", "trash"]
PLACES: tuple[Place, ...] = get_args(Place)
_LABELS: dict[Place, str] = {"inbox": "INBOX", "spam": "SPAM", "trash": "TRASH"}
_HAS = "seq IN (SELECT seq FROM labels WHERE label = '{}')"
NEITHER_SPAM_NOR_TRASH = "seq NOT IN (SELECT seq FROM labels WHERE label IN ('SPAM', 'TRASH'))"
"""A condition on `messages`: what Gmail shows unless a search asks for more."""


def place_named(name: object) -> Place | None:
    return next((place for place in PLACES if place == name), None)


def moved(labels: Iterable[str], place: Place) -> list[str]:
    """Return the labels after a move: UNREAD, SENT and the like stay."""
    return [*(label for label in labels if label not in _LABELS.values()), _LABELS[place]]


def place_of(labels: Iterable[str]) -> Place | None:
    """Return the place that readers see; None for mail that is only sent, or archived."""
    held = set(labels)
    for place in ("trash", "spam", "inbox"):
        if _LABELS[place] in held:
            return place
    return None


def lies_in(place: Place) -> str:
    """Return a condition on `messages`."""
    has = _HAS.format(_LABELS[place])
    return f"{has} AND {NEITHER_SPAM_NOR_TRASH}" if place == "inbox" else has
