"""The rules of delivery: a mail goes out under its id once, whatever fails along the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, Protocol

from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

from functions.audit_mailer.delivery import search
from functions.audit_mailer.delivery.backoff import LONGEST_WAIT, AsToldOr, backoff_seconds
from functions.audit_mailer.delivery.deliveries import AlreadySentError, Claim, HeldError, Setback
from functions.audit_mailer.delivery.pacing import NoSlotError, Slot
from functions.audit_mailer.delivery.search import LOOK_AGAIN_SECONDS, Search
from functions.audit_mailer.gmail.failures import DeliveryError, Failure
from functions.audit_mailer.gmail.mailbox import FoundMail, Receipt
from functions.audit_mailer.mails.copies import own_headers
from functions.audit_mailer.mails.envelope import REISSUE, AuditMail
from functions.audit_mailer.settings import DeliveryMethod
from shared.audit.delivery import LONG_AGO, MailState
from shared.ledger import PaymentId

LEASE_MS = 90_000  # longer than the function's 60 s: a lapsed lease is a dead mailer
TRIES_IN_PLACE = 3
SPREAD_SECONDS = 30  # messages without a slot come back spread over this time


class Outcome(StrEnum):
    SENT = "sent"
    FOUND = "found"  # an earlier try did deliver it
    ALREADY_SENT = "already_sent"


class QuarantineError(Exception):
    """A message that no retry can deliver. klass names the cause for ops."""

    def __init__(self, klass: str, reason: str) -> None:
        super().__init__(reason)
        self.klass = klass
        self.reason = reason


class PostponeError(Exception):
    """Not delivered yet: try again after `seconds`. failure: what went wrong, if anything."""

    def __init__(self, seconds: int, why: str, failure: Failure | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try to deliver a message. number: from 1. budget: seconds for waits in place."""

    number: int
    request_id: str
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Of a mail that is issued again. Times are epoch ms.

    sent_at: when the first one was. asked_at: when operators asked for this one.
    """

    sent_at: int
    asked_at: int

    def counts(self, found: FoundMail, mail: AuditMail) -> bool:
        """Whether a mail with the same record makes this one needless.

        The lost one may still be among what the sender sent, there or bounced: it does not.
        """
        is_this = own_headers(found.raw).get(REISSUE) == mail.own_headers[REISSUE]
        return is_this or "INBOX" in found.labels or found.at >= self.asked_at


class DeliveryLog(Protocol):
    def claim(
        self, payment_id: PaymentId, now: int, lease_ms: int, *, if_returned: bool = False
    ) -> Claim: ...
    def thread_of(self, payment_id: PaymentId) -> str | None: ...
    def state_of(self, payment_id: PaymentId) -> MailState: ...
    def sent_at_of(self, payment_id: PaymentId) -> int | None: ...
    def ruled_out(self, payment_id: PaymentId) -> set[str]: ...
    def mark_sent(self, claim: Claim, receipt: Receipt, mail: dict[str, str], now: int) -> None: ...
    def mark_failed(self, claim: Claim, setback: Setback) -> None: ...


class Mailbox(search.Mailbox, Protocol):
    def send_audit_email_via_gmail(self, mail: bytes, thread_id: str | None = None) -> Receipt: ...


class Pace(search.Pace, Protocol):
    def reserve(self, now: int, patience_ms: int) -> Slot: ...
    def close(self, now: int, wait_ms: int | None = None) -> None: ...
    def open(self) -> None: ...


@dataclass(slots=True)
class _Doubt:
    """since: the last time a try of unknown outcome may have sent (epoch ms), or None.

    ruled_out: marks of mails that a search found, and that are not the mail.
    """

    since: int | None
    ruled_out: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """now: returns epoch milliseconds. pause: sleeps seconds. settle_ms: how long search lags.

    retry_cap: the longest wait between two tries of one message, in seconds.
    """

    deliveries: DeliveryLog
    mailbox: Mailbox
    pace: Pace
    method: DeliveryMethod
    settle_ms: int
    retry_cap: int
    now: Callable[[], int]
    pause: Callable[[float], None]

    def deliver(
        self,
        payment_id: PaymentId,
        compose: Callable[[], AuditMail],
        this_try: Try,
        again: Again | None = None,
        *,
        if_returned: bool = False,
    ) -> Outcome:
        """Deliver the mail of this id unless it was delivered. compose: makes it, once claimed.

        again: for a mail that is issued again. if_returned: also if it was, and the mail came back.
        Raises QuarantineError or PostponeError.
        """
        deadline = self.now() + int(this_try.budget * 1000)
        slot = self._wait_for_slot(this_try)
        try:
            claim = self.deliveries.claim(payment_id, self.now(), LEASE_MS, if_returned=if_returned)
        except AlreadySentError:
            self._reopen_after(slot)
            return Outcome.ALREADY_SENT
        except HeldError as held:
            self._reopen_after(slot)
            wait = (held.until - self.now()) // 1000 + 1
            raise PostponeError(max(1, wait), str(held)) from held
        doubt = _Doubt(claim.doubtful_since)
        try:
            outcome = self._deliver_claimed(compose, claim, doubt, deadline, again)
        except DeliveryError as error:
            self._close_for_all(slot, error.failure, this_try)
            self._give_up_for_now(claim, error.failure, doubt, this_try)
        self._reopen_after(slot)
        return outcome

    def _wait_for_slot(self, this_try: Try) -> Slot:
        """Stay within Gmail's quota, which all mailers share. Waiting is not a failed try."""
        now = self.now()
        try:
            slot = self.pace.reserve(now, int(this_try.budget * 1000))
        except NoSlotError as error:
            spread = min(SPREAD_SECONDS, self.retry_cap)
            if error.is_closed:  # perhaps for hours: try less and less often
                spread = min(SPREAD_SECONDS * 2 ** min(this_try.number - 1, 12), self.retry_cap)
            wait = error.wait_ms / 1000 + random.uniform(0, spread)  # noqa: S311 - spreads load
            raise PostponeError(min(int(wait) + 1, LONGEST_WAIT), str(error)) from error
        if slot.at > now:
            self.pause((slot.at - now) / 1000)
        return slot

    def _reopen_after(self, slot: Slot) -> None:
        """A probe that was not refused opens the account for all mailers."""
        if slot.is_probe:
            self.pace.open()

    def _close_for_all(self, slot: Slot, failure: Failure, this_try: Try) -> None:
        """An account that is refused for this mail is refused for every mail."""
        if failure.klass in ("systemic", "later"):
            asked = failure.wait
            if asked is None and failure.klass == "later":
                asked = backoff_seconds(failure, this_try.number, self.retry_cap)
            self.pace.close(self.now(), None if asked is None else int(asked * 1000))
        elif failure.klass != "retry":  # Gmail answered and accepted the account
            self._reopen_after(slot)

    def _deliver_claimed(
        self,
        compose: Callable[[], AuditMail],
        claim: Claim,
        doubt: _Doubt,
        deadline: int,
        again: Again | None,
    ) -> Outcome:
        """deadline: when the last wait in place must be over (epoch ms)."""
        mail = _composed(compose)
        was_in_doubt = doubt.since is not None
        if again is not None:
            doubt.since = max(again.sent_at, doubt.since or LONG_AGO)
        elif doubt.since is None and self._may_be_forgotten(claim, mail):
            doubt.since = LONG_AGO  # kept if the search fails: the next try has to search, too
        if doubt.since is not None:
            doubt.ruled_out = self.deliveries.ruled_out(claim.payment_id)
            found = self._search(claim, doubt, deadline).find(
                mail, self.method, lambda it: again is None or again.counts(it, mail)
            )
            if found is not None:
                self._mark_sent(claim, found.receipt, mail, found.at)
                return Outcome.FOUND if was_in_doubt else Outcome.ALREADY_SENT
            self._require_settled(doubt.since)
        doubt.since = None
        try:
            receipt = self._send(mail, max(0.0, (deadline - self.now()) / 1000))
        except DeliveryError as error:
            if error.failure.klass == "ambiguous":
                doubt.since = self.now()
            raise
        self._mark_sent(claim, receipt, mail, self.now())
        return Outcome.SENT

    def _may_be_forgotten(self, claim: Claim, mail: AuditMail) -> bool:
        """Whether AuditDeliveries may lack what was done: it was lost, or is an older copy.

        Then the entry is old, and nobody has tried it since it was due.
        """
        waited = self.now() - max(mail.written_at, claim.due_since or 0)
        return abs(waited) > self.settle_ms  # a time far ahead says nothing either

    def _search(self, claim: Claim, doubt: _Doubt, deadline: int) -> Search:
        return Search(
            mailbox=self.mailbox,
            pace=self.pace,
            came_back=claim.came_back,
            ruled_out=doubt.ruled_out,
            deadline=deadline,
            now=self.now,
            pause=self.pause,
        )

    def _give_up_for_now(
        self, claim: Claim, failure: Failure, doubt: _Doubt, this_try: Try
    ) -> NoReturn:
        """Record why, and say when to try again. `permanent` is never tried again."""
        seconds = backoff_seconds(failure, this_try.number, self.retry_cap)
        now = self.now()
        setback = Setback(
            failure=failure,
            doubtful_since=doubt.since,
            ruled_out=doubt.ruled_out,
            at=now,
            retry_at=now + seconds * 1000,
            request_id=this_try.request_id,
        )
        self.deliveries.mark_failed(claim, setback)
        if failure.klass == "permanent":
            raise QuarantineError("permanent", f"{failure.code}: {failure.message}")
        raise PostponeError(seconds, failure.code, failure)

    def _require_settled(self, doubtful_since: int) -> None:
        """Not found proves nothing until search has had time to index the earlier try."""
        waited = abs(self.now() - doubtful_since)  # a time far ahead says nothing
        if waited < self.settle_ms:
            raise DeliveryError(
                Failure(
                    klass="ambiguous",
                    code="search_not_settled",
                    message="an earlier try may have delivered; searching again before sending",
                    wait=min((self.settle_ms - waited) / 1000 + 1, LOOK_AGAIN_SECONDS),
                )
            )

    def _send(self, mail: AuditMail, budget: float) -> Receipt:
        """Hand the mail to Gmail; retry in place if it certainly was not delivered and soon can be.

        An unknown outcome is left to the next try, which searches first. That Gmail removes an
        import's duplicates by their Message-ID is not documented.
        """
        thread_id = self.deliveries.thread_of(mail.follows) if mail.follows else None
        retrying = Retrying(
            retry=retry_if_exception(
                lambda error: isinstance(error, DeliveryError) and error.failure.klass == "retry"
            ),
            stop=stop_after_attempt(TRIES_IN_PLACE) | stop_before_delay(budget),
            wait=AsToldOr(wait_exponential_jitter(initial=1, max=8)),
            sleep=self.pause,
            reraise=True,
        )
        return retrying(self.mailbox.send_audit_email_via_gmail, mail.content, thread_id)

    def _mark_sent(self, claim: Claim, receipt: Receipt, mail: AuditMail, at: int) -> None:
        identity = {
            "message_id": mail.message_id,
            "record_sha256": mail.record_sha256,
            "recipient": mail.recipient,
        }
        self.deliveries.mark_sent(claim, receipt, identity, at)


def _composed(compose: Callable[[], AuditMail]) -> AuditMail:
    try:
        return compose()
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        told = str(error) if isinstance(error, ValueError | TypeError) else repr(error)
        failure = Failure(klass="permanent", code="poison-entry", message=told)
        raise DeliveryError(failure) from error
