"""No card number is let through, however it is typed, and no other number is taken for one."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from functions.api.free_text.card_numbers import no_card_number

CHANCE = random.Random(20261127)  # noqa: S311 - no secret: the same notes every time
ISSUERS = (
    ("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("6011", 16), ("65", 16), ("644", 16), ("300", 14), ("36", 14), ("38", 14), ("3528", 16),
    ("3589", 16), ("62", 16), ("62", 19), ("4", 19), ("6304", 19),
)  # fmt: skip
SEPARATORS = (
    " ", "-", ".", "/", "  ", "    ", " - ", " -- ", "\u00a0", "\u2009", "\u2011", "_", ", ", "·",
    " | ", "\u200b", ":", "..", ") (", "+",
)  # fmt: skip


def numbered(prefix: str, length: int) -> str:
    """A card number that no bank has given out, as far as chance goes."""
    digits = prefix + "".join(CHANCE.choices("0123456789", k=length - len(prefix) - 1))
    doubled = [int(each) * (2 if n % 2 == 0 else 1) for n, each in enumerate(reversed(digits))]
    return digits + str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)


def groups(digits: str) -> list[str]:
    """In one run, as on cards, in equal parts, or anyhow."""
    match CHANCE.randrange(4):
        case 0:
            return [digits]
        case 1:
            sizes = {15: [4, 6, 5], 14: [4, 6, 4]}.get(len(digits), [4] * 5)
        case 2:
            sizes = [CHANCE.randint(1, 8)] * len(digits)
        case _:
            sizes = CHANCE.choices(range(1, 9), k=len(digits))
    parts = list[str]()
    for size in sizes:
        parts, digits = [*parts, digits[:size]], digits[size:]
    return [each for each in parts if each]


def typed() -> str:
    digits = numbered(*CHANCE.choice(ISSUERS))
    text = CHANCE.choice(SEPARATORS).join(groups(digits))
    return CHANCE.choice(
        ("{}", "card {}", "{} thanks", "paid with {}, exp 12/29", "12/29 {}")
    ).format(text)


def phone() -> str:
    area, exchange, line = (
        CHANCE.randint(201, 989),
        CHANCE.randint(200, 999),
        CHANCE.randint(0, 9999),
    )
    shape = CHANCE.choice(
        (
            "{}-{}-{:04}",
            "({}) {}-{:04}",
            "{}.{}.{:04}",
            "{} {} {:04}",
            "{}{}{:04}",
            "+1 {} {} {:04}",
        )
    )
    return shape.format(area, exchange, line)


def date() -> str:
    year, month, day = CHANCE.randint(2024, 2030), CHANCE.randint(1, 12), CHANCE.randint(1, 28)
    return CHANCE.choice(("{0}-{1:02}-{2:02}", "{1}/{2}/{0}", "{2:02}.{1:02}.{0}")).format(
        year, month, day
    )


def money() -> str:
    return f"{CHANCE.randint(1, 99_999):,}.{CHANCE.randint(0, 99):02}"


def trace() -> str:
    return f"{CHANCE.randint(0, 32_000_000):08}{CHANCE.randint(0, 9_999_999):07}"


def checks() -> str:
    first, step = CHANCE.randint(100, 99_000), CHANCE.choice((1, 1, 1, 2, 10))
    numbers = [str(first + step * n) for n in range(CHANCE.randint(2, 8))]
    return CHANCE.choice((", ", " ", "; ", "/", " - ", ",")).join(numbers)


def realistic_notes(count: int) -> Iterator[str]:
    kinds = (phone, date, money, trace, checks)
    between = (", ", " / ", " ", "; ", " and ", " - ")
    for _ in range(count):
        kind = CHANCE.choice(kinds)
        several = [kind() for _ in range(1 if kind is checks else CHANCE.randint(1, 4))]
        start = CHANCE.choice(("", "Checks ", "call ", "ACH ", "dates: "))
        yield start + CHANCE.choice(between).join(several)


def is_refused(text: str) -> bool:
    try:
        no_card_number(text)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111    1111    1111    1111",
        "4111 -- 1111 -- 1111 -- 1111",
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
        "3056 930902 5904",
        "4222222222222",
        "6304000000000000000",
        "2223003122003222",
        "3530111333300000",
    ],
)
def test_a_card_number_is_refused_however_it_is_grouped(text: str) -> None:
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
        "Checks 1041, 1042, 1043, 1044",
        "Checks 4011, 4012, 4013, 4014, 4015, 4016, 4017, 4018, 4019, 4020, 4021, 4022",
        "415-555-0142, 650-555-0199",
        "4155550142 / 6505550199",
        "+49 1512 3456789",
        "4,500.00 + 10,500.00 + 5,400.00",
        "1234567890128",
        "9999 9999 9999 9995",
    ],
)
def test_other_numbers_are_fine(text: str) -> None:
    assert no_card_number(text) == text


def test_of_ten_thousand_card_numbers_none_is_let_through() -> None:
    let_through = [each for each in (typed() for _ in range(10_000)) if not is_refused(each)]
    assert let_through == []


def test_of_ten_thousand_notes_about_other_things_none_is_refused() -> None:
    assert [each for each in realistic_notes(10_000) if is_refused(each)] == []
