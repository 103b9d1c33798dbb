"""What a failure that no rule foresaw is to the caller."""

from __future__ import annotations

from functions.api.http.problems import ApiError, OverloadedError, UnexpectedError
from shared.throttling import is_throttled


def failure_of(error: Exception) -> ApiError:
    """503 while AWS slows us down, else 500: never what went wrong inside."""
    if is_throttled(error):
        return OverloadedError(
            "The system is busy. Try again in a moment with the same key: nothing is logged twice.",
            retry_after=2,
        )
    return UnexpectedError(
        "Something went wrong on our side. It is safe to try again with the same key."
    )
