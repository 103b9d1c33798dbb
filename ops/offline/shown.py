"""What a mail must show its reader, told from its record alone.

A label that a record does not explain, or another value than the record's, is text that somebody
changed. What only another entry knows, such as the number of a voided payment, comes back as a
`Quote`, to be compared when all entries have been read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ops.offline.page import SeenPage, one_space, squeezed, unspaced
from shared.methods import label_of
from shared.text import dollars, one_line, search_token

_CHANGES = ("Entry", "Amount", "Method", "Patron", "Reference")
_CAPTIONS = frozenset({
    "Payment", "Void", "Refund", "Logging", "Proof", "What changes",
    "What", "Who and when", "Messages",
})  # fmt: skip
_LONGEST_NAME = 80  # in a subject
_SHOWN_MESSAGES = 200  # of an ops record
_HOW_TO_VERIFY = (
    "The attachment record.json is the ledger row, less its expiry: its SHA-256 is the one above. "
    "Without its hash field, in the same form, the record's SHA-256 is the hash above."
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a mail says about another entry. number: 0 if the mail does not know it.

    cells: amount, method, patron and reference of what replaces a voided payment.
    """

    event_id: str
    seq: int
    payment_id: str
    about: str
    number: int
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """lines: all text outside of tables that there may be. rows: by label."""

    subject: str
    heading: str
    lines: Sequence[str]
    rows: Mapping[str, str]
    is_void: bool = False
    record: Mapping[str, Any] = field(default_factory=dict)


def shown_by_payment(record: Mapping[str, Any], sha256: str) -> Shown:
    """Of a record without faults."""
    number, amount = f"#{record['seq']:06d}", dollars(record["amount_cents"])
    kind, method = record["kind"], label_of(record["method"])
    method = method if kind == "payment" else f"{kind} of {method}"
    token = search_token(record["payment_id"])
    heading = f"{amount} {method}, {record['patron_name']}"
    names = f"{_clipped(record['patron_name'])} - {_clipped(record['event_name'])}"
    reason = record.get("reason", "").replace("_", " ") or "no reason given"
    rows = {
        "Event": record["event_name"] or "none",
        "Event id": record["event_id"] or "none",
        "Event date": record["event_date"] or "none",
        "Patron": record["patron_name"] or "none",
        "Patron e-mail": record["patron_email"] or "none",
        "Amount": f"{amount} {record['currency']}",
        "Method": method,
        "Reference": record["reference"] or "none",
        "Note": record["note"] or "none",
        "Logged by": f"{record['logged_by_name']} ({record['logged_by']})",
        "Logged at (server)": _moment(record["logged_at"], "UTC"),
        "Logged at (event)": _moment(record["logged_at"], record["event_timezone"]),
        "Captured at": _moment(record["timestamp"], "UTC"),
        "Entry": f"{number} of this event",
        "Payment": record["payment_id"],
        "Hash": record["hash"],
        "Previous hash": record["prev_hash"],
        "SHA-256 of record.json": sha256,
        "Search token": token,
    }
    named = (
        ("voids", "Voided payment"),
        ("refunds", "Refunded payment"),
        ("corrects", "Replaces the voided payment"),
    )
    rows |= {label: record[name] for name, label in named if name in record}
    if kind == "payment":
        rows["Acknowledged duplicates"] = ""  # judged by its own rule
    else:
        rows["Reason"] = reason
    return Shown(
        subject=_subject_line(f"[SCC Audit] {number} {amount} {method} - {names} - {token}"),
        heading=_plain(heading),
        lines=[
            _plain(f"{number}, {record['event_date']}, {record['event_name']}"),
            _HOW_TO_VERIFY,
            _plain(
                f"Search for {record.get('voids') or record['payment_id']} to find every mail "
                "about this payment."
            ),
        ],
        rows={label: _plain(value) for label, value in rows.items()},
        is_void=kind == "void",
        record=record,
    )


def shown_by_ops(record: Mapping[str, Any], sha256: str) -> Shown:
    """Of the record of what operators did."""
    counts = record.get("counts") or {}
    outcome = ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing"
    ops_id = str(record["ops_id"])
    token = search_token(ops_id)
    subject = f"[SCC Ops] {record['action']} {record.get('phase')} - {record.get('who')} - {token}"
    messages = list(enumerate(record["messages"][:_SHOWN_MESSAGES], start=1))
    more = len(record["messages"]) - len(messages)
    rows = {
        "Action": record["action"],
        "Phase": record.get("phase"),
        "Outcome": outcome,
        "Selected by": record.get("filter"),
        "Reason": record.get("reason") or "none given",
        "Who": record.get("who"),
        "When": _moment(record["at"], "UTC"),
        "Stack": record.get("stack"),
        **{str(number): each for number, each in messages},
        **({"more": f"{more}, see record.json"} if more else {}),
        "Ops record": ops_id,
        "SHA-256 of record.json": sha256,
        "Search token": token,
    }
    return Shown(
        subject=_subject_line(subject),
        heading=_plain(f"Operators: {record['action']} {record.get('phase')}"),
        lines=[_plain(outcome)],
        rows={label: _plain(str(value)) for label, value in rows.items()},
    )


