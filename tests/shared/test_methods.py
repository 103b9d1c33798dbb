from __future__ import annotations

from typing import get_args

import pytest

from shared.methods import (
    METHODS,
    Method,
    is_unique_reference,
    label_of,
    reference_key,
    title_of,
)


def test_every_method_of_the_type_has_its_rules() -> None:
    assert tuple(METHODS) == get_args(Method)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_own_label(method: str) -> None:
    assert label_of(method)
    assert [each.label for each in METHODS.values()].count(label_of(method)) == 1


def test_a_line_starts_with_a_capital() -> None:
    assert [title_of(each) for each in ("credit_card", "ach")] == ["Credit card", "ACH"]


def test_a_method_from_another_release_keeps_its_own_name() -> None:
    assert label_of("barter") == "barter"
    assert not is_unique_reference("barter", "1042")


@pytest.mark.parametrize(
    ("method", "reference", "is_unique"),
    [
        ("check", "1042", True),
        ("ach", "A-77", True),
        ("ach", "n/a", False),
        ("check", "", False),
        ("credit_card", "4242", False),
        ("cash", "7", False),
    ],
)
def test_only_check_and_trace_numbers_are_unique(
    method: str, reference: str, *, is_unique: bool
) -> None:
    assert is_unique_reference(method, reference) is is_unique


@pytest.mark.parametrize(
    "typed",
    [
        "1042",
        "01042",
        "0001042",
        "#1042",
        " 10-42 ",
        "10\u200b42",
        "\uff11\uff10\uff14\uff12",
        "\uff03 1042.",
        "\u2460042",
        "No. 1042",
        "\u2116 1042",
        "Check no. 01042",
        "CHK-1042",
        "cheque number 1042",
    ],
)
def test_a_check_number_is_one_number_however_it_is_typed(typed: str) -> None:
    assert reference_key(typed) == "1042"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("TRN-7", "trn7"),
        ("Straße", "strasse"),
        ("0", "0"),
        ("000", "0"),
        ("", ""),
        ("—", ""),
        ("\u200b", ""),
        ("\u3164", ""),
    ],
)
def test_a_reference_without_a_visible_letter_or_digit_is_none(typed: str, key: str) -> None:
    assert reference_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "key"),
    [("A-77", "a77"), ("N/A", "na"), ("no", "no"), ("north 5", "north5"), ("10no42", "10no42")],
)
def test_words_that_are_part_of_a_number_stay(typed: str, key: str) -> None:
    assert reference_key(typed) == key
