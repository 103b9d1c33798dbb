"""How the items of a platform become ours: the adapter alone, on plain values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.api.http.problems import UnusableError
from functions.api.tables.platform_items import (
    PlatformItems,
    address_of,
    entries_among,
    entry_of,
    event_among,
)
from shared.attributes import Foreign

ITEMS = PlatformItems(ZoneInfo("America/New_York"))
META: dict[str, Any] = {
    "event_id": "sunset-charter",
    "SK": "META",
    "listing": "event",
    "event_date": "2026-11-28",
    "name": "Sunset Charter",
    "timezone": "America/Chicago",
    "location": "Pier 4",
    "roster_size": 2,
}
JANE: dict[str, Any] = {
    "event_id": "sunset-charter",
    "SK": "PATRON#jane.doe@example.com",
    "name": "Jane Doe",
}


def event(**changes: Any) -> dict[str, Any]:
    """A value of None is left out."""
    return ITEMS.event({name: each for name, each in (META | changes).items() if each is not None})


def patron(**changes: Any) -> dict[str, Any]:
    return ITEMS.patron({name: each for name, each in (JANE | changes).items() if each is not None})


def test_our_own_items_are_what_they_are() -> None:
    shown = {name: value for name, value in META.items() if name not in {"SK", "listing"}}
    assert event() == shown
    assert patron(email="jane.doe@example.com", waiver_signed_at=1_795_000_000_000) == {
        "email": "jane.doe@example.com",
        "name": "Jane Doe",
        "waiver_signed_at": 1_795_000_000_000,
        "waiver_name": "Jane Doe",
    }


@pytest.mark.parametrize(
    "event_id",
    [
        "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "EVT_2026.11.28",
        "5f1d7a1b2c3d4e5f60718293",
        "7",
    ],
)
def test_the_ids_that_platforms_make_are_taken_as_they_are(event_id: str) -> None:
    assert event(event_id=event_id)["event_id"] == event_id


@pytest.mark.parametrize(
    "event_id",
    ["2026/11/28", "sunset charter", "île-de-ré", "a#b", "_evt", "..", "x" * 65, "a\n", "a%2Fb"],
)
def test_an_id_that_would_be_mistaken_somewhere_is_refused_in_words(event_id: str) -> None:
    with pytest.raises(UnusableError, match="An event's id must have 1 to 64") as refused:
        event(event_id=event_id)
    assert [each.field for each in refused.value.errors] == ["event_id"]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-28", "2026-11-28"),
        (" 2026-11-28 ", "2026-11-28"),
        ("20261128", "2026-11-28"),
        (20261128, "2026-11-28"),
        ("2026-11-28T23:30:00", "2026-11-28"),
        ("2026-11-29T01:30:00Z", "2026-11-28"),
        ("2026-11-29T01:30:00.000Z", "2026-11-28"),
        ("2026-11-28T19:30:00-06:00", "2026-11-28"),
        (1_795_915_800, "2026-11-28"),
        ("1795915800", "2026-11-28"),
        (1_795_915_800_000, "2026-11-28"),
        ("1795915800000", "2026-11-28"),
        ("1795915800.5", "2026-11-28"),
    ],
)
def test_a_date_or_a_moment_is_a_day_in_the_events_own_zone(written: Any, day: str) -> None:
    """1,795,915,800 is 2026-11-29 01:30 UTC, the evening before in Chicago."""
    assert event(event_date=written)["event_date"] == day


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        " ",
        "TBD",
        "11/28/2026",
        "Nov 28",
        "2026-02-30",
        5,
        "-1",
        10**20,
        True,
        Foreign("B"),
        Decimal("1795915800.5"),
    ],
)
def test_what_is_no_date_is_never_guessed(written: Any) -> None:
    with pytest.raises(UnusableError, match="event_date is neither a date"):
        event(event_date=written)


@pytest.mark.parametrize("named", [None, "", "  ", "\u200b", Foreign("B")])
def test_what_has_no_name_is_called_by_what_it_has(named: Any) -> None:
    assert event(name=named)["name"] == "sunset-charter"
    assert patron(name=named)["name"] == "jane.doe@example.com"


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"Name": "Jane"}, "Jane"),
        ({"NAME": "Jane"}, "Jane"),
        ({"patronName": "Jane"}, "Jane"),
        ({"patron_name": "Jane"}, "Jane"),
        ({"full-name": "Jane"}, "Jane"),
        ({"FirstName": "Jane", "last_name": "Doe"}, "Jane Doe"),
        ({"givenName": "Jane"}, "Jane"),
        ({"name": "", "Name": "Jane"}, "Jane"),
        ({"name": "Jane", "Name": "Someone Else"}, "Jane"),
        ({"name": 7}, "7"),
        ({"name": "  Jane\n\u202eDoe\t"}, "Jane Doe"),
        ({"name": "李小龍"}, "李小龍"),
    ],
)
def test_a_name_is_found_however_its_attribute_is_spelled(
    attributes: dict[str, Any], name: str
) -> None:
    assert patron(**({"name": None} | attributes))["name"] == name


def test_an_events_attributes_are_found_however_they_are_spelled() -> None:
    spelled = {
        "EventName": "Regatta",
        "TimeZone": "Europe/Paris",
        "Venue": "Quai 2",
        "rosterSize": "41",
    }
    gone = dict.fromkeys(("name", "timezone", "location", "roster_size"))
    found = event(**gone, **spelled, SortOrder=3, tags={"vip"}, owner={"id": 1})
    assert found["name"] == "Regatta"
    assert (found["timezone"], found["location"]) == ("Europe/Paris", "Quai 2")
    assert found["roster_size"] == 41
    assert found.keys() == event().keys()


@pytest.mark.parametrize("size", [None, "many", Decimal("0.5") * -1, Foreign("B"), True])
def test_a_roster_of_unknown_size_says_so(size: Any) -> None:
    assert event(roster_size=size)["roster_size"] is None


def test_an_event_without_a_zone_has_the_stacks_and_an_unknown_one_is_refused() -> None:
    assert event(timezone=None)["timezone"] == "America/New_York"
    assert event(timezone="")["timezone"] == "America/New_York"
    for unknown in ("Eastern Time (US & Canada)", "America", "../../etc/passwd"):
        with pytest.raises(UnusableError, match="no IANA name"):
            event(timezone=unknown)


@pytest.mark.parametrize(
    ("row", "address"),
    [
        ({"SK": "PATRON#Jane.Doe@Example.COM"}, "jane.doe@example.com"),
        ({"SK": "PATRON#jane@x.example", "email": "other@x.example"}, "jane@x.example"),
        ({"SK": "PATRON#3f2504e0", "email": " Jane@X.example "}, "jane@x.example"),
        ({"SK": "PATRON#3f2504e0", "E-Mail": "jane@x.example"}, "jane@x.example"),
        ({"SK": "PATRON#3f2504e0", "patronEmail": "jane@x.example"}, "jane@x.example"),
        ({"SK": "PATRON#o'brien+dock@example.com"}, "o'brien+dock@example.com"),
        ({"SK": "PATRON#3f2504e0"}, None),
        ({"SK": "PATRON#jane"}, None),
        ({"SK": "PATRON#jane@x.example\u202e"}, None),
        ({"SK": "PATRON#a b@x.example"}, None),
        ({"SK": "PATRON#" + "x" * 65 + "@x.example"}, None),
        ({"SK": "PATRON#3f2504e0", "email": Foreign("B")}, None),
    ],
)
def test_an_address_is_the_keys_or_else_the_attributes(
    row: dict[str, Any], address: str | None
) -> None:
    assert address_of(row) == address


def test_one_address_is_on_the_roster_once() -> None:
    rows = [META, JANE | {"SK": "PATRON#Jane.Doe@Example.com", "name": "In capitals"}, JANE]
    assert entries_among(rows) == [JANE]
    assert entry_of(rows, "jane.doe@example.com") == JANE
    assert entries_among(rows[:2])[0]["name"] == "In capitals"


def test_what_else_a_platform_keeps_with_an_event_is_nobody_on_the_roster() -> None:
    boat = {"event_id": "sunset-charter", "SK": "BOAT#7", "email": "boat@example.com", "name": "B"}
    assert entries_among([META, boat, JANE]) == [JANE]
    assert event_among([boat, JANE]) is None


def test_an_event_under_another_sort_key_is_refused_in_words() -> None:
    row = META | {"SK": "#METADATA"}
    assert event_among([JANE, row]) == row
    with pytest.raises(UnusableError, match="another sort key than META"):
        ITEMS.event(row)


def test_a_name_too_long_for_a_mail_is_refused() -> None:
    assert len(event(name="x" * 200)["name"]) == 200
    for read in (event, patron):
        with pytest.raises(UnusableError, match="more than 200 characters"):
            read(name="x" * 201)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        (1_795_000_000, 1_795_000_000_000),
        ("1795000000", 1_795_000_000_000),
        (1_795_000_000_123, 1_795_000_000_123),
        ("2026-11-18T11:06:40Z", 1_795_000_000_000),
        ("2026-11-18T06:06:40-05:00", 1_795_000_000_000),
        ("2026-11-18", 1_794_960_000_000),
        (None, None),
        ("", None),
        ("yes", None),
        (True, None),
        (5, None),
    ],
)
def test_a_signature_has_a_moment_or_none(written: Any, moment: int | None) -> None:
    assert patron(waiver_signed_at=written)["waiver_signed_at"] == moment


def test_what_can_be_used_and_what_cannot_are_told_apart_and_nothing_is_lost() -> None:
    nobody = {"event_id": "sunset-charter", "SK": "PATRON#7", "name": "Sam"}
    found = ITEMS.roster([META, JANE, nobody])
    assert [each["name"] for each in found.usable] == ["Jane Doe"]
    problem = "This patron has no e-mail address on the roster."
    assert found.problems == [{"email": None, "name": "Sam", "problem": problem}]
    listed = ITEMS.events([META, META | {"event_id": "a b"}, META | {"event_date": "TBD"}])
    assert [each["event_id"] for each in listed.usable] == ["sunset-charter"]
    assert [each["event_id"] for each in listed.problems] == ["a b", "sunset-charter"]
