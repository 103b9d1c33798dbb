"""What a mail must show its reader, told from its record alone.

A label that a record does not explain, or another value than the record's, is text that somebody
changed. What only another entry knows, such as the number of a voided payment, comes back as a
`Quote`, to be compared when all entries have been read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Any
from urllib.parse import quote, urlsplit

from ops.offline.others import Other, OtherError, Others, Quote, original_id, others_in, reason_of
from ops.offline.page import SeenPage, squeezed, unspaced
from ops.offline.words import clipped, moment_text, plain, subject_line
from shared.methods import label_of
from shared.text import dollars, file_name, search_token

_CAPTIONS = frozenset({
    "Payment", "Void", "Refund", "Logging", "Proof", "What changes", "Other entries",
    "What", "Who and when", "Messages",
})  # fmt: skip
_SHOWN_MESSAGES = 200  # of an ops record
_SHOWN_BYTES = 20_000  # of these as HTML
_HOW_TO_VERIFY = (
    "The attached record is the ledger row, less its expiry: its SHA-256 is the one above. "
    "Without its hash field, in the same form, the record's SHA-256 is the hash above."
)
_OPEN = "Open in the app"
_DUPLICATES = "Acknowledged duplicates"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a mail's reader gets. attachment: its file's name."""

    subject: str
    html: str
    text: str
    attachment: str


@dataclass(frozen=True, slots=True)
class Shown:
    """lines: all text outside of tables but captions and a link, the heading first. rows: by label.

    table: of three columns. target: path and query of the one link that there may be.
    """

    subject: str
    attachment: str
    lines: Sequence[str]
    rows: Mapping[str, str]
    table: Sequence[tuple[str, ...]] = ()
    target: str = ""


def payment_problem(
    record: Mapping[str, Any], sha256: str, seen: Seen
) -> tuple[str, Sequence[Quote]]:
    """The first difference between a mail and its record, or an empty text; and its quotes.

    record: without faults.
    """
    page = SeenPage(seen.html)
    try:
        others = others_in(record, page)
    except OtherError as error:
        return f"its HTML {error}", ()
    shown = _shown_by_payment(record, sha256, others, page)
    problem = _problem_of(shown, page, seen)
    return problem, [*others.quotes, *_numbers_quoted(shown.rows.get(_DUPLICATES, ""), record)]


def ops_problem(record: Mapping[str, Any], sha256: str, seen: Seen) -> str:
    """The first difference between a mail and the record of what operators did."""
    return _problem_of(_shown_by_ops(record, sha256), SeenPage(seen.html), seen)


