"""Payments as CSV for spreadsheets and auditors: every entry, voids as rows, hashes included."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from functions.api.http.problems import FieldError, InvalidFieldsError, MalformedRequestError
from functions.api.payments.listing import read_payments_filter
from shared.ledger import LedgerEntry

MAX_DAYS = 366
MAX_BYTES = 5_500_000  # as the JSON string that Lambda returns; a Function URL takes 6 MB
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8
_FORMULA_STARTS = frozenset("=+-@")

_FIRST, _LAST = ("seq",), ("prev_hash", "hash")
_AUDIT = ("audit_state", "audit_sent_at", "audit_attempts", "audit_error")
_LEFT_OUT = frozenset({"event_timezone", "logged_day", "expiration_timestamp", "schema_version"})
_SHOWN_AS = {"amount_cents": ("amount",), "voids": ("voids", "voided_by")}
_TIMES = {each.name for each in fields(LedgerEntry) if each.type == "Milliseconds"}


def _columns() -> Iterator[str]:
    """Every attribute of a ledger entry has its column, unless it is left out by name."""
    yield from _FIRST
    for each in fields(LedgerEntry):
        if each.name not in _LEFT_OUT.union(_FIRST, _LAST):
            yield from _SHOWN_AS.get(each.name, (each.name,))
    yield from _AUDIT
    yield from _LAST


COLUMNS = tuple(_columns())


def read_export_filter(parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    """What to export: one ("event_id", …), or a ("logged_day", …) for each day from `from` to `to`.

    Raises MalformedRequestError, also when both are given.
    """
    dates = [name for name in ("from", "to") if name in parameters]
    if "patron_email" in parameters or ("event_id" in parameters and dates):
        field = "patron_email" if "patron_email" in parameters else dates[0]
        message = "Give either event_id or a date range, from and to."
        raise MalformedRequestError(message, FieldError(field, f"{field}_invalid", message))
    if "event_id" in parameters:
        return [read_payments_filter(parameters)]
    days = days_between(parameters.get("from", ""), parameters.get("to", ""))
    return [("logged_day", day) for day in days]


def in_order(payments: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """An event's entries in chain order; a date range by time of logging."""

    def place(payment: Mapping[str, Any]) -> tuple[Any, ...]:
        number = (payment["event_id"], payment["seq"])
        return number if name == "event_id" else (payment["logged_at"], *number)

    return sorted(payments, key=place)


def days_between(first: str, last: str) -> Iterator[str]:
    """Every day from `first` to `last`, both included. Raises MalformedRequestError."""
    start, end = _day("from", first), _day("to", last)
    if not 0 <= (end - start).days < MAX_DAYS:
        message = f"Pick an end date on or after the start, at most {MAX_DAYS - 1} days later."
        raise MalformedRequestError(message, FieldError("to", "range_invalid", message))
    return ((start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1))


def csv_of(payments: Iterable[Mapping[str, Any]], name: str) -> str:
    """The whole file. Raises InvalidFieldsError rather than leave a row out.

    name: the filter, "event_id" or "logged_day".
    """
    lines = [BYTE_ORDER_MARK + _line(COLUMNS)]
    size = _size(lines[0])
    for payment in payments:
        lines.append(_line([_cell(payment, column) for column in COLUMNS]))
        size += _size(lines[-1])
        if size > MAX_BYTES:
            message = "This is too much for one file. Choose fewer days with from and to."
            field = "event_id" if name == "event_id" else "to"
            raise InvalidFieldsError(FieldError(field, "too_much", message))
    return "".join(lines)


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _size(text: str) -> int:
    return len(json.dumps(text)) - len('""')


def _cell(payment: Mapping[str, Any], column: str) -> str:
    value = payment.get(column)
    if column.startswith("audit_"):
        value = payment["audit"]["last_error" if column == "audit_error" else column[6:]]
    if value is None:
        return ""
    if column in _TIMES or column == "audit_sent_at":
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    if isinstance(value, Mapping):
        value = value.get("message") or value.get("class")
    return _inert(" ".join(value) if isinstance(value, list) else str(value))


def _inert(text: str) -> str:
    """The text, made safe so that no spreadsheet runs it (OWASP, CSV Injection).

    Spreadsheets ignore leading spaces, line breaks and invisible characters, and some treat a
    full-width sign like the plain one. An apostrophe turns any cell into text.
    """
    seen = unicodedata.normalize("NFKC", text)
    first = next((each for each in seen if unicodedata.category(each)[0] not in "CZ"), "")
    is_control = text[:1] in {"\t", "\r", "\n"}
    return f"'{text}" if first in _FORMULA_STARTS or is_control else text


def _day(name: str, text: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"Enter {name} as a date, for example 2026-11-28."
        raise MalformedRequestError(message, FieldError(name, "day_invalid", message)) from error
