"""A mailer at work: the real sandbox, and moto's tables behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from functions.audit_mailer.delivery.courier import (
    Outcome,
    Try,
)
from functions.audit_mailer.mailer import AuditMailer
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.ledger import LedgerEntry
from tests.builders import NOW, entry, message

SETTLE_MS = 180_000
TRY = Try(number=1, request_id="request-1", budget=30)


@dataclass
class Clock:
    now: int = NOW
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> int:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += int(seconds * 1000)


@dataclass
class World:
    """A mailer, and what it left behind."""

    mailer: AuditMailer
    clock: Clock
    dynamodb: Any
    table: str
    payments: str

    def delivery(self, own_id: str = "") -> dict[str, Any]:
        """own_id: the entry's by default."""
        key = to_attributes({"payment_id": own_id or entry().payment_id})
        item = self.dynamodb.get_item(TableName=self.table, Key=key).get("Item", {})
        return from_attributes(item)

    def deliver(self) -> Outcome:
        return self.mailer.deliver(message(), TRY).outcome

    def log(self, *entries: LedgerEntry) -> None:
        """Write rows, pointers and marks of voids as the API's transaction does."""
        ledger = self.payments.replace("Payments", "Ledger")
        for each in entries:
            self.dynamodb.put_item(TableName=self.payments, Item=to_attributes(each.to_row()))
            place = {"row_pk": each.pk, "row_sk": each.timestamp}
            pointer = to_attributes(keys.pointer(each.payment_id) | place)
            self.dynamodb.put_item(TableName=ledger, Item=pointer)
            if each.voids:
                mark: dict[str, Any] = {**keys.void_mark(each.voids), "void_id": each.payment_id}
                correction = next((new for new in entries if new.corrects == each.voids), None)
                if correction:
                    mark["correction_id"] = correction.payment_id
                self.dynamodb.put_item(TableName=ledger, Item=to_attributes(mark))

    def come_back(self) -> None:
        """Let the time pass that the last failure asked to stay away."""
        self.clock.now = max(self.clock.now, self.delivery().get("retry_at", 0))
