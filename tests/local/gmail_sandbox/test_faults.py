import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from google.auth.exceptions import RefreshError

from local.gmail_sandbox.faults import KINDS
from local.gmail_sandbox.process import GmailSandbox
from local.settings import REPOSITORY
from tests.dock import until
from tests.local.gmail_sandbox.client import (
    AUDIT,
    body_of,
    compose,
    fetch,
    messages_of,
    refusal_of,
)

CLOSED = (http.client.RemoteDisconnected, ConnectionResetError)


def send(gmail: GmailSandbox) -> Any:
    return messages_of(gmail).send(userId="me", body=body_of(compose()))


def test_a_status_fault_happens_as_often_as_requested_and_stores_nothing(
    gmail: GmailSandbox,
) -> None:
    gmail.post_fault({"kind": "status", "code": 429, "times": 2, "message": "Slow down."})
    for _ in range(2):
        error = refusal_of(send(gmail))
        assert (error["code"], error["message"]) == (429, "Slow down.")
        assert error["status"] == "RESOURCE_EXHAUSTED"
    assert gmail.messages() == []
    send(gmail).execute()
    assert len(gmail.messages()) == 1


def test_a_status_carries_its_reason_and_retry_after(gmail: GmailSandbox) -> None:
    gmail.post_fault(
        {"kind": "status", "code": 403, "reason": "userRateLimitExceeded", "retry_after": 7}
    )
    connection = http.client.HTTPConnection(gmail.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/gmail/v1/users/me/messages/import", b"{}")
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    connection.close()
    assert answer.headers["Retry-After"] == "7"
    assert error["errors"][0]["reason"] == "userRateLimitExceeded"


def test_accept_then_drop_stores_the_mail_and_never_answers(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "accept_then_drop", "times": 1})
    with pytest.raises(CLOSED):
        send(gmail).execute()
    assert len(gmail.messages()) == 1
    send(gmail).execute()
    assert len(gmail.messages()) == 2


def test_a_refused_call_does_not_use_up_accept_then_drop(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "accept_then_drop", "times": 1})
    refusal_of(messages_of(gmail).send(userId="me", body={"raw": "!"}))
    assert gmail.request("GET", "/sandbox/faults") == [{"kind": "accept_then_drop", "times": 1}]


def test_accept_then_status_stores_the_mail_and_answers_with_an_error(
    gmail: GmailSandbox,
) -> None:
    gmail.post_fault({"kind": "accept_then_status", "code": 503, "times": 1})
    assert refusal_of(send(gmail))["code"] == 503
    assert len(gmail.messages()) == 1


def test_a_held_call_has_stored_its_mail_before_it_answers(gmail: GmailSandbox) -> None:
    request = send(gmail)
    gmail.post_fault({"kind": "hold", "ms": 60_000, "times": 1})
    with ThreadPoolExecutor() as pool:
        held = pool.submit(request.execute)
        until(lambda: gmail.request("GET", "/sandbox/faults") == [])
        assert len(gmail.messages()) == 1
        assert not held.done()
        gmail.kill()
        with pytest.raises(CLOSED):
            held.result(timeout=10)
    gmail.restart()
    assert len(gmail.messages()) == 1


def test_a_cancelled_call_is_answered_as_google_does(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "accept_then_status", "code": 499, "times": 1})
    error = refusal_of(send(gmail))
    assert (error["code"], error["status"]) == (499, "CANCELLED")
    assert error["message"] == "The operation was cancelled."
    assert error["errors"][0]["reason"] == "backendError"
    assert len(gmail.messages()) == 1


def test_a_rate_limit_says_in_its_text_when_to_come_back(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "rate_limit", "seconds": 90, "times": 1})
    error = refusal_of(send(gmail))
    assert (error["code"], error["errors"][0]["reason"]) == (403, "rateLimitExceeded")
    moment = datetime.fromisoformat(error["message"].split("Retry after ")[1])
    assert 80 < (moment - datetime.now(UTC)).total_seconds() <= 90
    assert gmail.messages() == []


def test_expired_tokens_are_requested_again(gmail: GmailSandbox) -> None:
    request = send(gmail)
    request.execute()
    gmail.post_fault(
        {"kind": "expire_tokens"},
        {"kind": "status", "code": 503, "on": "token", "times": 1},
    )
    assert gmail.request("GET", "/sandbox/faults") == [
        {"kind": "status", "code": 503, "on": "token", "times": 1}
    ]
    request.execute()  # google-auth itself retries the token endpoint after a 503
    assert gmail.request("GET", "/sandbox/faults") == []
    assert len(gmail.messages()) == 2


def test_one_kind_of_fault_ends_without_the_others(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "down"}, {"kind": "latency", "ms": 1})
    gmail.request("DELETE", "/sandbox/faults?kind=down")
    assert gmail.request("GET", "/sandbox/faults") == [{"kind": "latency", "ms": 1}]
    status, body = fetch(gmail.url + "/sandbox/faults?kind=up", method="DELETE")
    assert (status, json.loads(body)["errors"][0]["field"]) == (400, "kind")
    assert gmail.request("GET", "/sandbox/faults") == [{"kind": "latency", "ms": 1}]


