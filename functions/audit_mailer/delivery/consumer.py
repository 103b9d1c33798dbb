"""What to do with one queue message: deliver, postpone, or quarantine with a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.audit_mailer.delivery.audit_queue import ReceivedMessage
from functions.audit_mailer.delivery.backoff import backoff_seconds
from functions.audit_mailer.delivery.counting import count
from functions.audit_mailer.delivery.courier import (
    Outcome,
    PostponeError,
    QuarantineError,
    Try,
)
from functions.audit_mailer.gmail.failures import Failure
from functions.audit_mailer.mailer import Delivered
from shared.audit.messages import (
    MalformedMessageError,
    Message,
    OpsMessage,
    ReissueMessage,
    StatementMessage,
    read_message,
)
from shared.settings import SettingsError

NEEDED_MS = 42_000  # the slowest token, search and delivery, each in its time (transport.py)

logger = Logger(child=True)


class NotDoneError(Exception):
    """Reported as a batch item failure: SQS hands the message out again once it is visible."""


class Mailer(Protocol):
    def deliver(self, message: Message, this_try: Try) -> Delivered: ...


class Queue(Protocol):
    def postpone(self, received: ReceivedMessage, seconds: int) -> bool: ...
    def quarantine(self, received: ReceivedMessage, klass: str, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Consumer:
    """mailer: returns the mailer or raises SettingsError. retry_cap: longest wait, in seconds.

    now: returns epoch milliseconds.
    """

    mailer: Callable[[], Mailer]
    queue: Queue
    retry_cap: int
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def consume(self, record: SQSRecord, request_id: str, remaining_ms: int) -> None:
        """Raises NotDoneError when SQS must keep the message."""
        received = _received(record)
        if remaining_ms < NEEDED_MS:
            self._postpone(received, 1, "too little time left in this invocation")
            return
        this_try = Try(
            number=received.tries,
            request_id=request_id,
            budget=(remaining_ms - NEEDED_MS) / 1000,
        )
        try:
            message = read_message(received.body)
            logger.thread_safe_append_keys(**_names(message))
            delivered = self.mailer().deliver(message, this_try)
        except MalformedMessageError as error:
            self._quarantine(received, "poison-schema", str(error))
        except QuarantineError as error:
            self._quarantine(received, error.klass, error.reason)
        except PostponeError as error:
            self._count(error.failure)
            self._postpone(received, error.seconds, str(error))
        except SettingsError as error:
            failure = Failure(klass="systemic", code="configuration", message=str(error))
            self._count(failure)
            seconds = backoff_seconds(failure, received.tries, self.retry_cap)
            self._postpone(received, seconds, str(error))
        else:
            self._done(delivered, received)

    def _done(self, delivered: Delivered, received: ReceivedMessage) -> None:
        latency = self.now() - delivered.logged_at
        if delivered.outcome is not Outcome.ALREADY_SENT:
            count("MailsSent")
            count("DeliveryLatency", latency, MetricUnit.Milliseconds)
        logger.info(
            "audit mail delivered",
            outcome=delivered.outcome,
            tries=received.tries,
            latency_ms=latency,
        )

    def _count(self, failure: Failure | None) -> None:
        if failure is None:
            return
        count("DeliveriesFailed")
        if failure.klass == "systemic":
            count("CredentialFailures")

    def _postpone(self, received: ReceivedMessage, seconds: int, reason: str) -> None:
        logger.warning("delivery postponed", seconds=seconds, reason=reason, tries=received.tries)
        if self.queue.postpone(received, seconds):
            # The log line says why. A chained cause would put Google's own text into the log.
            raise NotDoneError(reason) from None

    def _quarantine(self, received: ReceivedMessage, klass: str, reason: str) -> None:
        count("MessagesQuarantined")
        logger.error("message quarantined", error_class=klass)
        self.queue.quarantine(received, klass, reason)


def _names(message: Message) -> dict[str, Any]:
    """The ids that log lines about this message carry."""
    if isinstance(message, StatementMessage):
        return {"statement_day": message.place.day}
    if isinstance(message, OpsMessage):
        return {"ops_id": message.ops_id}
    if isinstance(message, ReissueMessage):
        return {"ops_id": message.planned}
    return {"payment_id": message.payment_id, "seq": message.seq}


def _received(record: SQSRecord) -> ReceivedMessage:
    attributes: dict[str, Any] = record.raw_event.get("messageAttributes") or {}
    return ReceivedMessage(
        body=record.body,
        receipt_handle=record.receipt_handle,
        receives=int(record.attributes.approximate_receive_count or 1),
        attempts=_count(attributes, "attempts"),
        replay_count=_count(attributes, "replay_count"),
    )


def _count(attributes: dict[str, Any], name: str) -> int:
    text = str((attributes.get(name) or {}).get("stringValue", "0"))
    return int(text) if text.isascii() and text.isdigit() else 0
