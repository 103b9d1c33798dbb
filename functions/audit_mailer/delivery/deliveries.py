"""AuditDeliveries: which mail is being delivered, and how it ended. The courier alone writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.gmail.failures import Failure
from functions.audit_mailer.gmail.mailbox import Receipt
from shared.attributes import from_attributes, to_attributes
from shared.audit.delivery import MailState, mail_state, sent_at
from shared.ledger import PaymentId


class AlreadySentError(Exception):
    """The entry's mail is in the inbox."""


class HeldError(Exception):
    """The entry may not be tried before `until` (epoch ms): another try is running or is due."""

    def __init__(self, until: int, why: str) -> None:
        super().__init__(why)
        self.until = until


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to deliver one mail until the lease ends (epoch ms).

    doubtful_since: the last time a try of unknown outcome may have sent (epoch ms), or None.
    due_since: from when on an earlier try let it be tried again, None without one.
    """

    payment_id: PaymentId
    lease_until: int
    doubtful_since: int | None
    due_since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """A try that did not deliver. Times are epoch ms.

    doubtful_since: as in a claim. retry_at: when the message comes back; the sweep ignores the
    entry until then.
    """

    failure: Failure
    doubtful_since: int | None
    at: int
    retry_at: int
    request_id: str


class Deliveries:
    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, payment_id: PaymentId, now: int, lease_ms: int) -> Claim:
        """Take the entry by conditional write. Raises AlreadySentError or HeldError.

        A lapsed lease belonged to a mailer that was killed, perhaps after it had sent. A failed
        entry is free from its `retry_at` on, whichever message asks for it.
        """
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=to_attributes({"payment_id": payment_id}),
                UpdateExpression="SET #state = :sending, lease_until = :until ADD attempts :one",
                ConditionExpression=(
                    "attribute_not_exists(payment_id)"
                    " OR (#state = :failed"
                    " AND (attribute_not_exists(retry_at) OR retry_at <= :now))"
                    " OR (#state = :sending AND lease_until < :now)"
                ),
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=to_attributes(
                    {
                        ":sending": "sending",
                        ":failed": "failed",
                        ":now": now,
                        ":until": now + lease_ms,
                        ":one": 1,
                    }
                ),
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise _taken(from_attributes(error.response.get("Item", {}))) from error
        before = from_attributes(answer.get("Attributes", {}))
        lapsed = before.get("state") == "sending"
        doubtful = before["lease_until"] if lapsed else before.get("doubtful_since")
        return Claim(
            payment_id=payment_id,
            lease_until=now + lease_ms,
            doubtful_since=doubtful,
            due_since=before.get("retry_at"),
        )

    def thread_of(self, payment_id: PaymentId) -> str | None:
        """The Gmail conversation of the entry's mail; None while there is none."""
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_attributes({"payment_id": payment_id}),
            ProjectionExpression="gmail_thread_id",
        )
        thread_id = from_attributes(answer.get("Item", {})).get("gmail_thread_id")
        return str(thread_id) if thread_id else None

    def state_of(self, payment_id: PaymentId) -> MailState:
        """As of the last try; "queued" while there was none."""
        return mail_state(self._item(payment_id))

    def sent_at_of(self, payment_id: PaymentId) -> int | None:
        """When its mail was sent, in epoch milliseconds."""
        return sent_at(self._item(payment_id))

    def mark_sent(self, claim: Claim, receipt: Receipt, mail: dict[str, str], now: int) -> None:
        """mail: message_id, record_sha256 and recipient of what was delivered."""
        self._write(
            claim,
            {
                "state": "sent",
                "sent_at": now,
                "gmail_id": receipt.gmail_id,
                "gmail_thread_id": receipt.thread_id,
            }
            | mail,
            remove=("lease_until", "retry_at", "doubtful_since", "last_error"),
        )

    def mark_failed(self, claim: Claim, setback: Setback) -> None:
        failure, doubtful_since = setback.failure, setback.doubtful_since
        values: dict[str, Any] = {
            "state": "failed",
            "retry_at": setback.retry_at,
            "last_error": {
                "class": failure.klass,
                "code": failure.code,
                "message": failure.message[:500].encode("utf-8", "replace").decode(),
                "at": setback.at,
                "request_id": setback.request_id,
            },
        }
        if doubtful_since is not None:
            values["doubtful_since"] = doubtful_since
        remove = ("lease_until",) if doubtful_since else ("lease_until", "doubtful_since")
        self._write(claim, values, remove=remove)

    def _item(self, payment_id: PaymentId) -> dict[str, Any]:
        answer = self._client.get_item(
            TableName=self._table, Key=to_attributes({"payment_id": payment_id})
        )
        return from_attributes(answer.get("Item", {}))

    def _write(self, claim: Claim, values: dict[str, Any], remove: tuple[str, ...]) -> None:
        names = {f"#{name}": name for name in (*values, *remove)}
        self._client.update_item(
            TableName=self._table,
            Key=to_attributes({"payment_id": claim.payment_id}),
            UpdateExpression=(
                "SET "
                + ", ".join(f"#{name} = :{name}" for name in values)
                + " REMOVE "
                + ", ".join(f"#{name}" for name in remove)
            ),
            ConditionExpression="lease_until = :lease",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_attributes(
                {f":{name}": value for name, value in values.items()}
                | {":lease": claim.lease_until}
            ),
        )


def _taken(item: dict[str, Any]) -> Exception:
    if item.get("state") == "sent":
        return AlreadySentError()
    if item.get("state") == "failed":
        return HeldError(int(item["retry_at"]), "this entry's next try is not due yet")
    return HeldError(int(item.get("lease_until", 0)), "another mailer holds this entry")
