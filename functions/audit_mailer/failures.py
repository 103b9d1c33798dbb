"""What a failed call to Google means for the mail: one pure function over what came back.

Sources: developers.google.com/workspace/gmail/api/guides/handle-errors and the OAuth 2.0 server to
server error table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FailureClass = Literal["retry", "later", "ambiguous", "systemic", "permanent"]
LATER_AFTER_SECONDS = 60.0

_RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded"})
_SYSTEMIC_REASONS = frozenset({
    "accessNotConfigured", "authError", "dailyLimitExceeded", "delegationDenied", "domainPolicy",
    "failedPrecondition", "forbidden", "insufficientPermissions",
})  # fmt: skip
_RETRY_AFTER = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\S+Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An error answer of Gmail or of the token endpoint. retry_after: the header, seconds."""

    status: int
    reason: str
    message: str
    retry_after: float | None = None
    from_token: bool = False


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


def classify_answer(answer: Answer, now: float) -> Failure:
    """The class of an error answer. now: epoch seconds, to turn a stated time into a wait."""
    wait = answer.retry_after if answer.retry_after is not None else _stated(answer.message, now)
    klass = _class_of(answer, wait)
    return Failure(
        klass=klass, code=answer.reason or str(answer.status), message=answer.message, wait=wait
    )


def _class_of(answer: Answer, wait: float | None) -> FailureClass:
    rate = answer.status == 429 or (answer.status == 403 and answer.reason in _RATE_REASONS)
    if rate:
        far = wait is not None and wait > LATER_AFTER_SECONDS
        return "later" if far or "Mail sending" in answer.message else "retry"
    if answer.from_token:
        transient = answer.status >= 500 or answer.reason in {"internal_failure", "server_error"}
        return "retry" if transient else "systemic"
    if answer.status >= 500 or answer.status == 408:
        return "ambiguous"
    if answer.status in (401, 403) or answer.reason in _SYSTEMIC_REASONS:
        return "systemic"
    return "permanent"


def _stated(message: str, now: float) -> float | None:
    match = _RETRY_AFTER.search(message)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match[1])
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - now)
