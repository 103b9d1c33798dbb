from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.settings import SettingsError, read_settings, zone_named


@dataclass(frozen=True)
class Example:
    queue_url: str
    limit: int = 5


def test_reads_upper_case_variables_and_converts_numbers() -> None:
    assert read_settings(Example, {"QUEUE_URL": "q", "LIMIT": "7"}) == Example("q", 7)


def test_an_empty_variable_counts_as_absent() -> None:
    assert read_settings(Example, {"QUEUE_URL": "q", "LIMIT": ""}).limit == 5


@pytest.mark.parametrize(
    ("environ", "named"), [({}, "QUEUE_URL"), ({"QUEUE_URL": "q", "LIMIT": "x"}, "LIMIT")]
)
def test_names_the_variable_that_is_wrong(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read_settings(Example, environ)


def test_a_zone_is_known_by_its_name() -> None:
    assert zone_named("America/New_York").key == "America/New_York"


@pytest.mark.parametrize("name", ["", "Boston", "EST/Nowhere", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_answered_with_what_to_set(name: str) -> None:
    with pytest.raises(SettingsError, match="BUSINESS_TIMEZONE"):
        zone_named(name)
