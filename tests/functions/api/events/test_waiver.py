"""The waiver of an event: the page, and signing it once."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

import pytest

from functions.api.events.waiver_page import waiver_page
from shared.attributes import from_attributes, to_attributes
from tests.functions.api.conftest import PATRONS, Answer, Client

PATH = "/g/sunset-charter/waiver"
JANE = {"name": "Jane Q. Doe", "email": "jane.doe@example.com"}


@pytest.fixture(autouse=True)
def nobody_has_signed(api: Client) -> None:
    for email, name in PATRONS.items():
        put(api, email=email, name=name)


def put(api: Client, **patron: Any) -> None:
    item = {"event_id": "sunset-charter", "SK": f"PATRON#{patron['email']}"} | patron
    api.dynamodb.put_item(TableName=api.tables["Events"], Item=to_attributes(item))


def sign(api: Client, path: str = PATH, **changes: Any) -> Answer:
    return api.call("POST", path, JANE | changes)


def entry(api: Client, email: str = JANE["email"]) -> dict[str, Any]:
    rows = [from_attributes(item) for item in api.rows("Events")]
    return next(row for row in rows if row["SK"] == f"PATRON#{email}")


def test_the_waiver_is_an_html_page_with_a_form(api: Client) -> None:
    answer = api.call("GET", PATH)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Sunset Charter" in answer.text
    assert "Saturday, November 28, 2026" in answer.text
    assert f'action="{PATH}"' in answer.text


def test_the_page_keeps_to_the_content_security_policy_and_to_its_own_references(
    api: Client,
) -> None:
    text = api.call("GET", PATH).text
    assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|https?://", text)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for named in re.findall(r'\s(?:for|aria-\w+edby)="([^"]+)"', text):
        assert set(named.split()) <= set(ids)


def test_an_events_name_never_becomes_markup() -> None:
    hostile = "<script>alert(1)</script>\"'&"
    page = waiver_page(
        {"event_id": "x", "name": hostile, "event_date": "2026-11-28", "location": hostile}
    )
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;") == 3


def test_the_waiver_of_an_unknown_event_is_a_page_too(api: Client) -> None:
    answer = api.call("GET", f"/g/{quote('<script>')}/waiver")
    assert answer.status == 404
    assert "<script>" not in answer.text


def test_a_signature_is_on_the_roster_with_the_servers_time(api: Client) -> None:
    before = time.time_ns() // 1_000_000
    answer = sign(api, email="Jane.Doe@Example.com")
    assert answer.status == 200
    waiver = answer.json["waiver"]
    assert before <= waiver.pop("signed_at") <= time.time_ns() // 1_000_000
    assert waiver == JANE | {"event_id": "sunset-charter"}
    assert entry(api) == {
        "event_id": "sunset-charter",
        "SK": "PATRON#jane.doe@example.com",
        "email": "jane.doe@example.com",
        "name": "Jane Doe",
        "waiver_signed_at": answer.json["waiver"]["signed_at"],
        "waiver_name": "Jane Q. Doe",
        "waiver_email": "Jane.Doe@Example.com",
    }
    api.sign_in("crew")
    roster = api.call("GET", "/api/events/sunset-charter").json["roster"]
    signed = {patron["email"]: patron["waiver_signed_at"] for patron in roster}
    assert signed["jane.doe@example.com"] == answer.json["waiver"]["signed_at"]
    assert signed["lee@example.com"] is None


def test_signing_again_with_the_same_name_returns_the_first_signature(api: Client) -> None:
    first = sign(api)
    again = sign(api, name="  jane q.  DOE ")
    assert (again.status, again.json) == (200, first.json)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_different_name_never_replaces_a_signature_and_is_told_its_time(
    api: Client,
) -> None:
    put(
        api,
        email="jane.doe@example.com",
        name="Jane Doe",
        waiver_name="Jane Q. Doe",
        waiver_signed_at=1_795_000_000_000,
    )
    before = entry(api)
    answer = sign(api, name="Someone Else")
    assert (answer.status, answer.fields) == (409, ["email"])
    assert answer.json["code"] == "waiver_already_signed"
    assert "November 18, 2026 at 11:06 UTC" in answer.json["detail"]
    assert "Jane" not in answer.text, "who signed is not told to strangers"
    assert entry(api) == before


def test_a_signature_without_a_name_counts_as_the_patrons_own(api: Client) -> None:
    put(api, email="lee@example.com", name="李小龍", waiver_signed_at=1_795_000_000_000)
    same = sign(api, email="lee@example.com", name="李小龍")
    assert (same.status, same.json["waiver"]["signed_at"]) == (200, 1_795_000_000_000)
    assert sign(api, email="lee@example.com", name="Bruce").status == 409


def test_someone_not_on_the_roster_cannot_sign_and_is_not_added(api: Client) -> None:
    rows = len(api.rows("Events"))
    answer = sign(api, email="stranger@example.com")
    assert (answer.status, answer.fields) == (422, ["email"])
    assert answer.json["errors"][0]["code"] == "patron_not_on_roster"
    assert len(api.rows("Events")) == rows


@pytest.mark.parametrize("event", ["no-such-event", "NOT-AN-ID", "%3Cscript%3E", "META"])
def test_there_is_no_waiver_without_an_event(api: Client, event: str) -> None:
    rows = len(api.rows("Events"))
    answer = sign(api, f"/g/{event}/waiver")
    assert (answer.status, answer.fields) == (404, ["event_id"])
    assert len(api.rows("Events")) == rows


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "\u200d\u200d"}, "name"),
        ({"name": "\u3164"}, "name"),
        ({"name": "7\u3164"}, "name"),
        ({"name": "12345"}, "name"),
        ({"name": "Jane 4111 1111 1111 1111"}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Jane\nDoe"}, "name"),
        ({"name": "Jane\u202eeoD"}, "name"),
        ({"name": "Jane\u0000"}, "name"),
        ({"name": "Jane\ud800"}, "name"),
        ({"name": ["Jane"]}, "name"),
        ({"name": None}, "name"),
        ({"email": ""}, "email"),
        ({"email": "jane.doe@example.com\r\nBcc: all@example.com"}, "email"),
        ({"email": "x" * 255}, "email"),
        ({"email": 7}, "email"),
        ({"email": "<script>alert(1)</script>"}, "email"),
        ({"signed_at": 1}, "signed_at"),
    ],
)
def test_a_bad_signature_is_refused_by_field(
    api: Client, changes: dict[str, Any], field: str
) -> None:
    before = entry(api)
    answer = sign(api, **changes)
    assert (answer.status, answer.fields) == (422, [field])
    assert "<script>" not in answer.text
    assert entry(api) == before


def test_names_in_any_script_can_sign(api: Client) -> None:
    for name in ("Séamus O'Brien", "李小龍", "محمد", "Łukasz Żółć-Nowak", "ನಿತ್ಯಾ"):
        put(api, email="lee@example.com", name="Lee")
        answer = sign(api, email="lee@example.com", name=name)
        assert (answer.status, answer.json["waiver"]["name"]) == (200, name)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, JANE, 403),
        ({"origin": "https://evil.example"}, JANE, 403),
        ({"content-type": "application/x-www-form-urlencoded"}, "name=Jane", 415),
        ({}, '{"name":"' + "x" * 17_000 + '"}', 413),
        ({}, "{", 400),
        ({}, '{"name":"a","name":"b"}', 400),
    ],
)
def test_a_signature_must_come_from_our_page_as_json(
    api: Client, headers: dict[str, str], body: Any, status: int
) -> None:
    assert api.call("POST", PATH, body, headers=headers).status == status
    assert "waiver_signed_at" not in entry(api)
