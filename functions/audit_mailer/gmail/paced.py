"""Calls that read a mailbox, at the pace that mailers leave, and again when Google says when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from functions.audit_mailer.delivery.pacing import NoSlotError
from functions.audit_mailer.gmail.failures import DeliveryError, Failure

TRIES = 5
FIRST_WAIT = 1.0  # seconds, doubled at each try, unless Google says how long
LONGEST_WAIT = 90.0
_Read = TypeVar("_Read")


class OutOfTimeError(Exception):
    """The work has to end here; the next run goes on."""


class Quota(Protocol):
    def reserve_reading(self, now: int, units: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """may_go_on: whether there is time. now: returns epoch milliseconds. pause: sleeps seconds."""

    quota: Quota
    may_go_on: Callable[[], bool] = lambda: True
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    pause: Callable[[float], None] = time.sleep

    def call(self, units: int, call: Callable[[], _Read]) -> _Read:
        """Raises DeliveryError or OutOfTimeError. units: of Gmail's quota, that the call costs."""
        for number in range(TRIES - 1):
            self._wait_for(units)
            try:
                return call()
            except DeliveryError as error:
                wait = _wait_after(error.failure, number)
                if wait is None:
                    raise
                self.pause(wait)
        self._wait_for(units)
        return call()

    def _wait_for(self, units: int) -> None:
        while True:
            if not self.may_go_on():
                raise OutOfTimeError
            try:
                self.quota.reserve_reading(self.now(), units)
            except NoSlotError as error:
                self.pause(min(error.wait_ms / 1000, LONGEST_WAIT))
            else:
                return


def _wait_after(failure: Failure, tries: int) -> float | None:
    """Seconds until it may work, or None if waiting does not help."""
    is_told = failure.klass == "later" and failure.wait is not None
    if failure.klass not in ("retry", "ambiguous") and not is_told:
        return None
    wait = FIRST_WAIT * 2**tries if failure.wait is None else failure.wait
    return wait if wait <= LONGEST_WAIT else None
