"""The rules of delivery: one mail per ledger entry, whatever fails on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from tenacity.wait import wait_base

from functions.audit_mailer.deliveries import AlreadySentError, Claim, HeldError
from functions.audit_mailer.failures import DeliveryError, Failure, FailureClass
from functions.audit_mailer.gmail import Receipt
from functions.audit_mailer.message import AuditMail, compose
from functions.audit_mailer.settings import DeliveryMethod
from shared.ledger import MalformedEntryError, PaymentId
from shared.messages import AuditMessage

LEASE_MS = 90_000  # longer than the function's 60 s: a lapsed lease is a dead mailer
TRIES_IN_PLACE = 3
LOOK_AGAIN_SECONDS = 30.0
FIRST_WAIT: Mapping[FailureClass, int] = {
    "retry": 2, "ambiguous": 5, "later": 300, "systemic": 60, "permanent": 0,
}  # fmt: skip


class Outcome(StrEnum):
    SENT = "sent"
    FOUND = "found"  # an earlier try had delivered it after all
    ALREADY_SENT = "already_sent"


class QuarantineError(Exception):
    """A message that no retry can deliver. klass names the cause for ops."""

    def __init__(self, klass: str, reason: str) -> None:
        super().__init__(reason)
        self.klass = klass
        self.reason = reason


class PostponeError(Exception):
    """Not delivered yet; try again after `seconds`."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


class Ledger(Protocol):
    def row(self, pk: str, sk: int) -> Mapping[str, Any] | None: ...


class DeliveryLog(Protocol):
    def claim(self, payment_id: PaymentId, now: int, lease_ms: int) -> Claim: ...
    def mark_sent(self, claim: Claim, receipt: Receipt, mail: dict[str, str], now: int) -> None: ...
    def mark_failed(
        self, claim: Claim, failure: Failure, doubtful_since: int | None, now: int, request_id: str
    ) -> None: ...


class Mailbox(Protocol):
    def deliver(self, mail: bytes) -> Receipt: ...
    def find(self, token: str) -> Receipt | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMailer:
    """now: returns epoch milliseconds. pause: sleeps seconds. settle_ms: how long search lags."""

    ledger: Ledger
    deliveries: DeliveryLog
    mailbox: Mailbox
    sender: str
    recipient: str
    method: DeliveryMethod
    settle_ms: int
    now: Callable[[], int]
    pause: Callable[[float], None]

    def deliver(self, message: AuditMessage, request_id: str) -> Outcome:
        """Deliver the mail of one entry. Raises QuarantineError, PostponeError or DeliveryError."""
        mail = self._compose(message)
        try:
            claim = self.deliveries.claim(message.payment_id, self.now(), LEASE_MS)
        except AlreadySentError:
            return Outcome.ALREADY_SENT
        except HeldError as held:
            wait = max(1.0, (held.lease_until - self.now()) / 1000 + 1)
            raise PostponeError(wait, "another mailer holds this entry") from held
        doubtful_since = claim.doubtful_since
        try:
            if doubtful_since is not None and self.method == "send":
                found = self.mailbox.find(mail.token)
                if found is not None:
                    self._mark_sent(claim, found, mail)
                    return Outcome.FOUND
                self._require_settled(doubtful_since)
            doubtful_since, tried_at = None, self.now()
            try:
                receipt = self._deliver(mail)
            except DeliveryError as error:
                doubtful_since = tried_at if error.failure.klass == "ambiguous" else None
                raise
        except DeliveryError as error:
            now = self.now()
            self.deliveries.mark_failed(claim, error.failure, doubtful_since, now, request_id)
            raise
        self._mark_sent(claim, receipt, mail)
        return Outcome.SENT

    def _compose(self, message: AuditMessage) -> AuditMail:
        row = self.ledger.row(message.pk, message.sk)
        if row is None or row.get("payment_id") != message.payment_id:
            raise QuarantineError("poison-no-payment", "the ledger holds no such payment")
        try:
            return compose(row, self.sender, self.recipient)
        except MalformedEntryError as error:
            raise QuarantineError("poison-entry", str(error)) from error

    def _require_settled(self, doubtful_since: int) -> None:
        """Not found means not delivered only once search has had time to see the earlier try."""
        waited = self.now() - doubtful_since
        if waited < self.settle_ms:
            raise DeliveryError(
                Failure(
                    klass="ambiguous",
                    code="search_not_settled",
                    message="an earlier try may have delivered; looking again before sending",
                    wait=min((self.settle_ms - waited) / 1000 + 1, LOOK_AGAIN_SECONDS),
                )
            )

    def _deliver(self, mail: AuditMail) -> Receipt:
        retrying = Retrying(
            retry=retry_if_exception(_worth_a_retry_in_place),
            stop=stop_after_attempt(TRIES_IN_PLACE),
            wait=_AsToldOr(wait_exponential_jitter(initial=1, max=8)),
            sleep=self.pause,
            reraise=True,
        )
        return retrying(self.mailbox.deliver, mail.content)

    def _mark_sent(self, claim: Claim, receipt: Receipt, mail: AuditMail) -> None:
        identity = {"message_id": mail.message_id, "record_sha256": mail.record_sha256}
        self.deliveries.mark_sent(claim, receipt, identity, self.now())


def backoff_seconds(failure: Failure, tries: int, cap: int) -> int:
    """How long a message stays away after its nth try: what Google asked for, or doubling."""
    if failure.wait is not None:
        asked = failure.wait + random.uniform(0, 2)  # noqa: S311 - jitter, no secret
        return int(min(max(asked, 1), 12 * 3600 - 120))  # SQS: 12 h from the receive
    longest = min(FIRST_WAIT[failure.klass] * 2 ** min(tries, 12), cap)
    return max(1, int(random.uniform(longest / 2, longest)))  # noqa: S311 - jitter, no secret


def _worth_a_retry_in_place(error: BaseException) -> bool:
    """Only what certainly was not delivered, and soon can be."""
    return isinstance(error, DeliveryError) and error.failure.klass == "retry"


class _AsToldOr(wait_base):
    """Wait as long as Google said, at most ten seconds; otherwise as `otherwise` does."""

    def __init__(self, otherwise: wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: Any) -> float:
        error = retry_state.outcome.exception()
        told = error.failure.wait if isinstance(error, DeliveryError) else None
        return self._otherwise(retry_state) if told is None else min(told + 0.1, 10.0)
