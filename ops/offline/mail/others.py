"""What a mail says about other entries, to be compared with what their own mails say.

The record of a void, a refund or a correction holds the id of the payment that it is about, and
its own place in the chain. All else, such as that payment's number and who logged it, is in other
mails.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.audit_mailer.mails.envelope import utc
from functions.audit_mailer.mails.page import LONGEST_ADDRESS, clipped
from ops.offline.ledger.links import INTEGRITY, Finding, Link
from ops.offline.mail.page import SeenPage, plain
from shared.methods import label_of
from shared.text import dollars

CHANGES = ("Entry", "Amount", "Method", "Patron", "Patron e-mail", "Reference")
HEADS = ("", "Before", "After")
_FOUND = re.compile(
    r"#(\d{6,12}) \((\S{1,200})\), logged at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC) by (.*)"
)
_NOT_FOUND = re.compile(r"(?:(\S{1,200}), )?not found")
_NOTHING = ("not found", "-", "-", "-", "-", "-")
_NO_REPLACEMENT = ("none, voided", "$0.00", "-", "-", "-", "-")


@dataclass(frozen=True, slots=True)
class Other:
    """An entry as another one's mail tells of it. seq: 0 if it was not found."""

    payment_id: str = ""
    seq: int = 0
    at: str = ""
    by: str = ""

    @property
    def name(self) -> str:
        return f"#{self.seq:06d}" if self.seq else self.payment_id

    @property
    def full_name(self) -> str:
        return f"#{self.seq:06d} ({self.payment_id})" if self.seq else self.payment_id


@dataclass(frozen=True, slots=True)
class Quote:
    """What the mail of an entry says about another one.

    cells: of its before and after. reason: of a void. is_looked_up: the mail knows this entry if
    the ledger has it. at: the number that it has in this case, where the mail names none. about:
    the payment that both are about.
    """

    event_id: str
    seq: int
    payment_id: str
    other: Other
    cells: tuple[str, ...] = ()
    reason: str = ""
    is_looked_up: bool = False
    at: int = 0
    about: str = ""


@dataclass(frozen=True, slots=True)
class Others:
    """original: of a void, a refund or a correction. void: of what a correction replaces.

    replacement: of what a void undoes. reason: of the void. changes: before and after.
    """

    original: Other = Other()
    replacement: Other = Other()
    void: Other = Other()
    reason: str = ""
    changes: Sequence[tuple[str, ...]] = ()
    quotes: Sequence[Quote] = ()


class OtherError(ValueError):
    """A mail says about another entry what its own record contradicts; the text says what."""


def reason_in(record: Mapping[str, Any]) -> str:
    return str(record["reason"]).replace("_", " ") or "no reason given"


def about_in(record: Mapping[str, Any]) -> str:
    """Of the payment that an entry voids, refunds or replaces; empty for a new payment."""
    return str(record.get("voids") or record.get("refunds") or record.get("corrects") or "")


def others_in(record: Mapping[str, Any], page: SeenPage) -> Others:
    """What a mail says about others. Raises OtherError."""
    if not about_in(record):
        return Others()
    rows = {row[0]: row[1] for row in page.rows if len(row) == 2}
    changes = {row[0]: row[1:] for row in page.rows if len(row) == 3}
    match record["kind"]:
        case "void":
            return _of_void(record, rows, changes)
        case "refund":
            original = _original(record, rows, "Refunded payment")
            return Others(
                original=original,
                quotes=[_quote(record, original, is_looked_up=True)],
            )
        case _:
            return _of_correction(record, rows, changes, page.lines)


def _of_void(
    record: Mapping[str, Any], rows: Mapping[str, str], changes: Mapping[str, tuple[str, ...]]
) -> Others:
    """A void repeats what it voids; what comes after is another entry's to say."""
    original = _original(record, rows, "Voided payment")
    number = record["seq"] + 1
    if "Replaced by" in rows:
        after = _other("Replaced by", rows["Replaced by"])
        if after.seq != number:
            raise OtherError("names a replacement that is not the next entry")
        column = (after.name, *_column(changes, 1)[1:])
        quote = _quote(record, after, column[1:], is_looked_up=True)
    else:
        after, column = Other(), _NO_REPLACEMENT
        quote = _quote(record, Other(), is_looked_up=True, at=number)
    before = (original.name if original.seq else "not found", *cells_of(record))
    return Others(
        original=original,
        replacement=after,
        changes=_table(before, column),
        quotes=[_quote(record, original, is_looked_up=True), quote],
    )


