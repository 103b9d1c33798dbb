"""Every answer and exception known from Google and the network on the way, with its class."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from typing import Any

import httplib2
import pytest
from google.auth.exceptions import RefreshError, TransportError
from googleapiclient.errors import HttpError

from functions.audit_mailer.gmail.failures import (
    Answer,
    Failure,
    FailureClass,
    classify,
    classify_gmail_answer,
    is_about_thread,
    is_about_user,
    is_clock_skew,
    is_not_found,
)
from functions.audit_mailer.gmail.transport import NotConnectedError
from shared.settings import SettingsError

NOW = 1_764_000_000.0  # 2025-11-24T16:00:00Z


def gmail_error(
    status: int, content: Any, headers: dict[str, str] | None = None, phrase: str = "Phrase"
) -> HttpError:
    """As googleapiclient raises it. content: Google's `error` object, or bytes as they came."""
    response = httplib2.Response({"status": str(status)} | (headers or {}))
    response.reason = phrase
    body = content if isinstance(content, bytes) else json.dumps({"error": content}).encode()
    return HttpError(response, body)


def body(reason: str, message: str) -> dict[str, Any]:
    return {"message": message, "errors": [{"reason": reason, "message": message}]}


@pytest.mark.parametrize(
    ("status", "reason", "message", "klass"),
    [
        (429, "rateLimitExceeded", "User-rate limit exceeded.", "retry"),
        (429, "", "Too many concurrent requests for user", "retry"),
        (429, "", "User-rate limit exceeded.  (Mail sending)", "later"),
        (403, "rateLimitExceeded", "User-rate limit exceeded.", "retry"),
        (403, "rateLimitExceeded", "User-rate limit exceeded.  (Mail sending)", "later"),
        (403, "userRateLimitExceeded", "slow down", "retry"),
        (403, "concurrentLimitExceeded", "slow down", "retry"),
        (403, "RESOURCE_EXHAUSTED", "quota exceeded for quota metric", "retry"),
        (403, "rateLimitExceeded", "Quota exceeded for quota metric 'Queries'", "retry"),
        (403, "PERMISSION_DENIED", "User-rate limit exceeded.", "retry"),
        (403, "", "Quota exceeded for quota metric 'Queries'", "retry"),
        (403, "dailyLimitExceeded", "Quota exceeded: Daily Limit", "systemic"),
        (403, "PERMISSION_DENIED", "The caller does not have permission", "systemic"),
        (403, "dailyLimitExceeded", "Daily Limit Exceeded", "systemic"),
        (403, "insufficientPermissions", "insufficient scopes", "systemic"),
        (403, "forbidden", "Delegation denied for x", "systemic"),
        (403, "domainPolicy", "The domain administrators have disabled Gmail apps.", "systemic"),
        (403, "accessNotConfigured", "Gmail API not enabled", "systemic"),
        (403, "", "Forbidden", "systemic"),
        (401, "authError", "Invalid Credentials", "systemic"),
        (400, "failedPrecondition", "Mail service not enabled", "systemic"),
        (400, "failedPrecondition", "Precondition check failed.", "systemic"),
        (400, "FAILED_PRECONDITION", "Precondition check failed.", "systemic"),
        (302, "", "Found", "systemic"),
        (400, "invalidArgument", "Invalid To header", "permanent"),
        (400, "badRequest", "Bad Request", "permanent"),
        (400, "", "Bad Request", "permanent"),
        (404, "notFound", "Requested entity was not found.", "permanent"),
        (413, "uploadTooLarge", "Request Entity Too Large", "permanent"),
        (408, "", "Request Timeout", "ambiguous"),
        (409, "aborted", "Conflict", "ambiguous"),
        (499, "backendError", "The operation was cancelled.", "ambiguous"),
        (499, "", "Client Closed Request", "ambiguous"),
        (500, "backendError", "Backend Error", "ambiguous"),
        (502, "", "Bad Gateway", "ambiguous"),
        (503, "", "Service Unavailable", "ambiguous"),
        (504, "", "Gateway Timeout", "ambiguous"),
    ],
)
def test_gmails_answers_are_classified(
    status: int, reason: str, message: str, klass: FailureClass
) -> None:
    failure = classify(gmail_error(status, body(reason, message)), "gmail", NOW)
    assert (failure.klass, failure.message) == (klass, message)
    assert failure.code == (reason or str(status))


