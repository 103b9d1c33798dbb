"""Signing a waiver on the deployed stack: page, function, role and table as in AWS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.running_stack import RunningStack
from tests.dock import Answer, Dock

PATH = "/g/harbor-lights/waiver"


def patron_without_waiver(dock: Dock) -> dict[str, Any]:
    roster = dock.call("GET", "/api/events/harbor-lights").json["roster"]
    return next(each for each in roster if each["waiver_signed_at"] is None)


def test_a_signed_waiver_is_on_the_roster_of_everyone_who_may_see_it(
    dock: Dock, stack: RunningStack
) -> None:
    patron = patron_without_waiver(dock)
    anyone = Dock(stack)
    body = {"name": patron["name"], "email": patron["email"].upper()}
    answer = anyone.call("POST", PATH, body)
    assert answer.status == 200, answer.content
    waiver = answer.json["waiver"]
    assert (waiver["email"], waiver["name"]) == (patron["email"], patron["name"])
    for who in (dock, Dock(stack).sign_in("crew")):
        roster = who.call("GET", "/api/events/harbor-lights").json["roster"]
        assert patron | {"waiver_signed_at": waiver["signed_at"]} in roster
    again = anyone.call("POST", PATH, body)
    assert (again.status, again.json) == (200, answer.json)
    assert anyone.call("POST", PATH, body | {"name": "Someone Else"}).status == 409


def test_of_many_simultaneous_signatures_one_is_kept(dock: Dock, stack: RunningStack) -> None:
    patron = patron_without_waiver(dock)

    def sign(number: int) -> Answer:
        body = {"name": f"Signer {chr(ord('A') + number)}", "email": patron["email"]}
        return Dock(stack).call("POST", PATH, body)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(sign, range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7


def test_the_waiver_page_is_served_with_what_keeps_it_safe(stack: RunningStack) -> None:
    answer = Dock(stack).call("GET", PATH)
    assert answer.status == 200
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    foreign = Dock(stack).call("POST", PATH, {}, {"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 403


def test_the_deployed_api_serves_its_document(stack: RunningStack) -> None:
    answer = Dock(stack).call("GET", "/api/openapi.json")
    assert answer.status == 200
    assert answer.json["openapi"].startswith("3.1")
    assert answer.headers["Content-Type"] == "application/json"


def test_other_methods_and_other_spellings_are_refused_clearly(stack: RunningStack) -> None:
    dock = Dock(stack)
    for method in ("PUT", "OPTIONS", "PATCH", "DELETE"):
        answer = dock.call(method, "/api/events")
        assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "GET, HEAD"
    head = dock.call("HEAD", PATH)
    assert (head.status, head.content) == (200, b"")
    for path in ("/api/events/", "/api/nothing", "/api/" + "x" * 6_000):
        answer = dock.call("GET", path)
        assert (answer.status, answer.json["code"]) == (404, "not_found")
