"""What a failed call to Google means for the mail. Pure rules over what came back.

| class | the mail | what follows |
| --- | --- | --- |
| `retry` | certainly not delivered | try again soon |
| `later` | certainly not delivered, and Google named a time far off or the daily limit | wait |
| `ambiguous` | unknown | search the mailbox before sending again |
| `systemic` | no mail can be delivered: credential, delegation, account, project | wait, alarm |
| `permanent` | this mail can never be delivered | dead-letter queue, with the reason |

Sources: developers.google.com/workspace/gmail/api/guides/handle-errors, the error table of "OAuth
2.0 for server to server applications", and what httplib2, googleapiclient and google-auth raise.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, cast

from google.auth.exceptions import GoogleAuthError, RefreshError
from googleapiclient.errors import HttpError

from functions.audit_mailer.gmail.transport import NotConnectedError
from shared.settings import SettingsError

FailureClass = Literal["retry", "later", "ambiguous", "systemic", "permanent"]
Asked = Literal["token", "gmail"]
LATER_AFTER_SECONDS = 60.0

_RATE_REASONS = frozenset({
    "RESOURCE_EXHAUSTED", "concurrentLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded",
})  # fmt: skip
_NO_REASON = ("", "PERMISSION_DENIED")  # then the words are all that there is
_RATE_WORDS = re.compile(
    r"rate limit exceeded|quota exceeded|too many concurrent requests", re.IGNORECASE
)
_UNKNOWN_OUTCOMES = (408, 409, 499)  # and 5xx; 499: Google gave up in the middle (CANCELLED)
_SYSTEMIC_REASONS = frozenset({"FAILED_PRECONDITION", "failedPrecondition"})
_THREAD = re.compile(r"\bthread", re.IGNORECASE)
_NOT_FOUND = frozenset({"NOT_FOUND", "notFound"})
_NO_ID = re.compile(r"\bInvalid id value\b", re.IGNORECASE)
_TRANSIENT_TOKEN_ERRORS = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
_RETRY_AFTER = re.compile(r"Retry after (\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An error answer from Gmail or the token endpoint. retry_after: the header's text."""

    status: int
    reason: str = ""
    message: str = ""
    retry_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """klass: what to do. wait: seconds to stay away, when Google said so."""

    klass: FailureClass
    code: str
    message: str
    wait: float | None = None


class DeliveryError(Exception):
    """A mail that is not known to be delivered."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.klass} {failure.code}: {failure.message}")
        self.failure = failure


def classify(error: BaseException, asked: Asked, now: float) -> Failure:
    """What an exception means. asked: whether for a token or for Gmail itself.

    now: epoch seconds, to turn a stated time into a wait. A failed token request cannot have
    delivered anything. A failed request to Gmail may have, unless no connection was made.
    """
    if isinstance(error, HttpError):
        return classify_gmail_answer(_gmail_answer(error), now)
    if isinstance(error, RefreshError):
        return classify_token_answer(_token_answer(error), now)
    name = type(error).__name__
    match error:
        case SettingsError():
            klass, code, message = "systemic", "configuration", str(error)
        case NotConnectedError() | ConnectionRefusedError():
            klass, code, message = "retry", _cause(error), "Google was not reached"
        case _ if asked == "gmail":
            klass, code, message = "ambiguous", name, "the connection broke before Gmail answered"
        case GoogleAuthError() | OSError() | http.client.HTTPException():
            klass, code, message = "retry", name, "the connection broke before a token came"
        case _:  # no network was involved; the text might quote the key, so it is left out
            klass, code = "systemic", "configuration"
            message = f"the service account's key cannot be used ({name})"
    return Failure(klass=cast("FailureClass", klass), code=code, message=message)


def classify_gmail_answer(answer: Answer, now: float) -> Failure:
    """The class of an answer from the Gmail API."""
    wait = _wait(answer, now)
    code = answer.reason or str(answer.status)
    klass: FailureClass
    if _is_rate_limit(answer):
        klass = "later" if _is_far(wait) or "Mail sending" in answer.message else "retry"
    elif answer.status >= 500 or answer.status in _UNKNOWN_OUTCOMES:
        klass = "ambiguous"
    elif answer.status == 400 and _THREAD.search(answer.message):
        klass = "permanent"
    elif answer.status in (401, 403) or answer.reason in _SYSTEMIC_REASONS or answer.status < 400:
        klass = "systemic"
    else:
        klass = "permanent"
    return Failure(klass=klass, code=code, message=answer.message, wait=wait)


def classify_token_answer(answer: Answer, now: float) -> Failure:
    """The class of a token endpoint's answer. It is never about one mail."""
    wait = _wait(answer, now)
    transient = answer.status >= 500 or answer.status in (408, 429)
    klass: FailureClass
    if transient or answer.reason in _TRANSIENT_TOKEN_ERRORS:
        klass = "later" if _is_far(wait) else "retry"
    else:
        klass = "systemic"
    return Failure(klass=klass, code=answer.reason, message=answer.message, wait=wait)


