"""What came from outside, made harmless for a terminal: one line, nothing that moves or hides."""

from __future__ import annotations

import unicodedata

from shared.text import BIDI_CONTROLS

# Cc, Cf: control and format characters (escape codes, zero-width). Co, Cn: shown as who knows what.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe(text: str, longest: int = 200) -> str:
    """`text` on one line, every hidden character spelled out, cut after `longest` of its own."""
    shown = "".join(_spelled(each) for each in text[:longest])
    return f"{shown}… ({len(text)} characters)" if len(text) > longest else shown


def _spelled(character: str) -> str:
    if character in BIDI_CONTROLS or unicodedata.category(character) in _HIDDEN:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