@pytest.mark.parametrize(
    ("content", "code", "klass"),
    [
        ({"status": "RESOURCE_EXHAUSTED", "message": "no errors[]"}, "RESOURCE_EXHAUSTED", "retry"),
        (b"<html>Forbidden</html>", "403", "systemic"),
        (b"\xff\xfe", "403", "systemic"),
        (b"[]", "403", "systemic"),
        (b"", "403", "systemic"),
        (b'{"error": "a text"}', "403", "systemic"),
        ({"errors": "no list"}, "403", "systemic"),
        ({"errors": [None]}, "403", "systemic"),
    ],
)
def test_an_answer_of_any_shape_is_classified(content: Any, code: str, klass: FailureClass) -> None:
    failure = classify(gmail_error(403, content), "gmail", NOW)
    assert (failure.klass, failure.code) == (klass, code)
    assert failure.message


@pytest.mark.parametrize(
    ("error", "description", "klass"),
    [
        ("unauthorized_client", "Client is unauthorized to retrieve access tokens", "systemic"),
        ("access_denied", "Requested client not authorized.", "systemic"),
        ("invalid_grant", "Invalid email or User ID", "systemic"),
        ("invalid_grant", "Not a valid email", "systemic"),
        ("invalid_grant", "Invalid JWT Signature.", "systemic"),
        ("invalid_grant", "Invalid JWT: Token must be a short-lived token", "systemic"),
        ("invalid_scope", "x is not a valid audience string.", "systemic"),
        ("disabled_client", "The OAuth client was disabled.", "systemic"),
        ("deleted_client", "The OAuth client was deleted.", "systemic"),
        ("invalid_grant", "The account has been deleted", "systemic"),
        ("org_internal", "This client is restricted to users in its organization.", "systemic"),
        ("admin_policy_enforced", "Access to your account data is restricted", "systemic"),
        ("internal_failure", "Backend Error", "retry"),
        ("server_error", "", "retry"),
        ("temporarily_unavailable", "", "retry"),
    ],
)
def test_a_refused_token_is_never_the_mails_fault(
    error: str, description: str, klass: FailureClass
) -> None:
    answer = {"error": error, "error_description": description}
    refused = RefreshError(f"{error}: {description}", answer)  # type: ignore[no-untyped-call]
    failure = classify(refused, "token", NOW)
    assert (failure.klass, failure.code) == (klass, error)


@pytest.mark.parametrize(
    ("description", "is_so"),
    [
        ("Invalid email or User ID", True),
        ("Not a valid email.", True),
        ("The account has been deleted", True),
        ("Invalid JWT Signature.", False),
    ],
)
def test_a_user_who_is_not_there_is_told_from_a_bad_key(description: str, *, is_so: bool) -> None:
    failure = Failure(klass="systemic", code="invalid_grant", message=description)
    assert is_about_user(failure) is is_so


@pytest.mark.parametrize("page", ["<html>502 Bad Gateway</html>", "", "{}"])
def test_a_token_endpoint_that_is_not_an_oauth_server_is_tried_again(page: str) -> None:
    """google-auth reports a 502 as not retryable, with the page as its only argument."""
    refused = RefreshError(page, retryable=False)  # type: ignore[no-untyped-call]
    assert classify(refused, "token", NOW).klass == "retry"


def test_errors_that_google_auth_calls_retryable_are_retried() -> None:
    answer = {"error": "rate_limited"}
    refused = RefreshError("rate_limited: None", answer, retryable=True)  # type: ignore[no-untyped-call]
    assert classify(refused, "token", NOW).klass == "retry"


NOT_CONNECTED = NotConnectedError("no connection")
NOT_CONNECTED.__cause__ = TimeoutError()


@pytest.mark.parametrize(
    ("error", "while_sending", "while_asking_for_a_token"),
    [
        (NOT_CONNECTED, "retry", "retry"),
        (ConnectionRefusedError(), "retry", "retry"),
        (SettingsError("the Gmail secret cannot be read"), "systemic", "systemic"),
        (TimeoutError(), "ambiguous", "retry"),
        (ConnectionResetError(), "ambiguous", "retry"),
        (BrokenPipeError(), "ambiguous", "retry"),
        (http.client.RemoteDisconnected(""), "ambiguous", "retry"),
        (http.client.IncompleteRead(b""), "ambiguous", "retry"),
        (http.client.BadStatusLine("?"), "ambiguous", "retry"),
        (ssl.SSLError(), "ambiguous", "retry"),
        (socket.gaierror(), "ambiguous", "retry"),
        (TransportError("reset"), "ambiguous", "retry"),  # type: ignore[no-untyped-call]
        (json.JSONDecodeError("no JSON", "", 0), "ambiguous", "systemic"),
        (KeyError("id"), "ambiguous", "systemic"),
        (ValueError("no PEM: secret"), "ambiguous", "systemic"),
    ],
)
def test_without_an_answer_the_timing_decides(
    error: Exception, while_sending: FailureClass, while_asking_for_a_token: FailureClass
) -> None:
    assert classify(error, "gmail", NOW).klass == while_sending
    failure = classify(error, "token", NOW)
    assert failure.klass == while_asking_for_a_token
    assert "PEM" not in failure.message


