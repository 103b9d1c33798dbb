"""Dollar amounts as people and browsers write them, to and from integer cents."""

from __future__ import annotations

import re

# Dollars and cents as a pattern; it also holds in JavaScript.
AMOUNT_PATTERN = r"^ *\$? ?([0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,12})(?:\.([0-9]{1,2}))? *$"
_AMOUNT = re.compile(AMOUNT_PATTERN)


class AmountError(ValueError):
    """The text is not an amount of dollars and cents."""


def cents_from_text(text: str) -> int:
    """`"125"`, `"125.00"`, `"$1,234.50"` as cents. Raises AmountError; never rounds."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise AmountError('Enter the amount in dollars and cents, for example "125.00".')
    dollars, cents = match.groups(default="")
    return int(dollars.replace(",", "")) * 100 + int(cents.ljust(2, "0"))


def text_from_cents(cents: int) -> str:
    """The wire form: `12500` as `"125.00"`, `-50` as `"-0.50"`."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{dollars}.{rest:02d}"
