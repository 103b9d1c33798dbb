"""Payments as CSV for spreadsheets and auditors: every row, voids and refunds too, hashes included.

A row that is no entry, or is not what was written, is marked in the column `problem` and never left
out. docs/operations.md says how a hash is computed again from the cells.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from functions.api.http.problems import FieldError, InvalidFieldsError, MalformedRequestError
from functions.api.payments.expired import ExpiredRow
from functions.api.payments.listing import (
    Deliveries,
    Voids,
    audit_view,
    read_payments_filter,
)
from functions.api.payments.money import text_from_cents
from shared.attributes import Foreign
from shared.ledger import EXPIRY, LedgerEntry, problem_with

MAX_DAYS = 366
MAX_BYTES = 5_500_000  # as the JSON string that Lambda returns; a Function URL takes 6 MB
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that the file is UTF-8
_FORMULA_STARTS = frozenset("=+-@")

_FIRST, _LAST = ("seq", "problem"), ("prev_hash", "hash")
_AUDIT = ("audit_state", "audit_sent_at", "audit_attempts", "audit_error")
_FOR_MACHINES = ("event_timezone", "logged_day", "reference_key", "schema_version")
_LEFT_OUT = frozenset({EXPIRY})  # not hashed: it follows from logged_at
_SHOWN_AS = {"amount_cents": ("amount", "net_amount"), "voids": ("voids", "voided_by")}
_NAMES = tuple(each.name for each in fields(LedgerEntry))
_TIMES = {each.name for each in fields(LedgerEntry) if each.type == "Milliseconds"}

Row = Mapping[str, Any]
Place = tuple[Any, ...]


def _columns() -> Iterator[str]:
    """Every attribute of a ledger entry that is hashed has its column."""
    yield from _FIRST
    for name in _NAMES:
        if name not in _LEFT_OUT.union(_FIRST, _FOR_MACHINES, _LAST):
            yield from _SHOWN_AS.get(name, (name,))
    yield from _AUDIT
    yield from _FOR_MACHINES
    yield from _LAST


COLUMNS = tuple(_columns())


@dataclass(frozen=True, slots=True)
class Export:
    """rows: how many, marked ones included, but not the one of what expired.

    problems: what is wrong with each marked one.
    """

    text: str
    rows: int
    problems: Sequence[str]


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


def days_between(first: str, last: str) -> Iterator[str]:
    """Every day from `first` to `last`, both included. Raises MalformedRequestError."""
    start, end = _day("from", first), _day("to", last)
    if not 0 <= (end - start).days < MAX_DAYS:
        message = f"Pick an end date on or after the start, at most {MAX_DAYS - 1} days later."
        raise MalformedRequestError(message, FieldError("to", "range_invalid", message))
    return ((start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1))


def handle_payment_export(
    pages: Iterable[Sequence[Row]],
    by: str,
    ledger: Voids,
    mails: Deliveries,
    expired: ExpiredRow | None = None,
) -> Export:
    """The whole file: an event's rows in chain order, those of days in the order of logging.

    by: "event_id" or "logged_day". Each row is kept only as its line, and reading stops when the
    lines are too many for one answer: InvalidFieldsError rather than a row left out. expired: of an
    event, stands first.
    """
    head = BYTE_ORDER_MARK + _line(COLUMNS)
    size = _size(head)
    lines: list[tuple[Place, str]] = []
    problems: list[str] = []
    for rows in pages:
        for row, cells in _shown(rows, ledger, mails):
            line = _line([_inert_unless_ours(name, cells[name]) for name in COLUMNS])
            lines.append((_place(row, by), line))
            problems += [cells["problem"]] if cells["problem"] else []
            if expired:
                expired.take(row, cells["problem"])
            size += _size(line)
            if size > MAX_BYTES:
                raise _too_much(by)
    lines.sort(key=lambda each: each[0])
    if gone := expired.cells() if expired else {}:
        head += _line([_inert_unless_ours(name, gone.get(name, "")) for name in COLUMNS])
        problems += [gone["problem"]] if "problem" in gone else []
    return Export("".join([head, *(line for _, line in lines)]), len(lines), problems)


def _shown(
    rows: Sequence[Row], ledger: Voids, mails: Deliveries
) -> Iterator[tuple[Row, dict[str, str]]]:
    """A page of rows, each with its cells."""
    ids = [row["payment_id"] for row in rows if isinstance(row.get("payment_id"), str)]
    voids, deliveries = ledger.voids_of(ids), mails.deliveries(ids)
    for row in rows:
        payment_id = row.get("payment_id")
        if isinstance(payment_id, str):
            audit = audit_view(deliveries.get(payment_id))
            yield row, _cells(row, voids.get(payment_id, ""), audit)
        else:
            yield row, _cells(row, "", {})


def _cells(row: Row, voided_by: str, audit: Mapping[str, Any]) -> dict[str, str]:
    problem = problem_with(row)
    cells = {name: _text(row.get(name), name) for name in _NAMES}
    error = audit.get("last_error") or {}
    return cells | {
        "problem": problem,
        "amount": _dollars(row.get("amount_cents")),
        # What was written is not known of a marked row: it adds nothing to the sum.
        "net_amount": text_from_cents(0 if problem else LedgerEntry.from_row(row).net_cents),
        "voided_by": voided_by,
        "audit_state": _text(audit.get("state")),
        "audit_sent_at": _moment(audit["sent_at"]) if audit.get("sent_at") else "",
        "audit_attempts": _text(audit.get("attempts")),
        "audit_error": _text(error.get("message") or error.get("class")),
    }


def _place(row: Row, by: str) -> Place:
    """Where a row stands in the file; one without a number or a time stands last."""
    event_id = row.get("event_id")
    number = (event_id if isinstance(event_id, str) else "", _number(row.get("seq")))
    return number if by == "event_id" else (_number(row.get("logged_at")), *number)


def _number(value: Any) -> int | Decimal | float:
    return value if isinstance(value, int | Decimal) else float("inf")


def _too_much(by: str) -> InvalidFieldsError:
    message = "This is too much for one file. Choose fewer days with from and to."
    return InvalidFieldsError(
        FieldError("event_id" if by == "event_id" else "to", "too_much", message)
    )


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _size(text: str) -> int:
    return len(json.dumps(text)) - len('""')


def _text(value: Any, name: str = "") -> str:
    """A stored value as a cell; one that no entry has is shown as far as it can be."""
    match value:
        case None:
            return ""
        case list():
            return " ".join(_text(each) for each in value)
        case Foreign(kind):
            return f"(an attribute of type {kind})"
        case int() if name in _TIMES:
            return _moment(value)
    return str(value)


def _moment(milliseconds: int) -> str:
    """The moment to the millisecond, with its offset; a number that is no moment stays a number."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds")