def test_a_connection_that_was_never_made_says_why() -> None:
    assert classify(NOT_CONNECTED, "gmail", NOW).code == "TimeoutError"


@pytest.mark.parametrize(
    ("message", "header", "wait", "klass"),
    [
        ("User-rate limit exceeded.  Retry after 2025-11-24T16:00:30.000Z", "", 30.0, "retry"),
        ("User-rate limit exceeded.  Retry after 2025-11-24T16:00:30+00:00", "", 30.0, "retry"),
        ("User-rate limit exceeded.  Retry after 2025-11-24T15:00:00.000Z", "", 0.0, "retry"),
        ("User-rate limit exceeded.  Retry after 2025-11-24T20:00:00.000Z", "", 14_400.0, "later"),
        ("User-rate limit exceeded.  Retry after 2025-99-99T99:00:00.000Z", "", None, "retry"),
        ("User-rate limit exceeded.  Retry after lunch", "", None, "retry"),
        ("slow down", "7", 7.0, "retry"),
        ("slow down", "3600", 3_600.0, "later"),
        ("slow down", "Mon, 24 Nov 2025 16:00:09 GMT", 9.0, "retry"),
        ("slow down", "soon", None, "retry"),
        ("slow down", "\u0663", None, "retry"),
    ],
)
def test_we_wait_for_the_time_that_google_states(
    message: str, header: str, wait: float | None, klass: FailureClass
) -> None:
    answer = Answer(status=403, reason="rateLimitExceeded", message=message, retry_after=header)
    failure = classify_gmail_answer(answer, NOW)
    assert (failure.klass, failure.wait) == (klass, wait)


def test_a_stated_time_reaches_the_wait_through_googleapiclient() -> None:
    error = gmail_error(429, body("rateLimitExceeded", "x"), {"retry-after": "5"})
    assert classify(error, "gmail", NOW).wait == 5.0


@pytest.mark.parametrize(
    ("status", "reason", "message", "is_so"),
    [
        (404, "notFound", "Requested entity was not found.", True),
        (404, "", "Thread not found", True),
        (400, "invalidArgument", "Invalid thread_id value", True),
        (400, "invalidArgument", "Invalid value at 'message.thread_id' (TYPE_STRING)", True),
        (400, "badRequest", "Invalid threadId", True),
        (400, "failedPrecondition", "The thread cannot be replied to", True),
        (400, "failedPrecondition", "Precondition check failed.", False),
        (400, "invalidArgument", "Invalid To header", False),
        (403, "forbidden", "No access to this thread", False),
        (503, "backendError", "The thread is busy", False),
    ],
)
def test_what_gmail_says_of_a_conversation_is_told_from_the_rest(
    status: int, reason: str, message: str, *, is_so: bool
) -> None:
    assert is_about_thread(classify(gmail_error(status, body(reason, message)), "gmail", NOW)) is (
        is_so
    )


@pytest.mark.parametrize(
    ("status", "reason", "message", "is_so"),
    [
        (404, "notFound", "Requested entity was not found.", True),
        (400, "invalidArgument", "Invalid id value", True),
        (400, "invalidArgument", "Invalid To header", False),
        (404, "", "Not Found", False),
        (503, "backendError", "Invalid id value", False),
    ],
)
def test_a_mail_that_is_not_there_is_told_from_what_a_proxy_says(
    status: int, reason: str, message: str, *, is_so: bool
) -> None:
    assert is_not_found(classify(gmail_error(status, body(reason, message)), "gmail", NOW)) is is_so


def test_a_clock_that_differs_from_googles_is_recognized() -> None:
    skew = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable time"
    assert is_clock_skew(Failure(klass="systemic", code="invalid_grant", message=skew))
    assert not is_clock_skew(Failure(klass="systemic", code="invalid_grant", message="Bad key"))
