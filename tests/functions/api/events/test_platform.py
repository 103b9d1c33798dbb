"""Events and rosters as a platform writes them: the list, the roster and the log agree."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from functions.api import wiring
from shared.attributes import from_attributes
from tests.functions.api.conftest import Answer, Client, put

UUID = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"


def add(client: Client, event_id: str = UUID, /, **changes: Any) -> None:
    """An event as another program may write it, without any of our own spellings."""
    meta = {
        "event_id": event_id,
        "SK": "META",
        "listing": "event",
        "event_date": "2026-11-29T01:30:00Z",
        "EventName": "Sunset  Charter",
        "rosterSize": "2",
        "createdBy": {"id": 7},
    }
    row = {name: value for name, value in (meta | changes).items() if value is not None}
    put(client, "Events", row)


def add_patron(client: Client, sort_key: str, event_id: str = UUID, **attributes: Any) -> None:
    put(client, "Events", {"event_id": event_id, "SK": sort_key} | attributes)


def listed(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", "/api/events").json
    return found


def shown(client: Client, event_id: str = UUID) -> Answer:
    return client.call("GET", f"/api/events/{quote(event_id, safe='')}")


def searched(client: Client, event_id: str = UUID) -> Answer:
    return client.call("GET", f"/api/events/{quote(event_id, safe='')}/roster")


def test_what_a_platform_lists_can_be_opened_and_logged_for(admin: Client) -> None:
    add(admin)
    add_patron(admin, "PATRON#Jane.Doe@Example.COM", firstName="Jane", lastName="Doe")
    (event,) = (each for each in listed(admin)["events"] if each["event_id"] == UUID)
    assert (event["name"], event["event_date"]) == ("Sunset Charter", "2026-11-28")
    assert (event["timezone"], event["roster_size"]) == ("America/New_York", 2)
    (patron,) = shown(admin).json["roster"]
    assert patron["email"] == "jane.doe@example.com"
    answer = admin.log(event_id=UUID, patron_email=patron["email"])
    assert answer.status == 200, answer.text
    payment = answer.json["payment"]
    assert payment["PK"] == f"{UUID}#jane.doe@example.com"
    assert (payment["patron_name"], payment["event_name"]) == ("Jane Doe", "Sunset Charter")
    assert payment["event_date"] == "2026-11-28"


@pytest.mark.parametrize("spelling", ["jane.doe@example.com", "Jane.Doe@Example.COM"])
@pytest.mark.parametrize(
    "row",
    [
        {"SK": "PATRON#jane.doe@example.com"},
        {"SK": "PATRON#JANE.DOE@EXAMPLE.COM"},
        {"SK": "PATRON#3f2504e0", "Email": "Jane.Doe@example.com"},
    ],
)
def test_any_spelling_of_an_address_finds_its_patron_wherever_one_is_given(
    admin: Client, row: dict[str, Any], spelling: str
) -> None:
    add(admin)
    put(admin, "Events", {"event_id": UUID, "Name": "Jane Doe"} | row)
    assert admin.log(event_id=UUID, patron_email=spelling).status == 200
    signature = {"name": "Jane Doe", "email": spelling}
    for _ in range(2):
        signed = admin.call("POST", f"/g/{UUID}/waiver", signature)
        assert signed.status == 200, signed.text
        assert signed.json["waiver"]["email"] in {spelling, "jane.doe@example.com"}
    (patron,) = shown(admin).json["roster"]
    assert patron["waiver_signed_at"] == signed.json["waiver"]["signed_at"]
    (stored,) = [
        each for each in map(from_attributes, admin.rows("Events"))
        if each["event_id"] == UUID and each["SK"] != "META"
    ]  # fmt: skip
    assert stored["SK"] == row["SK"], "signed where the platform has it"


@pytest.mark.parametrize(
    ("event_id", "changes", "sentence"),
    [
        ("2026/11/28", {}, "An event's id must have"),
        ("sunset charter", {}, "An event's id must have"),
        ("île-de-ré 🚢", {}, "An event's id must have"),
        ("50%", {}, "An event's id must have"),
        ("evt-1", {"event_date": "TBD"}, "event_date is neither a date"),
        ("evt-1", {"timezone": "Eastern Time"}, "timezone is no IANA name"),
        ("evt-1", {"SK": "#METADATA"}, "another sort key than META"),
    ],
)
def test_an_event_that_cannot_be_used_is_refused_by_the_same_sentence_everywhere(
    admin: Client, event_id: str, changes: dict[str, Any], sentence: str
) -> None:
    add(admin, event_id, **changes)
    add_patron(admin, "PATRON#jane.doe@example.com", event_id)
    page = listed(admin)
    assert [each["event_id"] for each in page["events"]] == ["sunset-charter"]
    (problem,) = page["problems"]
    assert (problem["event_id"], problem["name"]) == (event_id, "Sunset Charter")
    assert sentence in problem["problem"]
    for answer in (shown(admin, event_id), searched(admin, event_id)):
        assert (answer.status, answer.fields) == (409, ["event_id"])
        assert answer.json["detail"] == problem["problem"]
    logged = admin.log(event_id=event_id)
    assert logged.status in {409, 422}
    assert logged.fields == ["event_id"]
    assert logged.json["errors"][0]["message"] == problem["problem"]
    assert admin.rows("Payments") == []
    waiver = admin.call("GET", f"/g/{quote(event_id, safe='')}/waiver")
    assert waiver.status in {404, 409}
    assert waiver.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("event_id", ["a b", "a/b", "%"])
def test_an_id_that_could_not_be_used_and_is_not_there_is_no_event(
    admin: Client, event_id: str
) -> None:
    for answer in (shown(admin, event_id), searched(admin, event_id)):
        assert (answer.status, answer.fields) == (404, ["event_id"])


def test_a_patron_who_cannot_be_used_is_named_on_the_roster_and_when_logging(admin: Client) -> None:
    add(admin)
    add_patron(admin, "PATRON#3f2504e0", name="Sam Hill")
    add_patron(admin, "PATRON#jane.doe@example.com", name="x" * 201)
    expected = {
        None: ("Sam Hill", "This patron has no e-mail address on the roster."),
        "jane.doe@example.com": ("x" * 200, "This patron's name has more than 200 characters."),
    }
    for answer in (shown(admin), searched(admin)):
        assert answer.json["roster"] == []
        found = {each["email"]: (each["name"], each["problem"]) for each in answer.json["problems"]}
        assert found == expected
    logged = admin.log(event_id=UUID, patron_email="jane.doe@example.com")
    assert (logged.status, logged.fields) == (409, ["patron_email"])
    assert logged.json["detail"] == expected["jane.doe@example.com"][1]
    assert admin.log(event_id=UUID, patron_email="3f2504e0").status == 422
    assert admin.rows("Payments") == []


def test_a_payment_can_be_voided_after_its_event_became_unusable(admin: Client) -> None:
    add(admin)
    add_patron(admin, "PATRON#jane.doe@example.com")
    payment = admin.log(event_id=UUID).json["payment"]
    add(admin, event_date="TBD")
    headers = {"idempotency-key": str(uuid.uuid4())}
    path = f"/api/payments/{payment['payment_id']}/void"
    answer = admin.call("POST", path, {"reason": "entered_twice"}, headers=headers)
    assert answer.status == 200, answer.text


def test_a_retry_finds_its_payment_after_its_event_became_unusable(admin: Client) -> None:
    add(admin)
    add_patron(admin, "PATRON#jane.doe@example.com")
    key = str(uuid.uuid4())
    first = admin.log(key, event_id=UUID)
    add(admin, event_date="TBD")
    again = admin.log(key, event_id=UUID, acknowledge_duplicates=[])
    assert (again.status, again.json) == (200, first.json)


@pytest.mark.parametrize("unsigned", [None, ""])
def test_nothing_at_the_signatures_place_is_no_signature(admin: Client, unsigned: Any) -> None:
    add(admin)
    add_patron(admin, "PATRON#jane.doe@example.com", waiver_signed_at=unsigned)
    signature = {"name": "Jane Doe", "email": "jane.doe@example.com"}
    answer = admin.call("POST", f"/g/{UUID}/waiver", signature)
    assert answer.status == 200, answer.text
    assert "Idempotent-Replayed" not in answer.headers


def test_a_signature_under_another_spelling_is_not_signed_over(admin: Client) -> None:
    add(admin)
    add_patron(
        admin, "PATRON#jane.doe@example.com", name="Jane Doe", waiverSignedAt="2026-11-18T11:06:40Z"
    )
    signature = {"name": "Jane Doe", "email": "jane.doe@example.com"}
    answer = admin.call("POST", f"/g/{UUID}/waiver", signature)
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.json["waiver"]["signed_at"] == 1_795_000_000_000
    (patron,) = shown(admin).json["roster"]
    assert patron["waiver_signed_at"] == 1_795_000_000_000


def test_nobody_signs_by_the_key_of_somebody_elses_entry(admin: Client) -> None:
    add(admin)
    add_patron(admin, "PATRON#3f2504e0", email="jane.doe@example.com")
    answer = admin.call("POST", f"/g/{UUID}/waiver", {"name": "Mallory", "email": "3f2504e0"})
    assert (answer.status, answer.fields) == (422, ["email"])


def test_a_signature_that_cannot_be_read_is_neither_replaced_nor_a_failure(admin: Client) -> None:
    add(admin)
    add_patron(admin, "PATRON#jane.doe@example.com", waiver_signed_at=True)
    signature = {"name": "Jane Doe", "email": "jane.doe@example.com"}
    answer = admin.call("POST", f"/g/{UUID}/waiver", signature)
    assert (answer.status, answer.fields) == (409, ["email"])
    assert "ask the crew" in answer.json["detail"]


def test_a_waiver_page_reads_the_event_and_not_its_roster(admin: Client) -> None:
    queries: list[str] = []
    events = wiring.dynamo().client.meta.events

    def note(model: Any, **_: Any) -> None:
        queries.append(model.name)

    events.register("before-call.dynamodb", note)
    try:
        assert admin.call("GET", "/g/sunset-charter/waiver").status == 200
    finally:
        events.unregister("before-call.dynamodb", note)
    assert queries == ["GetItem"]


def test_events_page_alike_whether_their_dates_are_text_or_numbers(admin: Client) -> None:
    """An index's sort key has one type; moto, unlike DynamoDB, lets a test mix them."""
    for number in range(5):
        add(admin, f"evt-{number}", event_date=1_795_915_800 + number * 86_400)
    for row in admin.rows("Events"):
        if from_attributes(row)["event_id"] == "sunset-charter":
            key = {name: row[name] for name in ("event_id", "SK")}
            admin.dynamodb.delete_item(TableName=admin.tables["Events"], Key=key)
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.call("GET", "/api/events", query={"limit": "2", "cursor": cursor}).json
        seen += [each["event_date"] for each in page["events"]]
        cursor = page["cursor"]
    assert seen == [f"2026-{day}" for day in ("12-02", "12-01", "11-30", "11-29", "11-28")]
