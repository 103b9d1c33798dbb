"""What text may hold wherever people type it, and how mails and commands write what they show."""

from __future__ import annotations

import hashlib
import re
import unicodedata

EMAIL = r"[^\s@]{1,64}@[^\s@]{1,189}"  # as a regular expression; the parts' lengths are RFC 5321's

INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul's fillers

# Unicode's direction marks, overrides and isolates, which make text read as something else.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def one_line(text: str) -> str:
    """Data as harmless text: no line break, control or direction mark survives."""
    return "".join(
        " " if unicodedata.category(each) in {"Cc", "Zl", "Zp"}
        else "\ufffd" if unicodedata.category(each) == "Cs" or each in BIDI_CONTROLS
        else each
        for each in text
    )  # fmt: skip


def dollars(cents: int) -> str:
    """As people read it: 123450 is "$1,234.50", and -50 is "-$0.50"."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02d}"


def search_token(own_id: str) -> str:
    """The word that finds a mail. Alphanumeric: Gmail's index splits words at dashes and dots."""
    return "AUD" + hashlib.sha256(own_id.encode()).hexdigest()[:16]


def file_name(text: str) -> str:
    """Text as part of a file's name, on any system: other characters become one dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:80].strip("-.") or "unnamed"
