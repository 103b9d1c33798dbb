"""Text from outside, made harmless for a terminal: one line, nothing that moves or hides."""

from __future__ import annotations

import unicodedata

from shared.text import BIDI_CONTROLS

# Cc, Cf: control and format characters (escape codes, zero-width). Co, Cn: fonts differ on them.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_LONGEST_LINE = 2_000


def safe(text: str, longest: int = 200) -> str:
    """`text` on one line with hidden characters spelled out, cut after `longest` characters."""
    shown = "".join(_spelled(each) for each in text[:longest])
    return f"{shown}… ({len(text)} characters)" if len(text) > longest else shown


def safe_lines(text: str) -> str:
    """Sentences of our own that may quote a file's name or a foreign word: their lines stay."""
    return "\n".join(safe(line, _LONGEST_LINE) for line in text.split("\n"))


def _spelled(character: str) -> str:
    if character in BIDI_CONTROLS or unicodedata.category(character) in _HIDDEN:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
