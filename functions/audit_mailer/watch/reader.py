"""The recipient's mailbox, read at the pace that the mailers leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from functions.audit_mailer.delivery.pacing import READ_UNITS, SEARCH_UNITS, NoSlotError
from functions.audit_mailer.gmail.failures import DeliveryError, Failure
from functions.audit_mailer.gmail.mailbox import FoundMail, Receipt

TRIES = 4
FIRST_WAIT = 2.0  # seconds, doubled at each try, unless Google says how long
LONGEST_WAIT = 90.0
_Read = TypeVar("_Read")


class OutOfTimeError(Exception):
    """This run has to end; the next one goes on."""


class Mailbox(Protocol):
    def search(self, query: str) -> list[Receipt]: ...
    def read(self, gmail_id: str) -> FoundMail | None: ...


class Quota(Protocol):
    def reserve_reading(self, now: int, units: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedReader:
    """now: returns epoch milliseconds. pause: sleeps seconds. may_go_on: whether there is time."""

    mailbox: Mailbox
    quota: Quota
    now: Callable[[], int]
    pause: Callable[[float], None]
    may_go_on: Callable[[], bool]

    def search(self, query: str) -> list[Receipt]:
        """As Gmail.search. Raises DeliveryError or OutOfTimeError."""
        return self._paced(SEARCH_UNITS, lambda: self.mailbox.search(query))

    def read(self, gmail_id: str) -> FoundMail | None:
        """As Gmail.read. Raises DeliveryError or OutOfTimeError."""
        return self._paced(READ_UNITS, lambda: self.mailbox.read(gmail_id))

    def _paced(self, units: int, call: Callable[[], _Read]) -> _Read:
        for number in range(TRIES):
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
    if failure.klass not in ("retry", "ambiguous"):
        return None
    wait = FIRST_WAIT * 2**tries if failure.wait is None else failure.wait
    return wait if wait <= LONGEST_WAIT else None
