from __future__ import annotations

import pytest

from functions.api.free_text.plain_text import plain_text


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\x00b", "a\u2028b", "\u202ea", "\ud800", "\x85"]
)
def test_characters_that_could_disguise_a_line_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        plain_text(text)


def test_names_in_any_script_are_kept() -> None:
    assert plain_text(" Séamus O'Brien 李小龍 🚢 ") == "Séamus O'Brien 李小龍 🚢"


INVISIBLE = [
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u2800",
    "\ufe0f",
    " \u200b ",
    "\u3000",
]


@pytest.mark.parametrize("text", INVISIBLE)
def test_text_that_nobody_can_see_counts_as_empty(text: str) -> None:
    assert plain_text(text) == ""


@pytest.mark.parametrize("text", [".", "0", "🚢", "👩\u200d✈️", "नि\u200d"])
def test_a_single_character_that_shows_is_enough_and_its_joiners_are_kept(text: str) -> None:
    assert plain_text(text) == text