def test_every_kind_of_fault_is_in_the_readme() -> None:
    readme = (REPOSITORY / "local" / "gmail_sandbox" / "README.md").read_text()
    documented = "".join(line for line in readme.splitlines() if line.startswith("| `"))
    for kind, fields in KINDS.items():
        assert f"`{kind}`" in documented
        for field in fields:
            assert f"`{field}" in readme, f"{kind}: {field}"


def test_drop_closes_before_anything_is_stored(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "drop", "times": 1})
    with pytest.raises(CLOSED):
        send(gmail).execute()
    assert gmail.messages() == []


def test_down_closes_every_google_connection_and_no_other(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "down"})
    with pytest.raises(CLOSED):
        fetch(gmail.url + "/token", data=b"x=1")
    with pytest.raises(CLOSED):
        fetch(gmail.url + "/gmail/v1/users/me/messages")
    assert gmail.messages() == []
    assert fetch(gmail.url + "/")[0] == 200
    gmail.clear_faults()
    send(gmail).execute()


def test_latency_makes_every_call_wait(gmail: GmailSandbox) -> None:
    request = send(gmail)
    request.execute()
    gmail.post_fault({"kind": "latency", "ms": 200})
    started = time.monotonic()
    request.execute()
    assert time.monotonic() - started >= 0.2


def test_a_fault_happens_only_on_its_target(gmail: GmailSandbox) -> None:
    gmail.post_fault(
        {"kind": "status", "code": 500, "on": "list", "times": 1},
        {"kind": "status", "code": 400, "on": "token", "times": 1},
    )
    with pytest.raises(RefreshError, match="invalid_grant"):
        send(gmail).execute()
    messages = messages_of(gmail)
    messages.send(userId="me", body=body_of(compose())).execute()
    assert refusal_of(messages.list(userId="me"))["errors"][0]["reason"] == "backendError"
    messages.list(userId="me").execute()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("suspended_user", "Precondition check failed."),
        ("gmail_disabled", "Mail service not enabled"),
    ],
)
def test_a_mailbox_that_cannot_be_used_is_a_failed_precondition(
    gmail: GmailSandbox, kind: str, words: str
) -> None:
    gmail.post_fault({"kind": kind, "user": AUDIT})
    error = refusal_of(send(gmail))
    assert (error["code"], error["message"]) == (400, words)
    assert error["errors"][0]["reason"] == "failedPrecondition"
    messages_of(gmail, "crew@shipcaptaincrew.example").list(userId="me").execute()


def test_active_faults_are_listed_with_their_remaining_times(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "status", "code": 503, "times": 3}, {"kind": "latency", "ms": 1})
    refusal_of(send(gmail))
    assert gmail.request("GET", "/sandbox/faults") == [
        {"kind": "status", "code": 503, "times": 2},
        {"kind": "latency", "ms": 1},
    ]
    gmail.clear_faults()
    assert gmail.request("GET", "/sandbox/faults") == []


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ([{"kind": "explode"}], "[0].kind"),
        ([{}], "[0].kind"),
        (["down"], "[0]"),
        ([{"kind": "down"}, {"kind": "status"}], "[1].code"),
        ([{"kind": "status", "code": "429"}], "[0].code"),
        ([{"kind": "status", "code": 200}], "[0].code"),
        ([{"kind": "status", "code": True}], "[0].code"),
        ([{"kind": "status", "code": 429, "times": 0}], "[0].times"),
        ([{"kind": "status", "code": 429, "often": 2}], "[0].often"),
        ([{"kind": "drop", "on": "profiles"}], "[0].on"),
        ({"kind": "bounce", "user": "x"}, "[0].user"),
        ([{"kind": "suspended_user", "user": ""}], "[0].user"),
        ([{"kind": "latency"}], "[0].ms"),
        ([{"kind": "latency", "ms": -1}], "[0].ms"),
        ([{"kind": "quota"}], "[0].units_per_minute"),
        ([{"kind": "concurrency"}], "[0].requests"),
        ([{"kind": "unknown_user"}], "[0].user"),
        ([{"kind": "unknown_user", "user": "gone"}], "[0].user"),
        ([{"kind": "hold"}], "[0].ms"),
        ([{"kind": "hold", "ms": 600_001}], "[0].ms"),
        ([{"kind": "accept_then_status", "code": 200}], "[0].code"),
        ([{"kind": "rate_limit", "seconds": "soon"}], "[0].seconds"),
        ([{"kind": "expire_tokens", "times": 1}], "[0].times"),
    ],
)
def test_an_undocumented_fault_is_refused_by_name(
    gmail: GmailSandbox, posted: Any, field: str
) -> None:
    status, body = fetch(gmail.url + "/sandbox/faults", data=json.dumps(posted).encode())
    assert status == 400
    assert json.loads(body)["errors"][0]["field"] == field
    assert gmail.request("GET", "/sandbox/faults") == []


def test_faults_that_are_not_json_are_refused(gmail: GmailSandbox) -> None:
    assert fetch(gmail.url + "/sandbox/faults", data=b"{")[0] == 400