def _of_correction(
    record: Mapping[str, Any],
    rows: Mapping[str, str],
    changes: Mapping[str, tuple[str, ...]],
    lines: Iterable[str],
) -> Others:
    original = _original(record, rows, "Replaced payment")
    void = _other("Voided by", rows.get("Voided by", ""))
    number = record["seq"] - 1
    if (void.seq or void.payment_id) and void.seq != number:
        raise OtherError("names a void that is not the entry before it")
    cells = _column(changes, 0)[1:] if original.seq else ()
    told = f"This replaces {original.full_name}, which {void.full_name} voids: "
    reason = next((each[len(told) : -1] for each in lines if each.startswith(told)), "")
    return Others(
        original=original,
        void=void,
        reason=reason,
        changes=_table(
            (original.name, *cells) if original.seq else _NOTHING,
            (f"#{record['seq']:06d}", *cells_of(record)),
        ),
        quotes=[
            _quote(record, original, cells, is_looked_up=True),
            _quote(record, void, reason=reason, is_looked_up=True, at=number),
        ],
    )


def _original(record: Mapping[str, Any], rows: Mapping[str, str], label: str) -> Other:
    original = _other(label, rows.get(label, ""))
    if original.payment_id != about_in(record) or original.seq >= record["seq"]:
        raise OtherError(f"has another {label} than its record")
    return original


def _other(label: str, value: str) -> Other:
    if found := _FOUND.fullmatch(value):
        return Other(found[2], int(found[1]), found[3], found[4])
    if lost := _NOT_FOUND.fullmatch(value):
        return Other(lost[1] or "")
    raise OtherError(f"says something else in {label} than any mail of ours")


def _column(changes: Mapping[str, tuple[str, ...]], which: int) -> tuple[str, ...]:
    if not all(label in changes for label in CHANGES):
        raise OtherError("lacks what changes")
    return tuple(changes[label][which] for label in CHANGES)


def _table(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, ...]]:
    return [HEADS, *zip(CHANGES, before, after, strict=True)]


def _quote(
    record: Mapping[str, Any],
    other: Other,
    cells: tuple[str, ...] = (),
    *,
    reason: str = "",
    is_looked_up: bool,
    at: int = 0,
) -> Quote:
    place = (record["event_id"], record["seq"], record["payment_id"])
    return Quote(*place, other, cells, reason, is_looked_up, at, about_in(record))


def cells_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """How another mail shows this payment before or after a change."""
    return (
        dollars(record["amount_cents"]),
        plain(label_of(record["method"])),
        plain(record["patron_name"]),
        plain(record["patron_email"]),
        plain(record["reference"] or "none"),
    )


def told_of(record: Mapping[str, Any]) -> bytes:
    """All that other mails may say about this entry, in few bytes: a mailbox holds many entries."""
    who = f"{clipped(record['logged_by_name'])} ({clipped(record['logged_by'], LONGEST_ADDRESS)})"
    reason = plain(reason_in(record)) if "reason" in record else ""
    return (
        _digest(utc(record["logged_at"]), plain(who)) + _digest(*cells_of(record)) + _digest(reason)
    )


def wrong_quotes(quotes: Sequence[Quote], links: Iterable[Link]) -> Iterator[Finding]:
    """What a mail says about another entry, against that entry's own mail.

    Where that mail is missing, its number may not be one that another entry has.
    """
    if not quotes:
        return
    by_id: dict[tuple[str, str], Link] = {}
    by_number: dict[tuple[str, int], Link] = {}
    for link in links:
        by_id.setdefault((link.event_id, link.payment_id), link)
        by_number.setdefault((link.event_id, link.seq), link)
    for quote in quotes:
        other, event_id = quote.other, quote.event_id
        own = by_id.get((event_id, other.payment_id))
        rival = by_number.get((event_id, other.seq or quote.at))
        problem = _known_problem(quote, own) if own else _unknown_problem(quote, rival)
        if problem:
            place = (event_id, quote.seq, quote.seq, "altered", quote.payment_id)
            yield Finding(INTEGRITY, *place, f"its HTML {problem}")


def _unknown_problem(quote: Quote, rival: Link | None) -> str:
    """rival: the entry that has the other's number."""
    if rival is None:
        return ""
    if quote.other.seq:
        return f"gives the number of another entry to {quote.other.payment_id}"
    is_hidden = quote.is_looked_up and rival.is_sound and rival.about == quote.about
    return f"does not name #{rival.seq:06d}, whose mail is here" if is_hidden else ""


def _known_problem(quote: Quote, link: Link) -> str:
    other = quote.other
    if not other.seq:
        is_hidden = quote.is_looked_up and link.is_sound
        return f"does not name #{link.seq:06d}, whose mail is here" if is_hidden else ""
    if other.seq != link.seq:
        return f"has another number for {other.payment_id} than that entry's mail"
    told = link.told  # empty for a mail that is a finding itself
    wrong = (
        "logger or time" if other.at and _digest(other.at, other.by) != told[:8]
        else "value before or after" if quote.cells and _digest(*quote.cells) != told[8:16]
        else "reason" if quote.reason and _digest(quote.reason) != told[16:]
        else ""
    )  # fmt: skip
    is_wrong = told and wrong
    return f"has another {wrong} for {other.name} than that entry's mail" if is_wrong else ""


def _digest(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()[:8]
