"""Whether the mailbox has a mail already: what a search finds is read, as others may quote it.

A mail in Gmail never changes. One that was read and is not the mail is never read again: each try
goes on where the last one stopped, so that some try ends, however many quote the mail.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from functions.audit_mailer.delivery.pacing import READ_UNITS, SEARCH_UNITS, NoSlotError
from functions.audit_mailer.gmail.failures import DeliveryError, Failure
from functions.audit_mailer.gmail.mailbox import MOST_FOUND, FoundMail, Receipt
from functions.audit_mailer.mails.copies import is_copy
from functions.audit_mailer.mails.envelope import AuditMail
from functions.audit_mailer.settings import DeliveryMethod

SEARCHED_PAGES = 20  # the mail is the oldest of all that have its record
READ_AT_LEAST = 1  # in a try, however long that takes
LOOK_AGAIN_SECONDS = 30.0
_UNREAD = Failure(
    klass="ambiguous",
    code="search_not_finished",
    message="too many mails quote this one to read them at once; the next try reads on",
    wait=LOOK_AGAIN_SECONDS,
)


class Mailbox(Protocol):
    def search(self, query: str, pages: int = 1) -> list[Receipt]: ...
    def read(self, gmail_id: str) -> FoundMail | None: ...


class Pace(Protocol):
    def reserve_search(self, now: int, patience_ms: int, units: int) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The slot of a try pays for a search and a read, as what is found is not sent; more is paced.

    came_back: Gmail ids of mails that are none. ruled_out: marks of mails that were read and are
    not it; the search adds to them. deadline: when the last wait must be over (epoch ms). now:
    returns epoch ms. pause: sleeps seconds.
    """

    mailbox: Mailbox
    pace: Pace
    came_back: frozenset[str]
    ruled_out: set[str]
    deadline: int
    now: Callable[[], int]
    pause: Callable[[float], None]

    def find(
        self, mail: AuditMail, method: DeliveryMethod, counts: Callable[[FoundMail], bool]
    ) -> FoundMail | None:
        """counts: whether a copy of the mail is one that makes sending it needless.

        Raises DeliveryError, also when the next try has to read on.
        """
        seen, owed = set[str](), -SEARCH_UNITS
        for query in _queries(mail, method):
            found = self.mailbox.search(query, SEARCHED_PAGES)
            owed += SEARCH_UNITS * max(1, -(-len(found) // MOST_FOUND))
            for gmail_id in (each.gmail_id for each in found):
                if gmail_id in seen | self.came_back or mark_of(gmail_id) in self.ruled_out:
                    continue
                if len(seen) >= READ_AT_LEAST:
                    self._wait_for(READ_UNITS + owed)
                    owed = 0
                seen.add(gmail_id)
                hit = self.mailbox.read(gmail_id)
                if hit and not is_copy(hit.raw, mail):
                    self.ruled_out.add(mark_of(gmail_id))
                elif hit and counts(hit):
                    return hit
        return None

    def _wait_for(self, units: int) -> None:
        """Stay within Gmail's quota. Raises DeliveryError when that takes too long."""
        now = self.now()
        if now > self.deadline:
            raise DeliveryError(_UNREAD)
        try:
            at = self.pace.reserve_search(now, self.deadline - now, units)
        except NoSlotError as error:
            wait = max(LOOK_AGAIN_SECONDS, error.wait_ms / 1000)
            raise DeliveryError(replace(_UNREAD, wait=wait)) from error
        if at > now:
            self.pause((at - now) / 1000)


def mark_of(gmail_id: str) -> str:
    """Eight characters: thousands of mails may quote one, and an item holds their marks."""
    return base64.b64encode(hashlib.sha256(gmail_id.encode()).digest()[:6]).decode()


def _queries(mail: AuditMail, method: DeliveryMethod) -> Iterator[str]:
    if method == "import":  # keeps the Message-ID
        yield f"rfc822msgid:{mail.message_id.strip('<>')}"
    yield f'"{mail.token}" filename:json'  # most of what quotes it has no record
