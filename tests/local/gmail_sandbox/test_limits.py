"""How much one user may ask of Gmail at once, and in a minute."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.gmail_sandbox.errors import GmailError
from local.gmail_sandbox.process import REAL_QUOTA, GmailSandbox
from local.gmail_sandbox.quota import MINUTE_MS, SENDS_PER_DAY, UNITS, UNITS_PER_MINUTE, Limits
from tests.dock import until
from tests.local.gmail_sandbox.client import AUDIT, body_of, compose, fetch, messages_of, refusal_of
from tests.suites import LONG

CREW = "crew@shipcaptaincrew.example"
TOO_MANY = "Too many concurrent requests for user"


@pytest.fixture
def real() -> Iterator[GmailSandbox]:
    with GmailSandbox.start(flags=REAL_QUOTA) as sandbox:
        yield sandbox


def status_of(gmail: GmailSandbox, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return fetch(gmail.url + "/gmail/v1/users/me/messages", headers=headers)[0]


def token_of(gmail: GmailSandbox, user: str = AUDIT) -> str:
    messages = messages_of(gmail, user)
    messages.list(userId="me").execute()
    return str(messages._http.credentials.token)


def test_more_requests_at_once_than_a_user_may_make_are_refused(gmail: GmailSandbox) -> None:
    mine, theirs = token_of(gmail), token_of(gmail, CREW)
    gmail.post_fault({"kind": "concurrency", "requests": 2}, {"kind": "latency", "ms": 1_500})
    with ThreadPoolExecutor(6) as pool:
        others = [pool.submit(status_of, gmail, theirs) for _ in range(2)]
        answers = [each.result() for each in [pool.submit(status_of, gmail, mine) for _ in "1234"]]
    assert sorted(answers) == [200, 200, 429, 429]
    assert [each.result() for each in others] == [200, 200]
    assert status_of(gmail, mine) == 200, "the calls before are over"


def test_a_call_counts_until_it_is_answered(gmail: GmailSandbox) -> None:
    token, messages = token_of(gmail), messages_of(gmail)
    gmail.post_fault({"kind": "concurrency", "requests": 1}, {"kind": "hold", "ms": 3_000})
    with ThreadPoolExecutor() as pool:
        held = pool.submit(messages.send(userId="me", body=body_of(compose())).execute)
        until(lambda: len(gmail.messages()) == 1)
        assert status_of(gmail, token) == 429
        assert held.result()["id"]
    assert status_of(gmail, token) == 200


def test_the_refusal_is_in_gmails_words_and_stores_nothing(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "concurrency", "requests": 0, "times": 1})
    messages = messages_of(gmail)
    error = refusal_of(messages.send(userId="me", body=body_of(compose())))
    assert (error["code"], error["message"]) == (429, TOO_MANY)
    assert error["errors"][0] == {
        "message": TOO_MANY,
        "domain": "global",
        "reason": "rateLimitExceeded",
    }
    assert gmail.messages() == []
    assert gmail.request("GET", "/sandbox/faults") == []
    messages.send(userId="me", body=body_of(compose())).execute()


def test_asking_for_a_token_is_no_request_of_a_user(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "concurrency", "requests": 0, "times": 1})
    status, body = fetch(gmail.url + "/token", data=b"grant_type=x")
    assert (status, json.loads(body)["error"]) == (400, "unsupported_grant_type")
    assert fetch(gmail.url + "/gmail/v1/users/me/messages")[0] == 401


@LONG
def test_at_the_real_quota_the_last_unit_of_a_minute_is_spent_and_no_more(
    real: GmailSandbox,
) -> None:
    messages = messages_of(real)
    sent = messages.send(userId="me", body=body_of(compose())).execute()
    spent = UNITS["send"]
    while spent + UNITS["import"] <= UNITS_PER_MINUTE - UNITS["list"]:
        mail = compose(message_id=f"<{spent}@audit.shipcaptaincrew.example>")
        messages.import_(userId="me", body=body_of(mail)).execute()
        spent += UNITS["import"]
    for _ in range(spent, UNITS_PER_MINUTE, UNITS["list"]):
        messages.list(userId="me").execute()
    error = refusal_of(messages.get(userId="me", id=sent["id"]))
    assert (error["code"], error["errors"][0]["reason"]) == (403, "rateLimitExceeded")
    assert "Retry after 20" in error["message"]
    messages_of(real, CREW).list(userId="me").execute()


@LONG
def test_at_the_real_quota_fifty_one_requests_at_once_are_one_too_many(real: GmailSandbox) -> None:
    token = token_of(real)
    real.post_fault({"kind": "latency", "ms": 4_000})
    with ThreadPoolExecutor(51) as pool:
        answers = list(pool.map(lambda _: status_of(real, token), range(51)))
    assert sorted(answers) == [200] * 50 + [429]


def test_units_are_the_documented_ones_and_come_back_after_a_minute() -> None:
    assert UNITS == {"send": 100, "insert": 25, "import": 25, "list": 5, "get": 20, "profile": 1}
    assert (UNITS_PER_MINUTE, SENDS_PER_DAY) == (6_000, 2_000)
    limits, now = Limits(), int(time.time() * 1000)

    def spend(at: int) -> Any:
        limits.spend(AUDIT, "send", now=at, allowed=UNITS_PER_MINUTE)

    for _ in range(60):
        spend(now)
    with pytest.raises(GmailError):
        spend(now + MINUTE_MS - 1)
    spend(now + MINUTE_MS)
