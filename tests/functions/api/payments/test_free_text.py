from __future__ import annotations

import pytest

from functions.api.payments.free_text import no_card_number, plain_text


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4111\u00a01111\u20091111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "٤١١١١١١١١١١١١١١١",
        "4111\u20111111\u20141111:1111",
        "card 4111 1111 1111 1111 12/29 thanks",
        "12/29 4111.1111.1111.1111",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "4222222222222",
        "6304000000000000000",
    ],
)
def test_a_card_number_is_refused_in_any_spacing(text: str) -> None:
    with pytest.raises(ValueError, match="card numbers"):
        no_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1042",
        "091000019000001",
        "4111111111111112",
        "auth 004512, last four 1111",
        "2026-11-28",
    ],
)
def test_other_numbers_are_fine(text: str) -> None:
    assert no_card_number(text) == text


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