def _shown_by_payment(
    record: Mapping[str, Any], sha256: str, others: Others, page: SeenPage
) -> Shown:
    number, kind = f"#{record['seq']:06d}", record["kind"]
    amount = dollars(record["amount_cents"] if kind == "payment" else -record["amount_cents"])
    what, of = f"{amount} {clipped(label_of(record['method']))}", others.original.name
    patron, event = clipped(record["patron_name"]), clipped(record["event_name"])
    token = search_token(record["payment_id"])
    if "corrects" in record:
        heading, title = f"{what} replaces {of}", f"{number} {what} replaces {of}"
    elif kind == "payment":
        heading, title = what, f"{number} {what}"
    else:
        heading, title = (
            f"{kind.upper()} of {of}: {what}",
            f"{kind.upper()} {number} of {of} {what}",
        )
    about = original_id(record) or record["payment_id"]
    lines = [
        f"{heading}, {patron}",
        f"{number}, {clipped(record['event_date'])}, {event}",
        _notice(record, others),
        _HOW_TO_VERIFY,
        f"Search for {about} to find every mail about this payment.",
    ]
    rows = {
        "Event": record["event_name"] or "none",
        "Event id": record["event_id"] or "none",
        "Event date": record["event_date"] or "none",
        "Patron": record["patron_name"] or "none",
        "Patron e-mail": record["patron_email"] or "none",
        "Amount": f"{amount} {record['currency']}",
        "Method": label_of(record["method"]),
        "Reference": record["reference"] or "none",
        "Note": record["note"] or "none",
        "Logged by": f"{record['logged_by_name']} ({record['logged_by']})",
        "Logged at (server)": moment_text(record["logged_at"]),
        "Logged at (event)": moment_text(record["logged_at"], record["event_timezone"]),
        "Captured at": moment_text(record["timestamp"]),
        "Entry": f"{number} of this event",
        "Payment": record["payment_id"],
        "Hash": record["hash"],
        "Previous hash": record["prev_hash"],
        "SHA-256 of the record": sha256,
        "Search token": token,
    }
    if kind == "payment":
        rows[_DUPLICATES] = _duplicates_shown(page.cell_of(_DUPLICATES), record)
    else:
        rows["Reason"] = reason_of(record)
    return Shown(
        subject=subject_line(f"[SCC Audit] {title} - {patron} - {event} - {token}"),
        attachment=f"{file_name(record['event_id'])}-{record['seq']:06d}.json",
        lines=[plain(each) for each in lines if each],
        rows={label: plain(value) for label, value in rows.items()} | dict(others.rows),
        table=others.changes,
        target=f"/g/{quote(record['event_id'], safe='')}"
        f"?payment={quote(record['payment_id'], safe='')}",
    )


def _notice(record: Mapping[str, Any], others: Others) -> str:
    original = others.original.full_name
    if "voids" in record:
        return f"This voids {original}: {reason_of(record)}."
    if "refunds" in record:
        return f"This refunds {original}: {reason_of(record)}."
    if "corrects" not in record:
        return ""
    if not others.void.seq:
        return f"This replaces {original}, which was voided."
    return f"This replaces {original}, which {others.void.full_name} voids: {others.reason}."


def _shown_by_ops(record: Mapping[str, Any], sha256: str) -> Shown:
    counts = record.get("counts") or {}
    outcome = ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing"
    deed = clipped(f"{record['action']} {record.get('phase')}")
    ops_id = str(record["ops_id"])
    token = search_token(ops_id)
    rows = {
        "Action": record["action"],
        "Phase": record.get("phase"),
        "Outcome": outcome,
        "Selected by": record.get("filter"),
        "Reason": record.get("reason") or "none given",
        "Who": record.get("who"),
        "When": moment_text(record["at"]),
        "Stack": record.get("stack"),
        **_messages(record),
        "Ops record": ops_id,
        "SHA-256 of the record": sha256,
        "Search token": token,
    }
    return Shown(
        subject=subject_line(f"[SCC Ops] {deed} - {clipped(str(record.get('who')))} - {token}"),
        attachment=f"ops-{file_name(ops_id)}.json",
        lines=[plain(f"Operators: {deed}"), plain(outcome)],
        rows={label: plain(str(value)) for label, value in rows.items()},
    )


def _messages(record: Mapping[str, Any]) -> dict[str, str]:
    messages = record["messages"]
    texts = [str(each) for each in messages[:_SHOWN_MESSAGES]]
    sizes = accumulate(len(escape(each).encode("utf-8", "replace")) for each in texts)
    shown = [text for text, size in zip(texts, sizes, strict=True) if size <= _SHOWN_BYTES]
    rows = {str(number): text for number, text in enumerate(shown, start=1)}
    if more := len(messages) - len(shown):
        rows["More"] = f"{more} more are in the attachment"
    if (further := int(record.get("messages_total", 0)) - len(messages)) > 0:
        rows["Further parts"] = f"{further} more are in the ops record's other parts"
    return rows


