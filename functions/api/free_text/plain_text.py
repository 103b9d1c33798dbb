"""One line that says what it shows: nothing hidden, nothing that disguises it. Pure."""

from __future__ import annotations

import unicodedata

from shared.text import BIDI_CONTROLS, INVISIBLE_LETTERS

# What plain_text accepts, as a pattern that JavaScript reads the same way.
PLAIN_TEXT = (
    "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
)
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_VISIBLE_CATEGORIES = "LNPS"  # letters, numbers, punctuation, symbols; the others need one of them
_BLANK = INVISIBLE_LETTERS | {"\u2800"}  # and the Braille pattern without dots


def plain_text(text: str) -> str:
    """One `shown` line without control, direction or surrogate characters. Raises ValueError."""
    for character in text:
        if unicodedata.category(character) in _REFUSED_CATEGORIES or character in BIDI_CONTROLS:
            raise ValueError("Remove line breaks, control characters and direction marks.")
    return shown(text)


def shown(text: str) -> str:
    """The text, trimmed; empty if a reader would see nothing."""
    is_seen = any(
        unicodedata.category(each)[0] in _VISIBLE_CATEGORIES and each not in _BLANK for each in text
    )
    return text.strip() if is_seen else ""
