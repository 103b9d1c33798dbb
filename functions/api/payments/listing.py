"""Payments as the API shows them, each with the state of its audit mail.

A row that is not as it was written is never shown as a payment: an altered amount would look
genuine. It is named instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from functions.api.http.problems import FieldError, MalformedRequestError
from functions.api.payments.money import text_from_cents
from shared.audit.delivery import (
    attempts_of,
    last_error,
    mail_state,
    mailbox_finding,
    seen_at,
    sent_at,
)
from shared.ledger import LedgerEntry, is_event_id, problem_with
from shared.text import EMAIL

MOST_SHOWN = 200  # characters of a text in a row that we did not write


class Voids(Protocol):
    def voids_of(self, payment_ids: Iterable[str]) -> Mapping[str, str]: ...


class Deliveries(Protocol):
    def deliveries(self, payment_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]: ...


def read_payments_filter(parameters: Mapping[str, str]) -> tuple[str, str]:
    """Which payments: ("event_id", …) or ("patron_email", …). Raises MalformedRequestError."""
    event_id, email = parameters.get("event_id"), parameters.get("patron_email")
    if (
        email is not None
        and event_id is None
        and re.fullmatch(EMAIL, email)
        and email.isprintable()
    ):
        return "patron_email", email.lower()
    if event_id is not None and email is None and is_event_id(event_id):
        return "event_id", event_id
    field = "patron_email" if email is not None and event_id is None else "event_id"
    message = "Give either event_id or patron_email in the query."
    raise MalformedRequestError(message, FieldError(field, f"{field}_invalid", message))


def handle_payment_list(
    rows: Sequence[Mapping[str, Any]], ledger: Voids, mails: Deliveries
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A page of payments, each with the state of its audit mail, and the rows with a problem.

    One row that is not as it was written must not hide the others.
    """
    problems = [problem_with(row) for row in rows]
    sound = [row for row, problem in zip(rows, problems, strict=True) if not problem]
    doubtful = [
        problem_view(row, problem) for row, problem in zip(rows, problems, strict=True) if problem
    ]
    return audited_views([LedgerEntry.from_row(row) for row in sound], ledger, mails), doubtful


def problem_view(row: Mapping[str, Any], problem: str) -> dict[str, Any]:
    """What names a row that is not as it was written, as far as it can be read."""
    named = {name: _text(row.get(name)) for name in ("event_id", "payment_id", "patron_name")}
    seq = row.get("seq")
    return named | {"seq": seq if type(seq) is int and seq > 0 else None, "problem": problem}


def _text(value: Any) -> str | None:
    return value[:MOST_SHOWN] if isinstance(value, str) else None


def audited_views(
    entries: Sequence[LedgerEntry], ledger: Voids, mails: Deliveries
) -> list[dict[str, Any]]:
    """Entries as the API shows them, each with the state of its audit mail."""
    deliveries = mails.deliveries(entry.payment_id for entry in entries)
    voids = ledger.voids_of(entry.payment_id for entry in entries)
    return [
        payment_view(entry)
        | {
            "voided_by": voids.get(entry.payment_id),
            "audit": audit_view(deliveries.get(entry.payment_id)),
        }
        for entry in entries
    ]


def payment_view(entry: LedgerEntry) -> dict[str, Any]:
    return entry.to_row() | {"amount": text_from_cents(entry.amount_cents)}


def audit_view(delivery: Mapping[str, Any] | None) -> dict[str, Any]:
    """`queued` while a try is running or will follow. `sent` stays, whatever the mailbox holds."""
    state = mail_state(delivery)
    return {
        "state": state if state in ("sent", "failed") else "queued",
        "sent_at": sent_at(delivery),
        "seen_at": seen_at(delivery),
        "mailbox": mailbox_finding(delivery),
        "attempts": attempts_of(delivery),
        "last_error": last_error(delivery) or None,
    }
