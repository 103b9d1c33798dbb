"""What text may hold wherever people type it: an address's form, characters that never pass."""

from __future__ import annotations

EMAIL = r"[^\s@]{1,64}@[^\s@]{1,189}"  # as a regular expression; the parts' lengths are RFC 5321's

INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul's fillers

# Unicode's direction marks, overrides and isolates, which make text read as something else.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