def is_clock_skew(failure: Failure) -> bool:
    """Google read the signed request outside the time it was signed for.

    A Lambda frozen between signing and sending causes that once, a wrong clock every time.
    """
    return failure.code == "invalid_grant" and "short-lived token" in failure.message


def is_about_user(failure: Failure) -> bool:
    """The domain does not have the user to act for, or has it no longer."""
    said = re.search(r"invalid email|not a valid email|deleted", failure.message, re.IGNORECASE)
    return failure.code == "invalid_grant" and said is not None


def is_not_found(failure: Failure) -> bool:
    """Gmail does not have the mail that was asked for: 404, or 400 for what is no id of a mail.

    A 404 without a reason may be a proxy's, and says nothing.
    """
    is_no_id = _NO_ID.search(failure.message) is not None
    return failure.klass == "permanent" and (failure.code in _NOT_FOUND or is_no_id)


def is_about_thread(failure: Failure) -> bool:
    """Gmail does not have the conversation that a mail was to join.

    It answers 404, where nothing else can be missing, or 400 "Invalid thread_id value". A thread id
    is of one mailbox: it also loses its meaning when the mailbox is another one.
    """
    is_named = _THREAD.search(failure.message) is not None
    return failure.klass == "permanent" and (failure.code in _NOT_FOUND or is_named)


def _is_rate_limit(answer: Answer) -> bool:
    if answer.status == 403 and answer.reason in _NO_REASON:
        return _RATE_WORDS.search(answer.message) is not None
    return answer.status == 429 or (answer.status == 403 and answer.reason in _RATE_REASONS)


def _gmail_answer(error: HttpError) -> Answer:
    """Google's JSON gives the reason in `errors[]`, newer answers only in `status`."""
    content = _json(error.content).get("error")
    details = content if isinstance(content, dict) else {}
    errors = details.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    reason = first.get("reason") if isinstance(first, dict) else None
    return Answer(
        status=int(error.resp.status),
        reason=str(reason or details.get("status") or ""),
        message=str(details.get("message") or error.resp.reason or "no reason given"),
        retry_after=str(error.resp.get("retry-after", "")),
    )


def _token_answer(error: RefreshError) -> Answer:
    """google-auth puts the token endpoint's JSON second and drops the HTTP status.

    Without an OAuth error in it, something in between answered, such as a proxy with a 502.
    """
    content = _json(error.args[1]) if len(error.args) > 1 else {}
    reason = str(content.get("error") or "")
    return Answer(
        status=401 if reason and not error.retryable else 503,
        reason=reason or "token_unavailable",
        message=str(content.get("error_description") or "the token endpoint gave no token"),
    )


def _json(content: Any) -> Mapping[str, Any]:
    if isinstance(content, Mapping):
        return content
    try:
        read = json.loads(content)
    except (ValueError, TypeError):
        return {}
    return read if isinstance(read, dict) else {}


def _wait(answer: Answer, now: float) -> float | None:
    """Seconds that Google asks for, in a header (RFC 9110) or in its message."""
    header = answer.retry_after.strip()
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        match = _RETRY_AFTER.search(answer.message)
        if header:
            moment = parsedate_to_datetime(header)
        elif match:
            moment = datetime.fromisoformat(match[1])
        else:
            return None
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


def _is_far(wait: float | None) -> bool:
    return wait is not None and wait > LATER_AFTER_SECONDS


def _cause(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__
