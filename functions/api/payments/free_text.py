"""What people may type into a name, a reference or a note."""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate

from shared.text import BIDI_CONTROLS, INVISIBLE_LETTERS

# What plain_text accepts, as a pattern that JavaScript reads the same way.
PLAIN_TEXT = (
    "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
)
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_VISIBLE_CATEGORIES = "LNPS"  # letters, numbers, punctuation, symbols; the others need one of them
_BLANK = INVISIBLE_LETTERS | {"\u2800"}  # and the Braille pattern without dots
_DIGIT_GROUPS = re.compile(r"[0-9]+(?:[^0-9A-Za-z]{1,3}[0-9]+)*")


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


CARD_REFUSAL = "Do not enter card numbers; the last four digits are enough."


def no_card_number(text: str) -> str:
    """Card numbers must not reach a mailbox, however they are spaced. Raises ValueError.

    A card number is 13 to 19 digits that pass the Luhn checksum (ISO/IEC 7812). Of 15 digits only
    those of American Express (34, 37) are cards; the others are trace numbers of ACH payments.
    """
    visible = "".join(
        str(unicodedata.decimal(each, each))
        for each in unicodedata.normalize("NFKC", text)
        if unicodedata.category(each) != "Cf"
    )
    for match in _DIGIT_GROUPS.finditer(visible):
        groups = re.findall(r"[0-9]+", match[0])
        for first in range(len(groups)):
            if any(map(_is_card_number, accumulate(groups[first:]))):
                raise ValueError(CARD_REFUSAL)
    return text


def _is_card_number(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or (len(digits) == 15 and digits[:2] not in {"34", "37"}):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
