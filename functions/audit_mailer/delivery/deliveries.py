"""AuditDeliveries: which mail is being delivered, and how it ended. The courier alone writes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.delivery.search import SEARCHED_PAGES
from functions.audit_mailer.gmail.failures import Failure
from functions.audit_mailer.gmail.mailbox import MOST_FOUND, Receipt
from shared.attributes import from_attributes, to_attributes
from shared.audit.delivery import (
    LONG_AGO,
    MailState,
    came_back,
    doubtful_since,
    due_since,
    held_until,
    is_sent,
    mail_state,
    reached_nobody,
    sent_at,
)
from shared.ledger import PaymentId

_FREE = (
    "attribute_not_exists(payment_id)"
    " OR ((attribute_not_exists(attempts) OR attribute_type(attempts, :number))"
    " AND ((#state = :failed AND attribute_not_exists(retry_at))"
    " OR (#state = :failed AND attribute_type(retry_at, :number) AND retry_at <= :now)"
    " OR (#state = :sending AND attribute_type(#lease_until, :number) AND #lease_until < :now)))"
)
MARK_LENGTH = 8  # characters of a mark, see search.py
MOST_MARKS = SEARCHED_PAGES * MOST_FOUND  # 80 KB at the most
_FREE_VALUES = {":failed": "failed", ":number": "N"}


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
    due_since: from when on an earlier try let it be tried again, None without one. came_back: Gmail
    ids of mails that it had and nobody got.
    """

    payment_id: PaymentId
    lease_until: int
    doubtful_since: int | None
    due_since: int | None
    came_back: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """A try that did not deliver. Times are epoch ms.

    doubtful_since: as in a claim. ruled_out: marks of mails that a search found and that are not
    the mail. retry_at: when the message comes back; the sweep ignores the entry until then.
    """

    failure: Failure
    doubtful_since: int | None
    at: int
    retry_at: int
    request_id: str
    ruled_out: Collection[str] = ()


class Deliveries:
    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def claim(
        self, payment_id: PaymentId, now: int, lease_ms: int, *, if_returned: bool = False
    ) -> Claim:
        """Take the entry by conditional write. Raises AlreadySentError or HeldError.

        A failed entry is free from its `retry_at` on, whichever message asks for it. if_returned:
        also one that was sent and reached nobody.
        """
        until = now + lease_ms
        count, values = "ADD attempts :one", to_attributes(_FREE_VALUES | {":now": now})
        try:
            before = self._take(payment_id, until, count, _FREE, values)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            item = error.response.get("Item", {})
            known = from_attributes(item)
            if not (if_returned and reached_nobody(known)):
                _require_free(known, now)
            return self._claim_unchanged(payment_id, item, until)
        return Claim(
            payment_id=payment_id,
            lease_until=until,
            doubtful_since=doubtful_since(before),
            due_since=due_since(before),
            came_back=came_back(before),
        )

    def _claim_unchanged(self, payment_id: PaymentId, item: Mapping[str, Any], until: int) -> Claim:
        """Take what came back, or is neither sent nor held but not as a mailer leaves it.

        If it still is so: nobody knows whether another mail was sent. item: in DynamoDB's form.
        """
        names = ("state", "lease_until")
        values = {f":was_{each}": item[each] for each in names if each in item}
        unchanged = " AND ".join(
            f"#{each} = :was_{each}" if each in item else f"attribute_not_exists(#{each})"
            for each in names
        )
        try:
            self._take(payment_id, until, ", attempts = :one", unchanged, values)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise HeldError(until, "another mailer holds this entry") from error
        return Claim(
            payment_id=payment_id,
            lease_until=until,
            doubtful_since=LONG_AGO,
            due_since=None,
            came_back=came_back(from_attributes(item)),
        )

    def _take(
        self,
        payment_id: PaymentId,
        until: int,
        count: str,
        condition: str,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the item was before. count: how the expression goes on. values: as DynamoDB's."""
        taken = {":sending": "sending", ":until": until, ":one": 1}
        answer = self._client.update_item(
            TableName=self._table,
            Key=to_attributes({"payment_id": payment_id}),
            UpdateExpression=f"SET #state = :sending, #lease_until = :until {count}",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#state": "state", "#lease_until": "lease_until"},
            ExpressionAttributeValues=to_attributes(taken) | dict(values),
            ReturnValues="ALL_OLD",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return from_attributes(answer.get("Attributes", {}))

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

    def ruled_out(self, payment_id: PaymentId) -> set[str]:
        """Marks of mails that earlier tries read, and that are not this one."""
        marks = self._item(payment_id).get("ruled_out")
        text = marks if isinstance(marks, str) else ""
        return {text[at : at + MARK_LENGTH] for at in range(0, len(text), MARK_LENGTH)}

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
            remove=("lease_until", "retry_at", "doubtful_since", "last_error", "ruled_out"),
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
        if setback.ruled_out:
            values["ruled_out"] = "".join(sorted(setback.ruled_out)[:MOST_MARKS])
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


def _require_free(item: dict[str, Any], now: int) -> None:
    """Raises AlreadySentError or HeldError."""
    if is_sent(item):
        raise AlreadySentError
    until = held_until(item, now)
    if until is not None and mail_state(item) == "sending":
        raise HeldError(until, "another mailer holds this entry")
    if until is not None:
        raise HeldError(until, "this entry's next try is not due yet")
