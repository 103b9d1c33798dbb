"""Tables nobody thought of: whatever a platform writes is in the list and usable, or refused alike.

The default tries the same tables on every run; SCC_PLATFORMS=500 tries that many new ones.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functions.api.conftest import Answer, Client, put, start_over

PLATFORMS = os.environ.get("SCC_PLATFORMS", "")
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ids = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda each: str(each).upper()),
    st.from_regex(r"[A-Za-z0-9._/#% -]{1,12}", fullmatch=True),
    texts,
)
addresses = st.one_of(
    st.sampled_from(["jane@x.example", "Jane@X.example", "JANE@X.EXAMPLE", "é@x.example"]),
    st.emails(),
    st.uuids().map(str),
    texts,
)
values = st.one_of(
    texts,
    st.just(""),
    st.none(),
    st.booleans(),
    st.integers(-5, 4_200_000_000_000),
    st.decimals(0, 10**6, places=2),
    st.binary(min_size=1, max_size=3),
    st.sampled_from(["28", "2026-11-28", "1795915800", "2026-11-28T18:30:00Z", "20261128"]),
    st.just({"nested": ["x"]}),
)
dates = st.one_of(
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda each: each.isoformat()),
    st.integers(0, 4_200_000_000).map(str),
    texts,
)
event_attributes = st.dictionaries(
    st.sampled_from(
        ["name", "Name", "eventName", "timezone", "TimeZone", "location", "roster_size"]
    ),
    st.one_of(values, st.sampled_from(["America/New_York", "Europe/Paris"])),
    max_size=4,
)
patron_attributes = st.dictionaries(
    st.sampled_from(["name", "firstName", "email", "Email", "waiver_signed_at"]),
    st.one_of(values, addresses),
    max_size=4,
)
sort_keys = st.one_of(st.just("META"), st.just("META"), st.just("META"), texts)


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for event_id in draw(st.lists(ids, min_size=1, max_size=3, unique=True)):
        meta = draw(event_attributes)
        listed = {"listing": "event", "event_date": draw(dates)}
        rows.append(meta | listed | {"event_id": event_id, "SK": draw(sort_keys)})
        for address in draw(st.lists(addresses, max_size=3, unique=True)):
            patron = draw(patron_attributes)
            rows.append(patron | {"event_id": event_id, "SK": f"PATRON#{address}"})
    return rows


@settings(
    max_examples=int(PLATFORMS or 40),
    derandomize=not PLATFORMS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(rows=tables())
def test_what_is_listed_can_be_opened_and_paid_for_and_the_rest_is_refused_alike(
    world: tuple[dict[str, str], Any], rows: list[dict[str, Any]]
) -> None:
    admin = start_over(world)
    assert admin.sign_in("admin").status == 200
    for row in rows:
        put(admin, "Events", row)
    page = admin.call("GET", "/api/events").json
    listed = {each["event_id"] for each in page["events"]} - {"sunset-charter"}
    refused = {each["event_id"]: each["problem"] for each in page["problems"]}
    assert sorted([*listed, *refused]) == sorted(
        row["event_id"] for row in rows if "listing" in row
    ), "no event is left out, and none is there twice"
    for event_id in listed:
        _is_usable(admin, event_id)
    for event_id, problem in refused.items():
        for answer in (shown(admin, event_id), admin.log(event_id=event_id)):
            assert answer.status in {409, 422}, answer.text
            assert answer.json["errors"][0]["message"] == problem


def _is_usable(admin: Client, event_id: str) -> None:
    answer = shown(admin, event_id)
    assert answer.status == 200, answer.text
    assert admin.call("GET", f"/g/{event_id}/waiver").status == 200
    for patron in answer.json["roster"]:
        logged = admin.log(event_id=event_id, patron_email=patron["email"])
        assert logged.status == 200, logged.text
        assert logged.json["payment"]["patron_name"] == patron["name"]
        assert logged.json["payment"]["event_name"] == answer.json["event"]["name"]
        signature = {"name": "Jane Doe", "email": patron["email"]}
        signed = admin.call("POST", f"/g/{event_id}/waiver", signature)
        assert signed.status in {200, 409}, signed.text
    for problem in answer.json["problems"]:
        if problem["email"] is not None:
            logged = admin.log(event_id=event_id, patron_email=problem["email"])
            assert (logged.status, logged.json["detail"]) == (409, problem["problem"])


def shown(admin: Client, event_id: str) -> Answer:
    return admin.call("GET", f"/api/events/{quote(event_id, safe='')}")
