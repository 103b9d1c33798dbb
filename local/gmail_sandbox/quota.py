"""How much one user may use: units per minute, requests at once, and messages sent per day.

Numbers: https://developers.google.com/workspace/gmail/api/reference/quota (projects created from
May 2026) and https://support.google.com/a/answer/166852. How many requests at once, Google does not
say: https://github.com/amp-labs/connectors/pull/2942 was refused with sixty.
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.gmail_sandbox.errors import GmailError

UNITS_PER_MINUTE = 6_000
SENDS_PER_DAY = 2_000
REQUESTS_AT_ONCE = 50
UNITS = {"send": 100, "insert": 25, "import": 25, "list": 5, "get": 20, "profile": 1}
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(slots=True)
class Limits:
    """A sandbox's limits, each user's spending in the last minute, and the calls in progress.

    requests_at_once: of one user; None for any number.
    """

    units_per_minute: int = UNITS_PER_MINUTE
    sends_per_day: int = SENDS_PER_DAY
    search_lag_ms: int = 0
    requests_at_once: int | None = None
    _spent: dict[str, deque[tuple[int, int]]] = field(default_factory=dict)
    _in_progress: Counter[str] = field(default_factory=Counter)

    def spend(self, user: str, call: str, *, now: int, allowed: int) -> None:
        """Charge one call, or raise rateLimitExceeded with the time at which it would fit."""
        units = UNITS[call]
        spent = self._spent.setdefault(user, deque())
        while spent and spent[0][0] <= now - MINUTE_MS:
            spent.popleft()
        over = sum(cost for _, cost in spent) + units - allowed
        if over <= 0:
            spent.append((now, units))
            return
        retry_at = now + MINUTE_MS
        for spent_at, cost in spent:
            over -= cost
            if over <= 0:
                retry_at = spent_at + MINUTE_MS
                break
        raise rate_limit_exceeded(retry_at)

    @contextmanager
    def one_more(self, user: str, *, allowed: int | None) -> Iterator[None]:
        """Count one call while it lasts, or refuse it. Costs no units."""
        if allowed is not None and self._in_progress[user] >= allowed:
            raise too_many_at_once()
        self._in_progress[user] += 1
        try:
            yield
        finally:
            self._in_progress[user] -= 1

    def forget(self) -> None:
        self._spent.clear()


def rate_limit_exceeded(retry_at: int) -> GmailError:
    """Return Gmail's answer to a used-up quota: the retry time is in the text, not in a header."""
    moment = datetime.fromtimestamp(retry_at / 1000, UTC)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return GmailError(
        403,
        f"User-rate limit exceeded.  Retry after {stamp}",
        "rateLimitExceeded",
        summary="User-rate limit exceeded.",
    )


def too_many_at_once() -> GmailError:
    return GmailError(429, "Too many concurrent requests for user", "rateLimitExceeded")


def daily_sending_limit_exceeded() -> GmailError:
    return GmailError(429, "User-rate limit exceeded.  (Mail sending)", "rateLimitExceeded")
