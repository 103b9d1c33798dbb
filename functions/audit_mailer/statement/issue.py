"""One statement a day: read the day, check that no number is missing, mail it once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from functions.audit_mailer.delivery.courier import Courier, Outcome, Try
from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.statement_mail import compose
from functions.audit_mailer.statement.account import (
    EventAccount,
    Statement,
    missing_numbers,
    undated,
)
from functions.audit_mailer.statement.days import due_days, last_days, statement_id
from shared.ledger import Head, business_date

LOOKS = 3
INDEX_LAG_SECONDS = 2.0


class Daybook(Protocol):
    def logged_on(self, day: str) -> Iterable[Sequence[Mapping[str, Any]]]: ...
    def has_entries(self, day: str) -> bool: ...
    def deliveries(self, payment_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Chains(Protocol):
    def head(self, event_id: str) -> Head | None: ...
    def places(self, event_id: str) -> Iterable[Mapping[str, Any]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementIssuer:
    """zone: of business days. now: returns epoch milliseconds. pause: sleeps seconds."""

    daybook: Daybook
    chains: Chains
    courier: Courier
    addresses: Addresses
    zone: ZoneInfo
    now: Callable[[], int]
    pause: Callable[[float], None]

    def due(self) -> list[str]:
        """Past days whose statement is not sent, oldest first."""
        days = last_days(business_date(self.now(), self.zone))
        deliveries = self.daybook.deliveries([statement_id(day, is_final=True) for day in days])
        return due_days(days, deliveries, self.daybook.has_entries)

    def draw_up(self, day: str) -> Statement:
        """What the ledger says about a day now."""
        now = self.now()
        is_over = date.fromisoformat(day) < business_date(now, self.zone)
        statement = Statement(day, self.zone.key, now, is_over)
        for rows in self.daybook.logged_on(day):
            payment_ids = [row.get("payment_id", "") for row in rows]
            statement.add(rows, self.daybook.deliveries(payment_ids))
        for account in statement.events:
            self._check_numbers(account, statement)
        return statement

    def deliver(self, statement: Statement, this_try: Try) -> Outcome:
        """Mail it unless it already was. Raises QuarantineError or PostponeError."""
        own_id = statement_id(statement.day, is_final=statement.is_final)
        return self.courier.deliver(
            own_id, lambda: compose(statement, own_id, self.addresses), this_try
        )

    def _check_numbers(self, account: EventAccount, statement: Statement) -> None:
        """Every number up to the head's must have a row, and every row a day.

        The head is read first and consistently. Only an entry logged this very moment can be absent
        from the index without being missing, so the index is read again.
        """
        account.end_at(self.chains.head(account.event_id))
        last = account.head.seq or account.last_seq
        for look in range(LOOKS):
            if look:
                self.pause(INDEX_LAG_SECONDS)
            seen: list[int] = []
            without_day: list[Mapping[str, Any]] = []
            for row in self.chains.places(account.event_id):
                if isinstance(row.get("seq"), int):
                    seen.append(row["seq"])
                if undated(row):
                    without_day.append(row)
            account.missing = missing_numbers(seen, last)
            if not account.missing or account.missing[0][0] <= account.last_seq:
                break
        for row in without_day:
            statement.add_malformed(row, undated(row))
