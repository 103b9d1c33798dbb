"""Whether a mail shows what its record says, and nothing else.

The mail is made anew from its record, by the code that made it, and compared whole: subject, file
name, HTML and plain text. What only another entry knows, such as who logged a voided payment, is
read from the mail, put back into its places, and comes back as a `Quote`, to be compared when all
entries have been read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from html import unescape
from typing import Any

from functions.audit_mailer.mails.envelope import header_line
from functions.audit_mailer.mails.ops_mail import ops_file, ops_page, ops_subject
from functions.audit_mailer.mails.page import Page, to_html, to_text
from functions.audit_mailer.mails.payment_mail import (
    payment_file,
    payment_page,
    payment_path,
    payment_subject,
)
from functions.audit_mailer.mails.related import Related, original_id
from functions.audit_mailer.mails.statement_page import statement_page, statement_subject
from ops.offline.mail.others import CHANGES, Other, OtherError, Others, Quote, others_in
from ops.offline.mail.page import SeenPage, letters, one_space, squeezed, unspaced
from shared.ledger import LedgerEntry, PaymentId
from shared.methods import METHODS, label_of
from shared.text import search_token
from shared.zones import zone_called

_DUPLICATES = "Acknowledged duplicates"
_NUMBERED = re.compile(r"#(\d{6,12}) \((\S+?)\)")
_LINK = re.compile(r'<a href="([^"]*)"')
_APP = re.compile(r"https?://[A-Za-z0-9.:-]+")
_DOLLARS = re.compile(r"(-?)\$([\d,]{1,20})\.(\d\d)")
_EVENT_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z0-9+-]{1,6}")


@dataclass(frozen=True)
class Seen:
    """What a mail's reader gets. attachment: its file's name."""

    subject: str
    html: str
    text: str
    attachment: str

    @cached_property
    def page(self) -> SeenPage:
        """The HTML taken apart, which takes longer than all else: most mails need it not."""
        return SeenPage(self.html)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a record makes. subject: without the search token."""

    subject: str
    token: str
    attachment: str
    page: Page


def payment_problem(
    record: Mapping[str, Any], sha256: str, seen: Seen, reissue: str = ""
) -> tuple[str, Sequence[Quote]]:
    """The first difference between a mail and its record, or an empty text; and its quotes.

    record: without faults. reissue: what its header says that it is called, if it was issued again.
    """
    entry = LedgerEntry.from_row(record)
    try:
        others = others_in(record, seen.page) if original_id(entry) else Others()
        related = _related(entry, others, seen)
    except OtherError as error:
        return f"its HTML {error}", ()
    expected = Expected(
        subject=payment_subject(entry, related, reissue),
        token=search_token(entry.payment_id),
        attachment=payment_file(entry),
        page=payment_page(
            entry, related, sha256, _app_url(entry, seen), _event_time(entry, seen), reissue
        ),
    )
    numbers = [
        Quote(entry.event_id, entry.seq, entry.payment_id, Other(payment_id, seq))
        for payment_id, seq in related.numbers.items()
    ]
    return _problem(expected, seen), [*others.quotes, *numbers]


def ops_problem(record: Mapping[str, Any], sha256: str, seen: Seen) -> str:
    """The first difference between a mail and the record of what operators did."""
    expected = Expected(
        subject=ops_subject(record),
        token=search_token(str(record["ops_id"])),
        attachment=ops_file(record),
        page=ops_page(record, sha256),
    )
    return _problem(expected, seen)


def statement_problem(record: Mapping[str, Any], sha256: str, statement_id: str, seen: Seen) -> str:
    """The first difference between a mail and its statement. statement_id: of its delivery."""
    token = search_token(statement_id)
    expected = Expected(
        subject=statement_subject(record),
        token=token,
        attachment="statement.json",
        page=statement_page(record, sha256, token),
    )
    return _problem(expected, seen)


def _problem(expected: Expected, seen: Seen) -> str:
    subject = header_line(f"{expected.subject} - {expected.token}")
    if unspaced(seen.subject) != unspaced(subject):
        return "its subject differs"
    if seen.attachment != expected.attachment:
        return f"its attachment is called {seen.attachment[:80]!r}, not {expected.attachment!r}"
    html = to_html(expected.page)
    if one_space(seen.html) != one_space(html):
        return f"its HTML {_difference(SeenPage(html), seen.page)}"
    said = squeezed(seen.text)
    return "" if said == squeezed(to_text(expected.page)) else _text_problem(seen.page, seen.text)


def _difference(made: SeenPage, page: SeenPage) -> str:
    """In words, what differs between what a record makes and what a mail has."""
    return (
        _row_difference(made, page)
        or _line_difference(made, page)
        or "is not what its record makes: something is hidden, moved, styled or added"
    )


