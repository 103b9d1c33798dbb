"""How long to wait before a mail is tried again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from tenacity.wait import wait_base

from functions.audit_mailer.gmail.failures import DeliveryError, Failure, FailureClass

LONGEST_WAIT = 12 * 3600 - 120  # SQS hides a message for at most 12 h after its receive
FIRST_WAIT: Mapping[FailureClass, int] = {
    "retry": 2, "ambiguous": 5, "later": 300, "systemic": 60, "permanent": 0,
}  # fmt: skip
CAPS: Mapping[FailureClass, int] = {"later": 4, "systemic": 2}  # times the retry cap


def backoff_seconds(failure: Failure, tries: int, cap: int) -> int:
    """How long to postpone a message after its nth try: what Google asked for, or doubling."""
    if failure.wait is not None:
        asked = failure.wait + random.uniform(0, 2)  # noqa: S311 - jitter, no secret
        return int(min(max(asked, 1), LONGEST_WAIT))
    cap = min(cap * CAPS.get(failure.klass, 1), LONGEST_WAIT)
    longest = min(FIRST_WAIT[failure.klass] * 2 ** min(tries, 12), cap)
    return max(1, int(random.uniform(longest / 2, longest)))  # noqa: S311 - jitter, no secret


class AsToldOr(wait_base):
    """Wait as long as Google said, at most ten seconds; otherwise ask `otherwise`."""

    def __init__(self, otherwise: wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: Any) -> float:
        error = retry_state.outcome.exception()
        told = error.failure.wait if isinstance(error, DeliveryError) else None
        return self._otherwise(retry_state) if told is None else min(told + 0.1, 10.0)
