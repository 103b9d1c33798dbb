"""Card numbers must not reach a ledger or a mailbox, however they are typed. Pure.

What looks like one has an issuer's prefix and length and passes the Luhn checksum (ISO/IEC 7812),
in one run of digits or in groups. Of lists of check numbers or telephone numbers that begin like a
card, one in ten would pass by chance: such groups are told by what they are.
Prefixes: https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

CARD_REFUSAL = "Do not enter card numbers; the last four digits are enough."

_ISSUERS = (
    ("Visa", re.compile(r"4"), (13, 16, 19)),
    ("Mastercard", re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    ("American Express", re.compile(r"3[47]"), (15,)),
    ("Discover", re.compile(r"6011|64[4-9]|65"), (16, 19)),
    ("Diners Club", re.compile(r"30[0-5]|36|3[89]"), (14,)),
    ("JCB", re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),
    ("UnionPay", re.compile(r"62"), (16, 17, 18, 19)),
    ("Maestro", re.compile(r"5018|5020|5038|5893|6304|6759|676[1-3]"), range(13, 20)),
)  # fmt: skip
_SHORTEST, _LONGEST = 13, 19
_GROUP = re.compile(r"[0-9]+")
_RUN = re.compile(r"[0-9]+(?:[^0-9A-Za-z]+[0-9]+)*")
_YEAR, _MONTH, _DAY = r"(?:19|20)[0-9]{2}", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12][0-9]|3[01])"
_KNOWN = re.compile(
    "|".join(
        rf"(?<![0-9]){each}(?![0-9])"
        for each in (
            r"\+[0-9](?:[ .\-/()]*[0-9]){6,14}(?![ .\-]?[0-9])",  # a telephone number, E.164
            r"\(?[2-9][0-9]{2}\)?[ .\-/]*[2-9][0-9]{2}[ .\-]?[0-9]{4}",  # one of North America
            r"[2-9][0-9]{2}-[0-9]{4}",  # a local one there
            rf"{_YEAR}([\-./]){_MONTH}\1{_DAY}",
            rf"{_MONTH}([\-./]){_DAY}\2(?:{_YEAR}|[0-9]{{2}})",
            rf"{_DAY}([\-./]){_MONTH}\3(?:{_YEAR}|[0-9]{{2}})",
            r"[0-9]{1,3}(?:,[0-9]{3})*\.[0-9]{2}(?![,.][0-9])",  # money
            r"[0-9]{1,3}(?:,[0-9]{3})+(?![,.][0-9])",
        )
    )
)
_AS_ON_SHORT_CARDS = ((13,), (4, 3, 3, 3))  # many lists of other numbers have 13 digits
_STEP = 100  # how far numbers of a list are apart, at the most


def no_card_number(text: str) -> str:
    """The text as it is. Raises ValueError if a part of it looks like a card number."""
    visible = "".join(
        str(unicodedata.decimal(each, each))
        for each in unicodedata.normalize("NFKC", text)
        if unicodedata.category(each) != "Cf"
    )
    for run in _RUN.finditer(visible):
        if any(map(_is_card_number, _windows(visible, run.start(), run.end()))):
            raise ValueError(CARD_REFUSAL)
    return text


@dataclass(frozen=True, slots=True)
class _Window:
    """Groups of digits that follow one another, long enough to be a card number."""

    groups: Sequence[str]

    @property
    def digits(self) -> str:
        return "".join(self.groups)

    @property
    def is_list(self) -> bool:
        """Whether these are numbers in their order, as of checks or invoices."""
        if len(self.groups) < 3 or len({*map(len, self.groups)}) > 1 or len(self.groups[0]) < 3:
            return False
        steps = [int(later) - int(earlier) for earlier, later in pairwise(self.groups)]
        return all(0 < each < _STEP for each in steps) or all(-_STEP < each < 0 for each in steps)


def _windows(text: str, start: int, end: int) -> Iterator[_Window]:
    """Those that cut no telephone number, date or sum of money, and are not made of these.

    What is made of several such has more than one kind of separator.
    """
    groups = [*_GROUP.finditer(text, start, end)]
    known = [each.span() for each in _KNOWN.finditer(text)]
    for first, opening in enumerate(groups):
        length = 0
        for last in range(first, len(groups)):
            length += len(groups[last][0])
            if length > _LONGEST:
                break
            begin, stop = opening.start(), groups[last].end()
            is_cut = any(a < begin < b or a < stop < b for a, b in known)
            window = groups[first : last + 1]
            separators = {text[a.end() : b.start()] for a, b in pairwise(window)}
            is_known = len(separators) > 1 and all(
                any(a <= each.start() and each.end() <= b for a, b in known) for each in window
            )
            if length >= _SHORTEST and not (is_cut or is_known):
                yield _Window([each[0] for each in window])


def _is_card_number(window: _Window) -> bool:
    digits = window.digits
    is_issued = any(
        prefix.match(digits) and len(digits) in lengths for _, prefix, lengths in _ISSUERS
    )
    sizes = tuple(map(len, window.groups))
    if len(digits) == _SHORTEST and sizes not in _AS_ON_SHORT_CARDS:
        return False
    return is_issued and _passes_luhn(digits) and not window.is_list


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