def _problem_of(shown: Shown, page: SeenPage, seen: Seen) -> str:
    if unspaced(seen.subject) != unspaced(shown.subject):
        return "its subject differs"
    if seen.attachment != shown.attachment:
        return "its attachment has another name"
    if page.odd:
        return f"its HTML has something that no mail of ours has: {page.odd}"
    problem = _rows_problem(shown, page) or _lines_problem(shown, page)
    if problem:
        return f"its HTML {problem}"
    return _text_problem(shown, page, squeezed(seen.text))


def _text_problem(shown: Shown, page: SeenPage, said: str) -> str:
    """Gmail's `send` makes the plain text anew, so it is compared without its spaces and marks."""
    texts = dict.fromkeys(shown.lines, "line") | {shown.lines[0]: "heading"}
    texts |= {label + "".join(cells): label for label, *cells in page.rows}
    texts |= {address: "link" for address, _ in page.links}
    other = next((name for text, name in texts.items() if squeezed(text) not in said), None)
    return "" if other is None else f"its plain text has another {other} than its HTML"


def _rows_problem(shown: Shown, page: SeenPage) -> str:
    missing = dict.fromkeys([*shown.rows, *(each[0] for each in shown.table)])
    for row in page.rows:
        label = row[0] if row else ""
        if len(row) == 3 and shown.table:
            is_shown = any(each[0] == label for each in shown.table)
            if is_shown and row not in shown.table:
                return f"has another {label} under Before or After than its record"
        else:
            is_shown = len(row) == 2 and label in shown.rows
            if is_shown and row[1] != shown.rows[label]:
                return f"has another {label} than its record"
        if not is_shown:
            return f"shows {label[:40]!r}, which its record does not have"
        missing.pop(label, None)
    return f"lacks {next(iter(missing))}" if missing else ""


def _lines_problem(shown: Shown, page: SeenPage) -> str:
    for address, text in page.links:
        if text != _OPEN or not _leads_to(address, shown.target):
            return f"has a link to {address[:80]!r}, which no mail of ours has"
    texts = [each for each in page.lines if each not in _CAPTIONS]
    links = [each for each in texts if each == _OPEN]
    if len(links) != len(page.links) or len(links) > 1:
        return "has its link in another place than any mail of ours"
    wanted = [*shown.lines]
    if links:
        wanted.insert(len(wanted) - 2, _OPEN)  # above the tables
    if texts == wanted:
        return ""
    if shown.lines[0] not in texts:
        return "has another heading than its record"
    for line in texts:
        if line not in wanted:
            return f"shows {line[:40]!r}, which its record does not have"
    lost = next((each for each in wanted if each not in texts), "")
    return f"lacks {lost[:40]!r}" if lost else "has its lines in another order"


def _leads_to(address: str, target: str) -> bool:
    """The app's host is not in any record: an address may be anywhere, but of this payment only."""
    try:
        parts = urlsplit(address)
        is_plain = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and re.fullmatch(
        r"[A-Za-z0-9.:\[\]-]+", parts.netloc
    )
    path = f"{parts.path}?{parts.query}"
    return bool(target and is_plain and is_web and path == target and not parts.fragment)


def _duplicates_shown(said: str, record: Mapping[str, Any]) -> str:
    """The acknowledged duplicates as the mail may show them, with the numbers that it knows."""
    wanted = record["acknowledged_duplicates"]
    numbers = said.split(", ")
    if len(numbers) != len(wanted):
        return ", ".join(wanted) or "none"
    return ", ".join(
        each if re.fullmatch(rf"#\d{{6,12}} \({re.escape(payment_id)}\)", each) else payment_id
        for each, payment_id in zip(numbers, wanted, strict=True)
    )


def _numbers_quoted(said: str, record: Mapping[str, Any]) -> list[Quote]:
    place = (record["event_id"], record["seq"], record["payment_id"])
    found = re.findall(r"#(\d{6,12}) \((\S+?)\)", said) if record["acknowledged_duplicates"] else []
    return [Quote(*place, Other(payment_id, int(number))) for number, payment_id in found]
