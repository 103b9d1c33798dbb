"""Payments as CSV for spreadsheets and auditors: every entry, voids as rows, hashes included."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from functions.api.problems import FieldError, InvalidFieldsError, MalformedRequestError

MAX_DAYS = 366
MAX_BYTES = 5_000_000  # a Function URL answers with 6 MB at most
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_TIMES = ("timestamp", "logged_at")
COLUMNS = (
    "seq",
    "kind",
    "payment_id",
    "event_id",
    "event_name",
    "event_date",
    "patron_name",
    "patron_email",
    "amount",
    "currency",
    "method",
    "reference",
    "note",
    "timestamp",
    "logged_at",
    "logged_by",
    "voids",
    "voided_by",
    "reason",
    "acknowledged_duplicates",
    "audit_state",
    "prev_hash",
    "hash",
)


def days_between(first: str, last: str) -> Iterator[str]:
    """Every day from `first` to `last`, both included. Raises MalformedRequestError."""
    start, end = _day("from", first), _day("to", last)
    if not 0 <= (end - start).days < MAX_DAYS:
        message = f"to must not be before from, and {MAX_DAYS} days after it at most."
        raise MalformedRequestError(message, FieldError("to", "range_invalid", message))
    return ((start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1))


def csv_of(payments: Iterable[Mapping[str, Any]]) -> str:
    """The whole file. Raises InvalidFieldsError rather than leave a row out."""
    file = io.StringIO(BYTE_ORDER_MARK)
    file.seek(0, io.SEEK_END)
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for payment in payments:
        writer.writerow([_cell(payment, column) for column in COLUMNS])
        if file.tell() > MAX_BYTES:
            message = "This is more than one file can hold. Ask for fewer days."
            raise InvalidFieldsError(FieldError("to", "too_much", message))
    return file.getvalue()


def _cell(payment: Mapping[str, Any], column: str) -> str:
    value = payment["audit"]["state"] if column == "audit_state" else payment.get(column)
    if value is None:
        return ""
    if column in _TIMES:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    text = " ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _day(name: str, text: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"Give {name} as a day, for example 2026-11-28."
        raise MalformedRequestError(message, FieldError(name, "day_invalid", message)) from error
