"""A name that is no time zone never stops a program, whatever it holds."""

from __future__ import annotations

import pytest

from shared.zones import has_zones, zone_called


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "America", "Etc", "Nowhere/None", "/etc/passwd", "../UTC", "zone.tab",
     "tzdata.zi", "x" * 5_000, "a\x00b", "\ud800", "\u202e"],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_time_zone_is_none(name: str) -> None:
    assert zone_called(name) is None


def test_a_time_zone_is_found_by_its_name() -> None:
    assert str(zone_called("America/New_York")) == "America/New_York"
    assert has_zones()