def _dollars(cents: Any) -> str:
    """An amount with all its digits, a fraction of a cent included."""
    if type(cents) is int:
        return text_from_cents(cents)
    return str(cents / 100) if isinstance(cents, Decimal) else _text(cents)


def _inert_unless_ours(column: str, text: str) -> str:
    return text if column == "net_amount" else _inert(text)


def _inert(text: str) -> str:
    """The text, made safe so that no spreadsheet runs it (OWASP, CSV Injection).

    Where semicolons separate cells, a spreadsheet makes several of one, and runs any of them.
    """
    return ";".join(map(_inert_cell, text.split(";")))


def _inert_cell(text: str) -> str:
    """An apostrophe turns it into text, whatever it begins with.

    Spreadsheets ignore leading spaces, line breaks and invisible characters, and some treat a
    full-width sign like the plain one. A text that begins with an apostrophe gets another, so that
    taking one off always gives back what was stored.
    """
    if text[:1].isascii() and text[:1].isalnum():
        return text  # most cells, and the rest of this is slow
    seen = unicodedata.normalize("NFKC", text)
    first = next((each for each in seen if unicodedata.category(each)[0] not in "CZ"), "")
    must_not_run = first in _FORMULA_STARTS or text[:1] in {"\t", "\r", "\n", "'"}
    return f"'{text}" if must_not_run else text


def _day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
        if day.isoformat() != text:  # fromisoformat takes 20261101 and 2026-W48-1 too
            raise ValueError(text)
    except ValueError as error:
        message = f"Enter {name} as a date, for example 2026-11-28."
        raise MalformedRequestError(message, FieldError(name, "day_invalid", message)) from error
    return day