def _row_difference(made: SeenPage, page: SeenPage) -> str:
    wanted, labels = {row[:1] for row in made.rows}, {row[:1] for row in page.rows}
    for row in page.rows:
        if row[:1] not in wanted:
            return f"shows {''.join(row[:1])[:40]!r}, which its record does not have"
    for row in made.rows:
        if row[:1] not in labels:
            return f"lacks {row[0]}"
        if row not in page.rows:
            where = " under Before or After" if len(row) > 2 else ""
            return f"has another {row[0]}{where} than its record"
    for row in page.rows:
        if row not in made.rows or page.rows.count(row) > made.rows.count(row):
            return f"has another {row[0]} than its record"
    return ""


def _line_difference(made: SeenPage, page: SeenPage) -> str:
    for address, _ in page.links:
        if address not in dict(made.links):
            return f"has a link to {address[:80]!r}, which no mail of ours has"
    if made.lines[0] not in page.lines:
        return "has another heading than its record"
    for line in page.lines:
        if line not in made.lines:
            return f"shows {line[:40]!r}, which its record does not have"
    lost = next((each for each in made.lines if each not in page.lines), "")
    return f"lacks {lost[:40]!r}" if lost else ""


def _text_problem(made: SeenPage, text: str) -> str:
    """Gmail's `send` makes the plain text anew from the HTML, with marks and breaks of its own."""
    said = squeezed(text)
    unlinked = [each for each in made.said if each not in dict(made.links)]
    if letters(text) in {letters("".join(made.said)), letters("".join(unlinked))}:
        return ""
    texts = {made.lines[0]: "heading"} | {
        label + "".join(cells): label for label, *cells in made.rows
    }
    texts |= {address: "link" for address, _ in made.links}
    other = next((name for each, name in texts.items() if squeezed(each) not in said), None)
    if other is None:
        return "its plain text says something that its HTML does not say"
    return f"its plain text has another {other} than its HTML"


def _related(entry: LedgerEntry, others: Others, seen: Seen) -> Related:
    """The other entries as the mail tells of them. Raises OtherError."""
    duplicates = seen.page.cell_of(_DUPLICATES) if entry.acknowledged_duplicates else ""
    return Related(
        original=_told(entry, others.original, others, 0) if others.original.seq else None,
        replacement=_told(entry, others.replacement, others, 1) if others.replacement.seq else None,
        void=(
            replace(_told(entry, others.void, others, None), reason=others.reason)
            if others.void.seq
            else None
        ),
        numbers={
            payment_id: int(number)
            for number, payment_id in _NUMBERED.findall(duplicates)
            if payment_id in entry.acknowledged_duplicates
        },
    )


def _told(entry: LedgerEntry, other: Other, others: Others, column: int | None) -> LedgerEntry:
    """An entry like this one, with what the mail says of another. column: of what changes."""
    name, _, address = other.by.rpartition(" (")
    told = replace(
        entry,
        seq=other.seq,
        payment_id=PaymentId(other.payment_id),
        logged_at=_milliseconds(other.at),
        logged_by_name=name,
        logged_by=address.removesuffix(")"),
    )
    if column is None or not others.changes:
        return told
    cells = {row[0]: row[1:][column] for row in others.changes if row[0] in CHANGES}
    return replace(
        told,
        amount_cents=_cents(cells["Amount"]),
        method=next(
            (each for each in METHODS if label_of(each) == cells["Method"]), cells["Method"]
        ),
        patron_name=cells["Patron"],
        reference=cells["Reference"],
    )


def _milliseconds(text: str) -> int:
    """Of "2025-11-24 16:00:00 UTC". Raises OtherError."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    except ValueError as error:
        raise OtherError(f"has a time that no clock shows: {text}") from error
    return int(moment.timestamp()) * 1000


def _cents(text: str) -> int:
    """Of "$1,234.00". Raises OtherError."""
    found = _DOLLARS.fullmatch(text)
    if not found:
        raise OtherError(f"has an amount that is none: {text[:40]!r}")
    cents = int(found[2].replace(",", "") + found[3])
    return -cents if found[1] else cents


def _app_url(entry: LedgerEntry, seen: Seen) -> str:
    """The app's host is in no record: a link may lead to any, but to this payment only."""
    link = _LINK.search(seen.html)
    address = unescape(link[1]) if link else ""
    host = address.removesuffix(payment_path(entry))
    return host if host != address and _APP.fullmatch(host) else ""


def _event_time(entry: LedgerEntry, seen: Seen) -> str:
    """As the mail tells it where this machine cannot tell it; else nothing."""
    is_needed = zone_called(entry.event_timezone) is None
    told = seen.page.cell_of("Logged at (event)") if is_needed else ""
    return told if is_needed and _EVENT_TIME.fullmatch(told) else ""
