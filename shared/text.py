"""Characters that neither a form nor a mail may let through."""

from __future__ import annotations

# Unicode's direction marks, overrides and isolates, which make text read as something else.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
