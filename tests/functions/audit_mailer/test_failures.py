from __future__ import annotations

import pytest

from functions.audit_mailer.failures import Answer, FailureClass, classify_answer

NOW = 1_764_000_000.0


@pytest.mark.parametrize(
    ("status", "reason", "message", "klass"),
    [
        (429, "rateLimitExceeded", "User-rate limit exceeded.", "retry"),
        (429, "", "Too many concurrent requests for user", "retry"),
        (429, "", "User-rate limit exceeded.  (Mail sending)", "later"),
        (403, "rateLimitExceeded", "User-rate limit exceeded.", "retry"),
        (403, "userRateLimitExceeded", "slow down", "retry"),
        (403, "dailyLimitExceeded", "Daily Limit Exceeded", "systemic"),
        (403, "insufficientPermissions", "insufficient scopes", "systemic"),
        (403, "forbidden", "Delegation denied for x", "systemic"),
        (403, "accessNotConfigured", "Gmail API not enabled", "systemic"),
        (401, "authError", "Invalid Credentials", "systemic"),
        (400, "failedPrecondition", "Mail service not enabled", "systemic"),
        (400, "failedPrecondition", "Precondition check failed.", "systemic"),
        (400, "invalidArgument", "Invalid To header", "permanent"),
        (404, "notFound", "Requested entity was not found.", "permanent"),
        (413, "", "Request Entity Too Large", "permanent"),
        (408, "", "Request Timeout", "ambiguous"),
        (500, "backendError", "Backend Error", "ambiguous"),
        (502, "", "Bad Gateway", "ambiguous"),
        (503, "", "Service Unavailable", "ambiguous"),
        (504, "", "Gateway Timeout", "ambiguous"),
    ],
)
def test_gmails_answers_are_classed(
    status: int, reason: str, message: str, klass: FailureClass
) -> None:
    failure = classify_answer(Answer(status=status, reason=reason, message=message), NOW)
    assert failure.klass == klass


@pytest.mark.parametrize(
    ("status", "reason", "klass"),
    [
        (401, "unauthorized_client", "systemic"),
        (400, "invalid_grant", "systemic"),
        (403, "access_denied", "systemic"),
        (400, "internal_failure", "retry"),
        (502, "token_unavailable", "retry"),
        (503, "token_unavailable", "retry"),
    ],
)
def test_a_refused_token_is_never_the_mails_fault(
    status: int, reason: str, klass: FailureClass
) -> None:
    answer = Answer(status=status, reason=reason, message="", from_token=True)
    assert classify_answer(answer, NOW).klass == klass


def test_the_time_that_google_states_in_words_is_the_wait() -> None:
    message = "User-rate limit exceeded.  Retry after 2025-11-24T16:00:30.000Z"
    failure = classify_answer(Answer(status=403, reason="rateLimitExceeded", message=message), NOW)
    assert (failure.klass, failure.wait) == ("retry", 30.0)


def test_a_stated_time_far_away_is_for_later() -> None:
    message = "User-rate limit exceeded.  Retry after 2025-11-24T20:00:00.000Z"
    failure = classify_answer(Answer(status=429, reason="", message=message), NOW)
    assert (failure.klass, failure.wait) == ("later", 4 * 3600.0)