def problem_of(shown: Shown, subject: str, html: str, text: str) -> tuple[str, list[Quote]]:
    """The first difference between a mail and its record, or an empty text; and its quotes."""
    quotes: list[Quote] = []
    page = SeenPage(html)
    if unspaced(subject) != unspaced(shown.subject):
        return "its subject differs", quotes
    if page.odd:
        return f"its HTML has something that no mail of ours has: {page.odd}", quotes
    problem = _rows_problem(shown, page, quotes) or _lines_problem(shown, page, quotes)
    if problem:
        return f"its HTML {problem}", quotes
    said = squeezed(text)
    for label, *cells in [(shown.heading,), *page.rows]:
        if squeezed(label + "".join(cells)) not in said:
            return f"its plain text has another {_label(label, shown)} than its HTML", quotes
    return "", quotes


def _label(label: str, shown: Shown) -> str:
    return "heading" if label == shown.heading else label


def _rows_problem(shown: Shown, page: SeenPage, quotes: list[Quote]) -> str:
    missing = dict.fromkeys(shown.rows)
    for row in page.rows:
        label = row[0] if row else ""
        if len(row) == 3 and shown.is_void:
            if row != ("", "Before", "After") and label not in _CHANGES:
                return f"shows {label[:40]!r}, which its record does not have"
            continue
        if len(row) != 2 or label not in shown.rows:
            return f"shows {label[:40]!r}, which its record does not have"
        if label == "Acknowledged duplicates":
            if not _quotes_duplicates(row[1], shown.record, quotes):
                return f"has another {label} than its record"
        elif row[1] != shown.rows[label]:
            return f"has another {label} than its record"
        missing.pop(label, None)
    if missing:
        return f"lacks {next(iter(missing))}"
    return _changes_problem(shown, page, quotes) if shown.is_void else ""


def _changes_problem(shown: Shown, page: SeenPage, quotes: list[Quote]) -> str:
    """A void repeats what it voids; what comes after is another entry's to say."""
    changes = {row[0]: row[1:] for row in page.rows if len(row) == 3}
    if changes.keys() - {""} != set(_CHANGES):
        return "lacks what changes"
    record = shown.record
    before = {
        "Amount": dollars(record["amount_cents"]),
        "Method": label_of(record["method"]),
        "Patron": record["patron_name"],
        "Reference": record["reference"] or "none",
    }
    for label, value in before.items():
        if changes[label][0] != _plain(value):
            return f"has another {label} under Before than its record"
    number, after = changes["Entry"]
    quotes.append(_quote(record, record["voids"], number))
    cells = tuple(changes[label][1] for label in _CHANGES[1:])
    if after == "none, voided":
        return "" if cells == ("$0.00", "-", "-", "-") else "has a replacement without a number"
    quotes.append(_quote(record, "", after, cells))
    return ""


def _lines_problem(shown: Shown, page: SeenPage, quotes: list[Quote]) -> str:
    if shown.heading not in page.lines:
        return "has another heading than its record"
    for line in page.lines:
        if line == shown.heading or line in _CAPTIONS:
            continue
        if line in shown.lines:
            continue
        if shown.is_void and (number := _notice(shown.record, line)) is not None:
            quotes.append(_quote(shown.record, shown.record["voids"], number))
            continue
        return f"shows {line[:40]!r}, which its record does not have"
    return ""


def _notice(record: Mapping[str, Any], line: str) -> str | None:
    """The number in "This voids #000041: entered twice.", empty for an id; None: another line."""
    reason = _plain(record["reason"].replace("_", " ") or "no reason given")
    match = re.fullmatch(rf"This voids (\S+): {re.escape(reason)}\.", line)
    if not match:
        return None
    return "" if match[1] == record["voids"] else match[1]


def _quotes_duplicates(value: str, record: Mapping[str, Any], quotes: list[Quote]) -> bool:
    wanted = record["acknowledged_duplicates"]
    if not wanted:
        return value == "none"
    said = value.split(", ")
    for each, payment_id in zip(said, wanted, strict=False):
        number = each.removesuffix(f"({payment_id})").strip() if each != payment_id else ""
        if number and not re.fullmatch(r"#\d{6,12}", number):
            return False
        quotes.append(_quote(record, payment_id, number))
    return len(said) == len(wanted)


def _quote(
    record: Mapping[str, Any], about: str, number: str, cells: tuple[str, ...] = ()
) -> Quote:
    digits = re.fullmatch(r"#(\d{6,12})", number)
    known = int(digits[1]) if digits else 0
    return Quote(record["event_id"], record["seq"], record["payment_id"], about, known, cells)


def cells_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """How the mail of a void shows this entry as what comes after."""
    return (
        dollars(record["amount_cents"]),
        label_of(record["method"]),
        _plain(record["patron_name"]),
        _plain(record["reference"] or "none"),
    )


def _clipped(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "\u2026"


def _subject_line(text: str) -> str:
    return _plain(text).replace("=?", "= ?")


def _plain(text: str) -> str:
    """Data as a mail shows it: no line break, control or direction mark survives."""
    return one_space(one_line(text))


def _moment(milliseconds: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    try:
        return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
