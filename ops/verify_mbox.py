#!/usr/bin/env python3
"""Check the audit mails in an exported mailbox, with Python 3.11's standard library and this file.

    python3 verify_mbox.py export.mbox          (--json for a machine)

It reads .mbox files, the zip that Google Takeout makes, single .eml files and folders of them, also
those that Apple Mail exports. With --excerpt, it checks the unpacked zip of a single payment, as
`scc evidence` makes it: records against mails, and both against the statements of their days.

Every audit mail carries one ledger entry as a JSON attachment. An entry's hash is the SHA-256 of
its canonical JSON (sorted keys, no spaces, UTF-8) without `hash`; `prev_hash` is the previous
entry's hash, or 64 zeros for the first one. So the entries of an event form a chain. Daily
statements say how far each event's chain reached, and the hash it ended with. Each names the one
before it and is signed; --key FILE, with the public key that you were given, checks that. What a
mail shows is compared with its record: subject, HTML and plain text, date and sender. Mails are
known by their own headers (X-SCC-…): forwards and replies are counted, not judged.

Two verdicts: INTEGRITY (what is here is what was written) and COMPLETENESS (nothing is missing or
duplicated, but for what the operators' own record settles). Of an excerpt, a third one: VOUCHED FOR
(signed statements hold the content of every entry). Exit code 0: all hold. 1: something was found.
2: the file could not be checked. 3: an excerpt does not contradict itself, and nothing signed holds
the content of some entry, so whoever made the excerpt could have made that up.
Not checked: who really sent a mail (Gmail shows that, by DKIM), and payments never logged.
"""

# Built by `make verifier` from the parts named below; change those, not this file.

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import lzma
import os
import re
import sys
import unicodedata
import zipfile
import zlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from email import message_from_bytes
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from html import escape, unescape
from html.parser import HTMLParser
from itertools import accumulate, groupby, pairwise
from pathlib import Path, PurePath, PurePosixPath
from types import MappingProxyType
from typing import Any, IO, Literal, NewType, NoReturn, Protocol, TypeAlias, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


# ── shared/text.py ────────────────────────────────────────────────────────────────────────────────


# Unicode's direction marks, overrides and isolates, which make text read as something else.
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def one_line(text: str) -> str:
    """Data as harmless text: no line break, control or direction mark survives."""
    return "".join(
        " " if unicodedata.category(each) in {"Cc", "Zl", "Zp"}
        else "\ufffd" if unicodedata.category(each) == "Cs" or each in BIDI_CONTROLS
        else each
        for each in text
    )  # fmt: skip


def dollars(cents: int) -> str:
    """As people read it: 123450 is "$1,234.50", and -50 is "-$0.50"."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{rest:02d}"


def search_token(own_id: str) -> str:
    """The word that finds a mail. Alphanumeric: Gmail's index splits words at dashes and dots."""
    return "AUD" + hashlib.sha256(own_id.encode()).hexdigest()[:16]


def file_name(text: str) -> str:
    """Text as part of a file's name, on any system: other characters become one dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:80].strip("-.") or "unnamed"


# ── shared/zones.py ───────────────────────────────────────────────────────────────────────────────


def zone_called(name: str) -> ZoneInfo | None:
    """None for what is no time zone, or none that this computer knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, such as "America"
        return None


def has_zones() -> bool:
    """Whether this computer knows time zones at all: Python on Windows needs a package for it."""
    return zone_called("America/New_York") is not None


# ── shared/methods.py ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRules:
    """label: as in the middle of a sentence. reference_is_unique: no two payments share one."""

    label: str
    reference_is_required: bool = False
    reference_is_unique: bool = False


METHODS: Mapping[str, MethodRules] = {  # in the order of the payment form
    "credit_card": MethodRules(label="credit card"),
    "cash": MethodRules(label="cash"),
    "check": MethodRules(label="check", reference_is_required=True, reference_is_unique=True),
    "ach": MethodRules(label="ACH", reference_is_unique=True),
}
OTHER_METHODS = "another method"


def counted_as(method: str) -> str:
    """Under which name a statement counts it: whoever writes into the tables can invent any."""
    return method if method in METHODS else OTHER_METHODS


CURRENCY = "USD"  # the one that amounts are in
OTHER_CURRENCY = f"its currency is not {CURRENCY}"
OTHER_METHOD = "its method is none that the app has"


def foreign(currency: str, method: str) -> str:
    """Why the app never writes an entry with these, in words; empty if it does."""
    if currency != CURRENCY:
        return OTHER_CURRENCY
    return "" if method in METHODS else OTHER_METHOD


def label_of(method: str) -> str:
    """The method as people call it; one that this release does not know keeps its own name."""
    return METHODS[method].label if method in METHODS else method


def title_of(method: str) -> str:
    """The label as it starts a line."""
    label = label_of(method)
    return label[:1].upper() + label[1:]


# ── shared/keys.py ────────────────────────────────────────────────────────────────────────────────


HEAD_PREFIX = "EVENT#"
Key = dict[str, str]


def entry_pk(event_id: str, patron_email: str) -> str:
    """The partition of Payments that holds one patron's entries at one event."""
    return f"{event_id}#{patron_email}"


def head(event_id: str) -> Key:
    """Ledger: the number and hash of an event's last entry, and its running totals."""
    return {"PK": f"{HEAD_PREFIX}{event_id}"}


# ── shared/ledger.py ──────────────────────────────────────────────────────────────────────────────


PaymentId = NewType("PaymentId", str)
EventId = NewType("EventId", str)
Milliseconds: TypeAlias = int  # since the epoch
Kind = Literal["payment", "void", "refund"]
COUNTS: Mapping[str, int] = {"payment": 1, "void": -1, "refund": 0}  # a refunded payment was made
# As regular expressions.
EVENT_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
GENESIS_HASH = "0" * 64
SCHEMA_VERSION = 2
EXPIRY = "expiration_timestamp"
MOST_ENTRIES = 10**12  # of an event: what a number may not reach
RETENTION_SECONDS = 2_555 * 24 * 60 * 60  # seven years; DynamoDB's TTL counts in seconds


class MalformedEntryError(ValueError):
    """A Payments row that is not a ledger entry; the text names the attribute."""


def is_event_id(text: str) -> bool:
    return re.fullmatch(EVENT_ID, text) is not None


def canonical_json(values: Mapping[str, Any]) -> bytes:
    """The exact bytes that are hashed, mailed and verified.

    Raises TypeError or ValueError for a value that no entry has.
    """
    text = json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def record_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a row that is mailed and hashed: all but when it expires."""
    return {name: value for name, value in row.items() if name != EXPIRY}


def entry_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 in hex of the canonical record without its own `hash`. Raises as canonical_json."""
    unsealed = {name: value for name, value in record_of(row).items() if name != "hash"}
    return hashlib.sha256(canonical_json(unsealed)).hexdigest()


def business_date(moment: Milliseconds, zone: tzinfo) -> date:
    """The day on which a bookkeeper counts this moment."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).date()


def business_day(moment: Milliseconds, zone: tzinfo) -> str:
    """The same as YYYY-MM-DD."""
    return business_date(moment, zone).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of an event's chain: its number (0 before the first), hash and time."""

    seq: int = 0
    hash: str = GENESIS_HASH
    last_logged_at: Milliseconds = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A payment, void or refund, as written to the ledger.

    amount_cents: integer cents, positive for every kind. timestamp, logged_at: epoch milliseconds;
    timestamp is when the form was filled in, logged_at is the server's clock and never runs
    backwards within an event. logged_day: its date in the stack's business zone. event_*,
    patron_name and logged_by_name are snapshots: the entry stays true when the roster changes.
    voids, refunds: the payment that this entry undoes. corrects: the voided payment that this
    payment replaces. reference_key: the reference as numbers are compared (shared.methods).

    This is the one list of a row's attributes: the CSV's columns, the mail's lines and the API's
    document follow it. An attribute whose default is None is left out of rows that have none.
    """

    kind: Kind
    payment_id: PaymentId
    event_id: EventId
    event_name: str
    event_date: str
    event_timezone: str
    patron_name: str
    patron_email: str
    amount_cents: int
    currency: str
    method: str
    reference: str
    note: str
    timestamp: Milliseconds
    logged_at: Milliseconds
    logged_day: str
    logged_by: str
    logged_by_name: str
    expiration_timestamp: int | None = None
    reference_key: str | None = None
    voids: PaymentId | None = None
    corrects: PaymentId | None = None
    refunds: PaymentId | None = None
    reason: str | None = None
    acknowledged_duplicates: tuple[PaymentId, ...] = ()
    schema_version: int = SCHEMA_VERSION
    seq: int = 0
    prev_hash: str = GENESIS_HASH
    hash: str = ""

    @property
    def pk(self) -> str:
        return entry_pk(self.event_id, self.patron_email)

    @property
    def net_cents(self) -> int:
        """What the entry adds to the money held: voids and refunds take away."""
        return self.amount_cents if self.kind == "payment" else -self.amount_cents

    def sealed(self, head: Head, zone: tzinfo) -> LedgerEntry:
        """This entry as the next link after `head`: dated, numbered, linked and hashed.

        A clock that was set back does not move an entry before the one it follows.
        """
        logged_at = max(self.logged_at, head.last_logged_at)
        linked = replace(
            self,
            logged_at=logged_at,
            logged_day=business_day(logged_at, zone),
            expiration_timestamp=expiry_of(logged_at),
            seq=head.seq + 1,
            prev_hash=head.hash,
            hash="",
        )
        return replace(linked, hash=entry_hash(linked.to_row()))

    @property
    def as_head(self) -> Head:
        return Head(seq=self.seq, hash=self.hash, last_logged_at=self.logged_at)

    def to_row(self) -> dict[str, Any]:
        """The Payments row, keys included. Attributes that are None are left out."""
        row: dict[str, Any] = {"PK": self.pk, "SK": self.timestamp}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                row[field.name] = list(value) if isinstance(value, tuple) else value
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> LedgerEntry:
        """Read a row back. Raises MalformedEntryError.

        Whether the row is also what was written is for `faults_of` and its hash to say.
        """
        fault = next(_mistyped(row), None)
        if fault:
            raise MalformedEntryError(f"not a ledger entry: {fault}")
        values = {each.name: row[each.name] for each in fields(cls) if each.name in row}
        values["acknowledged_duplicates"] = tuple(values["acknowledged_duplicates"])
        return cls(**values)


def faults_of(row: Mapping[str, Any]) -> list[str]:
    """Everything about a row or a record that no entry of ours has; empty for a sound one.

    The one strict reading: what verifies, reconciles, states or exports the ledger asks this
    before it believes a row, and goes on with the others.
    """
    faults = [*_mistyped(row), *_surplus(row)]
    return faults or [*_contradictions(row)]


def _mistyped(row: Mapping[str, Any]) -> Iterator[str]:
    for field in fields(LedgerEntry):
        value = row.get(field.name)
        if value is None and field.default is None and field.name not in row:
            continue
        kind = str(field.type).removesuffix(" | None")
        if field.name not in row:
            yield f"{field.name} is missing"
        elif type(value) is not _TYPES[kind] or (
            isinstance(value, list) and not all(isinstance(each, str) for each in value)
        ):
            yield f"{field.name} is not {_WORDS[_TYPES[kind]]}"
        elif field.name == "kind" and value not in get_args(Kind):
            yield "kind is none that the ledger has"


def _surplus(row: Mapping[str, Any]) -> Iterator[str]:
    known = {each.name for each in fields(LedgerEntry)} | {"PK", "SK"}
    for name in sorted(row.keys() - known):
        yield f"{name[:40]} is no attribute of an entry"


def _contradictions(row: Mapping[str, Any]) -> Iterator[str]:
    """Of a row whose attributes all have the right types."""
    if row.get("PK") != entry_pk(row["event_id"], row["patron_email"]):
        yield "PK does not name its event and patron"
    if row.get("SK") != row["timestamp"]:
        yield "SK is not its timestamp"
    if row["amount_cents"] <= 0:
        yield "amount_cents is not positive"
    if not 0 < row["seq"] < MOST_ENTRIES:
        yield "seq is not a number from 1 up"
    for name, kinds in _KINDS_WITH.items():
        if (name in row) > (row["kind"] in kinds):
            yield f"a {row['kind']} has no {name}"
        elif (name in row) < (row["kind"] in kinds) and name != "corrects":
            yield f"{name} is missing"
    if row.get(EXPIRY, expiry_of(row["logged_at"])) < expiry_of(row["logged_at"]):
        yield f"{EXPIRY} is earlier than seven years after logged_at"


def expiry_of(logged_at: Milliseconds) -> int:
    """When DynamoDB may delete an entry, in epoch seconds."""
    return logged_at // 1000 + RETENTION_SECONDS


_KINDS_WITH: Mapping[str, frozenset[str]] = {
    "voids": frozenset({"void"}),
    "refunds": frozenset({"refund"}),
    "reason": frozenset({"void", "refund"}),
    "corrects": frozenset({"payment"}),
}
_TYPES: Mapping[str, type] = {
    "int": int,
    "Milliseconds": int,
    "str": str,
    "Kind": str,
    "EventId": str,
    "PaymentId": str,
    "tuple[PaymentId, ...]": list,
}
_WORDS: Mapping[type, str] = {int: "a whole number", str: "text", list: "a list of text"}


# ── shared/audit/delivery.py ──────────────────────────────────────────────────────────────────────


_MOMENTS = range(1, 253_402_300_800_000)  # epoch milliseconds, up to the year 9999


def moment_of(row: Mapping[str, Any] | None, name: str) -> int | None:
    """A stored moment in epoch milliseconds; nothing for what no calendar has, such as a bool."""
    value = (row or {}).get(name)
    return value if type(value) is int and value in _MOMENTS else None


# ── shared/audit/findings.py ──────────────────────────────────────────────────────────────────────


FindingKind = Literal["missing", "duplicate", "altered", "orphan"]


@dataclass(frozen=True, slots=True)
class MailFinding:
    """own_id: of the payment, ops record or statement that a mail is about.

    gmail_ids: of the mails that it is about. One that is missing is called what it was when it was
    last there: when another one is lost later, that is a new finding.
    """

    kind: FindingKind
    own_id: str
    gmail_ids: frozenset[str] = frozenset()

    @property
    def run(self) -> str:
        """The run of the ops record that settles it. Short: a header must hold it in one line."""
        return f"ops_ack_{self.kind}_{_audit_findings_digest(self.own_id, self.gmail_ids)}"

    @property
    def ops_id(self) -> str:
        """Of the OpsRecord item that settles it."""
        return f"{self.run}_done"


def _audit_findings_digest(own_id: str, gmail_ids: frozenset[str]) -> str:
    named = "\n".join([own_id, *sorted(gmail_ids)]).encode("utf-8", "replace")
    return hashlib.sha256(named).hexdigest()[:24]


# ── shared/statements/places.py ───────────────────────────────────────────────────────────────────


SEALED = "statements/"
SO_FAR = "so_far/"
SIGNATURE_FILE = "statement.sig"  # as its mail attaches it


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPlace:
    """Where a statement is kept: a sealed one by its day, one made during the day by its hash.

    day: YYYY-MM-DD. sha256: of its bytes, in hex.
    """

    day: str
    final: bool
    sha256: str

    @property
    def record_key(self) -> str:
        return record_key(self.day) if self.final else f"{SO_FAR}{self.sha256}.json"

    @property
    def signature_key(self) -> str:
        """By the hash of what is signed: it is stored before the statement is."""
        return (
            f"{SEALED}{self.day}/{self.sha256}.sig" if self.final else f"{SO_FAR}{self.sha256}.sig"
        )

    @property
    def delivery_id(self) -> PaymentId:
        """Its key in AuditDeliveries: other bytes are another mail."""
        kind = "final" if self.final else "so_far"
        return PaymentId(f"statement_{self.day}_{kind}_{self.sha256}")


def record_key(day: str) -> str:
    """Of a sealed statement: one a day, so a second one cannot be put beside it."""
    return f"{SEALED}{day}/statement.json"


# ── shared/statements/expiry.py ───────────────────────────────────────────────────────────────────


NOTICE = timedelta(days=30)
RETENTION = timedelta(seconds=RETENTION_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """All entries of an event from #1 through a number.

    hash: of that last entry, on which the rest hangs. net_by_method: cents, signed. payments_count:
    payments less voids.
    """

    through_seq: int = 0
    hash: str = GENESIS_HASH
    net_by_method: Mapping[str, int] = field(default_factory=dict)
    payments_count: int = 0

    def to_record(self) -> dict[str, Any]:
        return {
            "through_seq": self.through_seq,
            "hash": self.hash,
            "count": self.through_seq,
            "payments_count": self.payments_count,
            "net_by_method": dict(sorted(self.net_by_method.items())),
            "net_cents": sum(self.net_by_method.values()),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Certificate:
        """Raises KeyError, TypeError or ValueError for what is no certificate."""
        nets = dict(record["net_by_method"])
        numbers = [record[each] for each in ("through_seq", "count", "payments_count", "net_cents")]
        if not all(type(each) is int for each in (*numbers, *nets.values())):
            raise ValueError("a certificate counts in whole numbers")
        through, count, payments, net = numbers
        if not 0 < through < MOST_ENTRIES or count != through or net != sum(nets.values()):
            raise ValueError("the sums of a certificate do not add up")
        if type(record["hash"]) is not str or not all(type(each) is str for each in nets):
            raise ValueError("a certificate has no hash, or a method without a name")
        return cls(
            through_seq=through,
            hash=record["hash"],
            net_by_method=nets,
            payments_count=payments,
        )


NOTHING_EXPIRES = Certificate()


class Entry(Protocol):
    """An entry, or what is kept of one. net_cents: signed."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def net_cents(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What a certificate covers and is not there any more. net_by_method: cents, signed."""

    count: int = 0
    payments_count: int = 0
    net_by_method: Mapping[str, int] = field(default_factory=dict)

    @property
    def net_cents(self) -> int:
        return sum(self.net_by_method.values())


def expired(certificate: Certificate, there: Iterable[Entry]) -> Expired:
    """there: the event's entries that are as they were written; those beyond are passed over.

    An altered one counts as gone: the certificate says what it was.
    """
    kept = {each.seq: each for each in there if each.seq <= certificate.through_seq}
    nets = Counter(certificate.net_by_method)
    payments = certificate.payments_count
    for each in kept.values():
        nets[each.method] -= each.net_cents
        payments -= COUNTS.get(each.kind, 0)
    return Expired(
        count=certificate.through_seq - len(kept),
        payments_count=payments,
        net_by_method={method: cents for method, cents in sorted(nets.items()) if cents},
    )


def last_day_to_certify(day: date) -> date:
    """The business day whose entries may be deleted NOTICE after the statement of `day`."""
    return day + NOTICE - RETENTION


# ── functions/audit_mailer/mails/page.py ──────────────────────────────────────────────────────────


LINE = "border-top:1px solid rgba(128,128,128,.35)"
ALARM = "#d93025"
BREAK = "overflow-wrap:anywhere;word-break:break-word"  # Gmail keeps the second only
CELL = "padding:5px 10px 5px 0;text-align:left"
NUMBER = "padding:5px 10px 5px 0;text-align:right;font-variant-numeric:tabular-nums"
LONGEST_UNDERLINE = 60  # of a heading in plain text
LONGEST_NAME = 80  # in a subject or a heading
LONGEST_ADDRESS = 254
LARGEST_VALUE = 2_600  # bytes of a cell or line as HTML; the API lets nobody write more
KEPT_OF_VALUE = 400  # characters of a larger one
CUT = "\u2026 (the rest is in the attachment)"
LARGEST_HTML = 90_000  # bytes; Gmail's 102 KB, less what encoding and its own marks may add


@dataclass(frozen=True, slots=True)
class Sum:
    """A line of a table of sums. count, amount: as shown, empty if there are none."""

    label: str
    count: str
    amount: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table. headers: none for label and value; else one for each value, as Before and After.

    sums: a table of counts and amounts above the rows.
    """

    heading: str
    rows: Sequence[tuple[str, ...]]
    headers: tuple[str, ...] = ()
    sums: Sequence[Sum] = ()


@dataclass(frozen=True, slots=True)
class PageLink:
    """address: http or https, quoted."""

    label: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """heading: what it is about. notice: what must not be missed, findings: its details."""

    heading: str
    subheading: str
    sections: Sequence[Section]
    notice: str = ""
    findings: Sequence[str] = ()
    link: PageLink | None = None
    closing: Sequence[str] = ()


def clipped(text: str, longest: int = LONGEST_NAME) -> str:
    """A name where there is little room for it."""
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def to_text(page: Page) -> str:
    parts = [f"{as_shown(page.heading)}\n{as_shown(page.subheading)}"]
    if page.notice:
        parts.append("\n".join(as_shown(each) for each in (page.notice, *page.findings)))
    if page.link:
        parts.append(f"{page.link.label}: {page.link.address}")
    parts += [_text_section(each) for each in page.sections]
    return "\n\n".join([*parts, *(as_shown(each) for each in page.closing)]) + "\n"


def size_of(page: Page) -> int:
    """Bytes of the page as HTML."""
    return len(to_html(page).encode())


def fitting(sections: Sequence[Section], budget: int) -> int:
    """How many of these sections, from the first, fit into so many bytes of HTML."""
    for number, each in enumerate(sections):
        budget -= len(_html_section(each).encode())
        if budget < 0:
            return number
    return len(sections)


def to_html(page: Page) -> str:
    closing = "".join(
        f'<p style="margin:10px 0 0;{BREAK}">{_safe(each)}</p>\n' for each in page.closing
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{_safe(page.heading)}</title></head>\n"
        '<body style="margin:0;padding:12px;font-family:Arial,Helvetica,sans-serif;'
        'font-size:14px;line-height:1.45">\n<div style="max-width:640px">\n'
        f'<h1 style="margin:0;font-size:20px;line-height:1.3;{BREAK}">'
        f"{_safe(page.heading)}</h1>\n"
        f'<p style="margin:2px 0 14px;font-size:15px;{BREAK}">'
        f"{_safe(page.subheading)}</p>\n"
        + _html_notice(page)
        + _html_link(page.link)
        + "".join(_html_section(each) for each in page.sections)
        + closing
        + "</div>\n</body></html>\n"
    )


def as_shown(text: str) -> str:
    """Data on one line, without what hides or turns text; cut where it is far too long."""
    line = one_line(text)
    is_large = len(escape(line).encode()) > LARGEST_VALUE
    return line[:KEPT_OF_VALUE] + CUT if is_large else line


def _safe(text: str) -> str:
    return escape(as_shown(text))


def _text_section(section: Section) -> str:
    heading = as_shown(section.heading)
    labels = [each.label for each in section.sums] + [label for label, *_ in section.rows]
    width = max((len(as_shown(label)) for label in labels), default=0) + 2
    lines = [heading, "-" * min(len(heading), LONGEST_UNDERLINE)]
    if section.headers:
        lines.append(" " * width + " -> ".join(section.headers))
    for label, count, amount in ((each.label, each.count, each.amount) for each in section.sums):
        lines.append(f"{as_shown(label) + ':':<{width}}{count:>6}{amount:>16}")
    for label, *values in section.rows:
        lines.append(f"{as_shown(label) + ':':<{width}}{' -> '.join(map(as_shown, values))}")
    return "\n".join(lines)


def _html_notice(page: Page) -> str:
    if not page.notice:
        return ""
    lines = [f"<strong>{_safe(page.notice)}</strong>", *(_safe(each) for each in page.findings)]
    return (
        f'<p style="margin:0 0 14px;padding:6px 0 6px 10px;{BREAK};'
        f'border-left:4px solid {ALARM}">{"<br>".join(lines)}</p>\n'
    )


def _html_link(link: PageLink | None) -> str:
    if link is None:
        return ""
    address = escape(link.address)
    return f'<p style="margin:0 0 14px"><a href="{address}">{_safe(link.label)}</a></p>\n'


def _html_section(section: Section) -> str:
    columns = max(1, len(section.headers))
    rows = [_html_row(label, *values) for label, *values in section.rows]
    if not section.sums:
        return _html_table(section.heading, columns, _html_head(section.headers), rows)
    sums = [_html_row(each.label, each.count, each.amount, style=NUMBER) for each in section.sums]
    head = _html_head(("Count", "Amount"), style=NUMBER)
    return _html_table(section.heading, 2, head, sums) + _html_table(
        f"{section.heading}: entries", 1, "", rows
    )


def _html_table(caption: str, columns: int, head: str, rows: Sequence[str]) -> str:
    """A style of the table holds for its cells where CSS hands it down, which saves a third."""
    body = "\n".join(rows)
    return (
        '<table style="width:100%;border-collapse:collapse;margin:0 0 18px;table-layout:fixed;'
        f'{BREAK}">\n'
        '<caption style="text-align:left;font-size:15px;font-weight:bold;padding:0 0 4px">'
        f"{_safe(caption)}</caption>\n"
        f'<colgroup><col style="width:38%">{"<col>" * columns}</colgroup>\n'
        f'{head}<tbody style="vertical-align:top">\n{body}\n</tbody></table>\n'
    )


def _html_head(headers: Sequence[str], style: str = CELL) -> str:
    if not headers:
        return ""
    cells = "".join(f'<th scope="col" style="{style}">{_safe(each)}</th>' for each in headers)
    return f"<thead><tr><td></td>{cells}</tr></thead>\n"


def _html_row(label: str, *values: str, style: str = CELL) -> str:
    cells = "".join(f'<td dir="auto" style="{style};{LINE}">{_safe(each)}</td>' for each in values)
    return (
        f'<tr><th scope="row" style="{CELL};{LINE};font-weight:normal;font-size:13px;opacity:.75">'
        f"{_safe(label)}</th>{cells}</tr>"
    )


# ── functions/audit_mailer/mails/envelope.py ──────────────────────────────────────────────────────


REISSUE = "X-SCC-Reissue"


def header_line(text: str) -> str:
    """Text that is safe as a header's value, with single spaces, as readers unfold it.

    What looks like an encoded word (RFC 2047) would be decoded, line breaks included: a name could
    write headers of its own. So would half of one that another half follows.
    """
    return " ".join(one_line(text).split()).replace("=?", "= ?").replace("?=", "? =")


def moment(milliseconds: int) -> datetime:
    """A header's Date has whole seconds."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def utc(milliseconds: int) -> str:
    return moment(milliseconds).strftime("%Y-%m-%d %H:%M:%S UTC")


# ── functions/audit_mailer/mails/related.py ───────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Other entries that help explain this one, as far as they were found.

    original: the payment that this entry voids, refunds or replaces. replacement: what replaces the
    voided payment. void: of the payment that this one replaces. earlier: the payments that were
    replaced before the original, oldest first. numbers: seq of acknowledged duplicates by id.
    """

    original: LedgerEntry | None = None
    replacement: LedgerEntry | None = None
    void: LedgerEntry | None = None
    earlier: tuple[PaymentId, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)


def original_id(entry: LedgerEntry) -> PaymentId | None:
    """Of the payment that this entry voids, refunds or replaces."""
    return entry.voids or entry.refunds or entry.corrects


def number_of(entry: LedgerEntry) -> str:
    return f"#{entry.seq:06d}"


def name_of(entry: LedgerEntry | None, payment_id: str | None) -> str:
    """Its number, or its id if it was not found."""
    return number_of(entry) if entry else payment_id or "an entry that was not found"


def notice(entry: LedgerEntry, related: Related) -> str:
    """What a payment is never mistaken for, in one sentence; empty for a new payment."""
    original = _full_name(related.original, original_id(entry))
    if entry.voids:
        return f"This voids {original}: {reason_of(entry)}."
    if entry.refunds:
        return f"This refunds {original}: {reason_of(entry)}."
    if not entry.corrects:
        return ""
    if not related.void:
        return f"This replaces {original}, which was voided."
    void = _full_name(related.void, None)
    return f"This replaces {original}, which {void} voids: {reason_of(related.void)}."


def sections(entry: LedgerEntry, related: Related) -> list[Section]:
    """What changed, and who logged the entries that this one is about; nothing for a payment."""
    original = original_id(entry)
    if original is None:
        return []
    rows: list[tuple[str, ...]]
    if entry.voids:
        before, after = related.original or entry, related.replacement
        changes = _changes(before, after, number=bool(related.original))
        rows = [("Voided payment", _mails_related_told(related.original, original))]
        if after:
            rows.append(("Replaced by", _mails_related_told(after, None)))
    elif entry.corrects:
        changes = _changes(related.original, entry)
        rows = [
            ("Replaced payment", _mails_related_told(related.original, original)),
            ("Voided by", _mails_related_told(related.void, None)),
        ]
    else:
        return [Section("Other entries", [("Refunded payment", _mails_related_told(related.original, original))])]
    return [
        Section("What changes", changes, ("Before", "After")),
        Section("Other entries", rows),
    ]


def reason_of(entry: LedgerEntry) -> str:
    return (entry.reason or "no reason given").replace("_", " ")


def _full_name(entry: LedgerEntry | None, payment_id: str | None) -> str:
    return f"{number_of(entry)} ({entry.payment_id})" if entry else name_of(None, payment_id)


def _mails_related_told(entry: LedgerEntry | None, payment_id: str | None) -> str:
    """Numbers come before names: after a right-to-left name a date would read backwards."""
    if entry is None:
        return f"{payment_id}, not found" if payment_id else "not found"
    who = f"{clipped(entry.logged_by_name)} ({clipped(entry.logged_by, LONGEST_ADDRESS)})"
    return f"{_full_name(entry, None)}, logged at {utc(entry.logged_at)} by {who}"


def _changes(
    before: LedgerEntry | None, after: LedgerEntry | None, *, number: bool = True
) -> list[tuple[str, ...]]:
    """A payment beside what replaces it. number: whether it is the payment's own that is known.

    A void repeats amount, method and patron, so it can stand in for a payment that is not found.
    """
    return [
        ("Entry", number_of(before) if before and number else "not found",
         number_of(after) if after else "none, voided"),
        ("Amount", dollars(before.amount_cents) if before else "-",
         dollars(after.amount_cents if after else 0)),
        ("Method", label_of(before.method) if before else "-",
         label_of(after.method) if after else "-"),
        ("Patron", before.patron_name if before else "-", after.patron_name if after else "-"),
        # Two people may share a name.
        ("Patron e-mail", before.patron_email if before else "-",
         after.patron_email if after else "-"),
        ("Reference", (before.reference or "none") if before else "-",
         (after.reference or "none") if after else "-"),
    ]  # fmt: skip


# ── functions/audit_mailer/mails/payment_mail.py ──────────────────────────────────────────────────


_LABELS = {  # of the attributes that describe a payment; another one is called by its own name
    "event_name": "Event",
    "event_id": "Event id",
    "event_date": "Event date",
    "patron_name": "Patron",
    "patron_email": "Patron e-mail",
    "amount_cents": "Amount",
    "method": "Method",
    "reference": "Reference",
    "note": "Note",
}
_ELSEWHERE = frozenset({  # in another line or section, or for machines
    "kind", "payment_id", "event_timezone", "currency", "timestamp", "logged_at", "logged_day",
    "logged_by", "logged_by_name", "expiration_timestamp", "reference_key", "voids", "corrects",
    "refunds", "reason", "acknowledged_duplicates", "schema_version", "seq", "prev_hash", "hash",
})  # fmt: skip
HOW_TO_VERIFY = (
    "The attached record is the ledger row, less its expiry: its SHA-256 is the one above. "
    "Without its hash field, in the same form, the record's SHA-256 is the hash above."
)
HOW_TO_FIND = "Search for {} to find every mail about this payment."
OPEN = "Open in the app"
REISSUED = "This mail was issued again, as the operators' record {} says."


def payment_file(entry: LedgerEntry) -> str:
    """What the attached record is called."""
    return f"{file_name(entry.event_id)}-{entry.seq:06d}.json"


def payment_subject(entry: LedgerEntry, related: Related, reissue: str = "") -> str:
    """Without the search token. reissue: the run that issued the mail again, or empty."""
    what = f"{_money(entry)} {_method(entry)}"
    of = name_of(related.original, original_id(entry))
    if entry.corrects:
        told = f"{number_of(entry)} {what} replaces {of}"
    elif entry.kind == "payment":
        told = f"{number_of(entry)} {what}"
    else:
        told = f"{entry.kind.upper()} {number_of(entry)} of {of} {what}"
    told = f"REISSUED {told}" if reissue else told
    return f"[SCC Audit] {told} - {clipped(entry.patron_name)} - {clipped(entry.event_name)}"


def _heading(entry: LedgerEntry, related: Related) -> str:
    what = f"{_money(entry)} {_method(entry)}"
    of = name_of(related.original, original_id(entry))
    if entry.corrects:
        what += f" replaces {of}"
    elif entry.kind != "payment":
        what = f"{entry.kind.upper()} of {of}: {what}"
    return f"{what}, {clipped(entry.patron_name)}"


def payment_page(
    entry: LedgerEntry,
    related: Related,
    record_sha256: str,
    app_url: str = "",
    event_time: str = "",
    reissue: str = "",
) -> Page:
    """What the mail shows, told from the entry and from those that it is about.

    event_time: when it was logged in the event's time zone, for a reader that lacks the zone.
    reissue: the run that issued the mail again, or empty.
    """
    about = original_id(entry)
    return Page(
        heading=_heading(entry, related),
        # Numbers come before names: after a right-to-left name a date would read backwards.
        subheading=(
            f"{number_of(entry)}, {clipped(entry.event_date)}, {clipped(entry.event_name)}"
        ),
        notice=" ".join(filter(None, (notice(entry, related), _mails_payment_mail_reissued(reissue)))),
        link=PageLink(OPEN, app_url + payment_path(entry)) if app_url else None,
        sections=[
            *sections(entry, related),
            Section(entry.kind.capitalize(), _what(entry, related)),
            Section("Logging", _when(entry, event_time)),
            Section("Proof", _mails_payment_mail_proof(entry, record_sha256)),
        ],
        closing=[HOW_TO_VERIFY, HOW_TO_FIND.format(about or entry.payment_id)],
    )


def _mails_payment_mail_reissued(run: str) -> str:
    return REISSUED.format(run) if run else ""


def payment_path(entry: LedgerEntry) -> str:
    """Where the app shows this entry, below the app's own address."""
    event_id, payment_id = (quote(each, safe="") for each in (entry.event_id, entry.payment_id))
    return f"/g/{event_id}?payment={payment_id}"


def _what(entry: LedgerEntry, related: Related) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (_LABELS.get(name, _words(name)), _value(entry, name)) for name in _described()
    ]
    if entry.kind != "payment":
        return [*rows, ("Reason", reason_of(entry))]
    duplicates = [
        f"#{related.numbers[each]:06d} ({each})" if each in related.numbers else each
        for each in entry.acknowledged_duplicates
    ]
    return [*rows, ("Acknowledged duplicates", ", ".join(duplicates) or "none")]


def _described() -> list[str]:
    """The attributes that describe a payment: those with a label, and all that have no section."""
    names = [each.name for each in fields(LedgerEntry)]
    return [*_LABELS, *(each for each in names if each not in _LABELS.keys() | _ELSEWHERE)]


def _value(entry: LedgerEntry, name: str) -> str:
    match name:
        case "amount_cents":
            return f"{_money(entry)} {entry.currency}"
        case "method":
            return label_of(entry.method)
        case _:
            return str(getattr(entry, name) or "none")


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _when(entry: LedgerEntry, event_time: str) -> list[tuple[str, ...]]:
    return [
        ("Logged by", f"{entry.logged_by_name} ({entry.logged_by})"),
        ("Logged at (server)", _mails_payment_mail_moment(entry.logged_at, "UTC")),
        ("Logged at (event)", event_time or _mails_payment_mail_moment(entry.logged_at, entry.event_timezone)),
        ("Captured at", _mails_payment_mail_moment(entry.timestamp, "UTC")),
    ]


def _mails_payment_mail_proof(entry: LedgerEntry, record_sha256: str) -> list[tuple[str, ...]]:
    return [
        ("Entry", f"{number_of(entry)} of this event"),
        ("Payment", entry.payment_id),
        ("Hash", entry.hash),
        ("Previous hash", entry.prev_hash),
        ("SHA-256 of the record", record_sha256),
        ("Search token", search_token(entry.payment_id)),
    ]


def _money(entry: LedgerEntry) -> str:
    """What the entry adds: a void or refund takes away."""
    return dollars(entry.net_cents)


def _method(entry: LedgerEntry) -> str:
    return clipped(label_of(entry.method))


def _mails_payment_mail_moment(milliseconds: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.astimezone(zone_called(timezone) or UTC).strftime("%Y-%m-%d %H:%M:%S %Z")


# ── functions/audit_mailer/mails/ops_mail.py ──────────────────────────────────────────────────────


SHOWN_MESSAGES = 200  # the rest is in the attachment, and in further parts of the record
SHOWN_BYTES = 20_000  # of messages as HTML


def ops_file(ops_record: Mapping[str, Any]) -> str:
    """What the attached record is called."""
    return f"ops-{file_name(str(ops_record['ops_id']))}.json"


def ops_subject(ops_record: Mapping[str, Any]) -> str:
    """Without the search token."""
    return f"[SCC Ops] {_deed(ops_record)} - {clipped(str(ops_record.get('who')))}"


def ops_page(ops_record: Mapping[str, Any], record_sha256: str) -> Page:
    """What the mail shows, told from the record alone."""
    counts = ops_record.get("counts") or {}
    outcome = ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing"
    what = (
        ("Action", ops_record["action"]),
        ("Phase", ops_record.get("phase")),
        ("Outcome", outcome),
        ("Selected by", ops_record.get("filter")),
        ("Reason", ops_record.get("reason") or "none given"),
    )
    who = (
        ("Who", ops_record.get("who")),
        ("When", utc(ops_record["at"])),
        ("Stack", ops_record.get("stack")),
    )
    proof = (
        ("Ops record", ops_record["ops_id"]),
        ("SHA-256 of the record", record_sha256),
        ("Search token", search_token(str(ops_record["ops_id"]))),
    )
    return Page(
        heading=f"Operators: {_deed(ops_record)}",
        subheading=outcome,
        sections=[
            Section("What", _rows(what)),
            Section("Who and when", _rows(who)),
            Section("Messages", _message_rows(ops_record)),
            Section("Proof", _rows(proof)),
        ],
    )


def _deed(ops_record: Mapping[str, Any]) -> str:
    if ops_record["action"] == "ack":
        return "finding explained"
    return clipped(f"{ops_record['action']} {ops_record.get('phase')}")


def _rows(facts: Sequence[tuple[str, Any]]) -> list[tuple[str, ...]]:
    return [(label, str(value)) for label, value in facts]


def _message_rows(ops_record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The first messages, as many as Gmail shows, and where the others are."""
    messages = ops_record["messages"]
    texts = [str(each) for each in messages[:SHOWN_MESSAGES]]
    sizes = accumulate(len(escape(each).encode("utf-8", "replace")) for each in texts)
    shown = [text for text, size in zip(texts, sizes, strict=True) if size <= SHOWN_BYTES]
    rows: list[tuple[str, Any]] = [(str(number), each) for number, each in enumerate(shown, 1)]
    if more := len(messages) - len(shown):
        rows.append(("More", f"{more} more are in the attachment"))
    if (further := int(ops_record.get("messages_total", 0)) - len(messages)) > 0:
        rows.append(("Further parts", f"{further} more are in the ops record's other parts"))
    return _rows(rows)


# ── functions/audit_mailer/mails/statement_page.py ────────────────────────────────────────────────


EVERY_DAY = (
    "A statement is mailed every day, even after a day without payments. "
    "If one is missing, something is wrong: tell the people who run this system."
)
HOW_TO_PROVE = (
    "statement.json is the statement, statement.sig its signature by the key named above, and each "
    "statement names the one before it: docs/evidence.md says how to check all three."
)
NOT_OVER = (
    "The day was not over when this statement was made. The final statement will follow; this one "
    "is not part of the chain."
)
MOST_FINDINGS = 40  # of those in the notice
MOST_NOTABLE = 100
CUT_SHORT = "{} {} in statement.json: this mail would be too long for Gmail to show."
NOTABLE = {
    "self_voided_cash": "Cash, voided by who took it",
    "entered_twice_without_twin": "Voided as entered twice, and there is no other like it",
    "captured_late": "Captured over an hour before it was logged",
    "acknowledged_duplicates": "Logged although it looked like a duplicate",
    "large_cash": "A large sum in cash",
}
Told = Mapping[str, Any]  # of the whole day or of an event


def statement_subject(record: Told) -> str:
    """Without the search token."""
    return " - ".join([f"[SCC Audit] {_title(record)}", _totals(record), *_alarms(record)])


def statement_page(record: Told, sha256: str, token: str) -> Page:
    """sha256: of statement.json."""
    findings = [f"{kind} {place}" for kind, places in _findings(record).items() for place in places]
    if len(findings) > MOST_FINDINGS:
        more = _count(len(findings) - MOST_FINDINGS, "more finding")
        findings[MOST_FINDINGS:] = [f"{more} in statement.json"]
    closing = [HOW_TO_PROVE, EVERY_DAY] if record["is_final"] else [NOT_OVER, EVERY_DAY]
    whole = Page(
        heading=_title(record),
        subheading=_totals(record),
        notice="Needs attention" if findings else "",
        findings=findings,
        sections=[
            _whole_day(record),
            *_by_admin(record),
            *_notable(record),
            *_expiring(record),
            *_malformed(record),
            *_evidence(record),
            _mails_statement_page_proof(record, sha256, token),
        ],
        closing=closing,
    )
    return _with_events(whole, [_event(each) for each in record["events"]])


def _with_events(whole: Page, events: Sequence[Section]) -> Page:
    """The page with as many events as Gmail shows of a mail, and a word about the others."""
    first, *others = whole.sections
    fit = fitting(events, LARGEST_HTML - size_of(whole) - len(CUT_SHORT))
    told = []
    if more := len(events) - fit:
        told = [CUT_SHORT.format(_count(more, "more event"), "is" if more == 1 else "are")]
    return replace(whole, sections=[first, *events[:fit], *others], closing=[*told, *whole.closing])


def _title(record: Told) -> str:
    return f"Statement {record['day']}{'' if record['is_final'] else ' so far'}"


def _totals(record: Told) -> str:
    if not record["entries"]:
        return "0 entries"
    counts = [_count(record[kind]["count"], kind[:-1]) for kind in ("payments", "voids")]
    if record["refunds"]["count"]:
        counts.append(_count(record["refunds"]["count"], "refund"))
    return ", ".join([*counts, f"{dollars(record['net_cents'])} net"])


def _findings(record: Told) -> dict[str, list[str]]:
    """What is wrong, and where: ids and numbers only.

    Statements of earlier releases say nothing of `unlinked`, `impossible`, `totals_differ` and
    `evidence`.
    """
    events = record["events"]
    found = {
        "REWRITTEN": [each["event_id"] for each in record["extends"]["rewritten"]],
        "GAP in": [
            f"{each['event_id']} {_mails_statement_page_numbers(*gap)}" for each in events for gap in each["missing"]
        ],
        "ALTERED": [
            f"{each['event_id']} {_number(seq)}" for each in events for seq in each["altered"]
        ],
        "UNLINKED": [
            f"{each['event_id']} {_number(seq)}"
            for each in events
            for seq in each.get("unlinked", ())
        ],
        "IMPOSSIBLE": [
            f"{each['event_id']} {_number(seq)}"
            for each in events
            for seq, _ in each.get("impossible", ())
        ],
        "HEAD UNREADABLE in": [each["event_id"] for each in events if not each["head_hash"]],
        "TOTALS in": [each["event_id"] for each in events if each.get("totals_differ")],
        "EVIDENCE": [
            *dict.fromkeys(
                each["day"] or "statements" for each in record.get("evidence", ()) if each["is_new"]
            )
        ],
        "MALFORMED ROWS": [str(record["malformed_rows"])] if record["malformed_rows"] else [],
        "NOT MAILED": [str(record["not_mailed"])] if record["not_mailed"] else [],
    }
    return {kind: places for kind, places in found.items() if places}


def _alarms(record: Told) -> list[str]:
    """The first finding of each kind, and how many more there are."""
    return [
        f"{kind} {places[0]}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        for kind, places in _findings(record).items()
    ]


def _whole_day(record: Told) -> Section:
    day = ("Business day", f"{record['day']}, {record['timezone']} time")
    if not record["entries"]:
        return Section("The whole day", [day, ("Entries", "none were logged on this day")])
    return Section(
        "The whole day",
        rows=[
            day,
            ("Entries", str(record["entries"])),
            ("Not yet mailed", str(record["not_mailed"] or "none")),
        ],
        sums=_sums(record),
    )


def _event(event: Told) -> Section:
    rows: list[tuple[str, ...]] = []
    if event["entries"]:
        span = _mails_statement_page_numbers(event["first_seq"], event["last_seq"])
        rows = [
            ("Entries", f"{span} ({event['entries']})"),
            ("Hash of the day's last entry", event["last_hash"]),
        ]
    rows += [
        ("Latest entry of the event", _mails_statement_page_head(event)),
        ("Missing numbers", ", ".join(_mails_statement_page_numbers(*each) for each in event["missing"]) or "none"),
    ]
    if event["altered"]:
        rows.append(("Not as written, in no sum", ", ".join(map(_number, event["altered"]))))
    if event.get("unlinked"):
        rows.append(("Not found by their ids", ", ".join(map(_number, event["unlinked"]))))
    for seq, why in event.get("impossible", ()):
        rows.append((f"Not written by the app, {_number(seq)}", why))
    if event.get("totals_differ"):
        rows.append(("Totals of its screen", event["totals_differ"]))
    rows.append(("Not yet mailed", ", ".join(_unmailed(event)) or "none"))
    name = f"{event['event_name']} ({event['event_id']})" if event["event_name"] else ""
    return Section(name or event["event_id"], rows, sums=_sums(event) if event["entries"] else ())


def _mails_statement_page_head(event: Told) -> str:
    if not event["head_hash"]:
        return "cannot be read"
    return f"{_number(event['head_seq'])} {event['head_hash']}"


def _unmailed(event: Told) -> list[str]:
    named = [
        f"{_number(each['seq'])} {each['state']}" + (f" ({each['error']})" if each["error"] else "")
        for each in event["not_mailed_entries"]
    ]
    more = event["not_mailed"] - len(named)
    return [*named, f"and {more} more"] if more else named


def _by_admin(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (
            clipped(f"{each['logged_by_name']} ({each['logged_by']})"),
            f"{_count(each['entries'], 'entry', 'entries')}, {dollars(each['net_cents'])} net",
        )
        for each in record["by_admin"]
    ]
    return [Section("By person who logged", rows)] if rows else []


def _notable(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (
            NOTABLE.get(each["kind"], str(each["kind"])),
            (
                f"{each['event_id']} {_number(each['seq'])}, {dollars(each['amount_cents'])}, "
                f"by {clipped(each['logged_by'])}"
            ),
        )
        for each in record["notable"][:MOST_NOTABLE]
    ]
    if more := len(record["notable"]) - len(rows):
        rows.append(("More", f"{more} in statement.json"))
    return [Section("Worth a look", rows)] if rows else []


def _expiring(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (
            each["event_id"],
            (
                f"through {_number(each['through_seq'])}, {dollars(each['net_cents'])} net; the "
                f"rest hangs on {each['hash']}"
            ),
        )
        for each in record["expiring"][:MOST_NOTABLE]
    ]
    if more := len(record["expiring"]) - len(rows):
        rows.append(("More", f"{more} in statement.json"))
    return [Section("Entries that expire after thirty days", rows)] if rows else []


def _malformed(record: Told) -> list[Section]:
    """The rows that are not entries, by key: nothing that they say is in a sum."""
    rows: list[tuple[str, ...]] = [
        (f"{each['pk']} {each['sk']}", ", ".join(each["faults"])) for each in record["malformed"]
    ]
    if more := record["malformed_rows"] - len(rows):
        rows.append(("More", str(more)))
    return [Section("Rows that are not entries", rows)] if rows else []


def _evidence(record: Told) -> list[Section]:
    rows: list[tuple[str, ...]] = [
        (each["day"] or "All days", each["what"] + ("" if each["is_new"] else ", as told before"))
        for each in record.get("evidence", ())[:MOST_FINDINGS]
    ]
    return [Section("Sealed statements that somebody changed", rows)] if rows else []


def _mails_statement_page_proof(record: Told, sha256: str, token: str) -> Section:
    previous = record["previous"]
    before = f"{previous['day']} {previous['sha256']}" if previous else "none, this is the first"
    ledger = record["ledger"]
    whole = (
        f"{_count(ledger['events'], 'event')}, {_count(ledger['entries'], 'entry', 'entries')}, "
        f"heads {ledger['heads_sha256']}"
    )
    return Section(
        "Proof",
        [
            ("SHA-256 of statement.json", sha256),
            ("Statement before it", before),
            ("Signing key (SHA-256)", record["key_sha256"]),
            ("The whole ledger", whole),
            ("Operators' records", str(len(record["ops"]) or "none")),
            ("Made at", utc(record["made_at"])),
            ("Search token", token),
        ],
    )


def _sums(of: Told) -> list[Sum]:
    """A line for each method, in the order of the payment form, then what is taken away."""
    by_method = of["payments"]["by_method"]
    known = [*METHODS, *sorted(by_method.keys() - METHODS.keys())]
    lines = [
        Sum(title_of(each), str(by_method[each]["count"]), dollars(by_method[each]["cents"]))
        for each in known
        if each in by_method
    ]
    for label, kind in (("Voided", "voids"), ("Refunded", "refunds")):
        if of[kind]["count"]:
            lines.append(Sum(label, str(of[kind]["count"]), dollars(-of[kind]["cents"])))
    nets = of["net_by_method"]
    if len(nets) > 1 and (of["voids"]["count"] or of["refunds"]["count"]):
        lines += [
            Sum(f"{title_of(each)}, net", "", dollars(nets[each]))
            for each in [*METHODS, *sorted(nets.keys() - METHODS.keys())]
            if each in nets
        ]
    return [*lines, Sum("Net", "", dollars(of["net_cents"]))]


def _number(seq: int) -> str:
    return f"#{seq:06d}"


def _mails_statement_page_numbers(first: int, last: int) -> str:
    return _number(first) if first == last else f"{_number(first)}-{_number(last)}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


# ── ops/offline/ledger/links.py ───────────────────────────────────────────────────────────────────


INTEGRITY, COMPLETENESS = "integrity", "completeness"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """seq, last_seq: which entries, or 0 when unknown."""

    verdict: str
    event_id: str
    seq: int
    last_seq: int
    kind: str
    payment_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry of a chain, as small as it can be: a mailbox has tens of thousands.

    computed: the hash it should have, empty for values that no entry has. sha256: of the whole
    record. faults: of the strict reading; if there are any, the fields below mean nothing. about:
    the payment that this entry voids, refunds or corrects. logged_at: epoch milliseconds. told: a
    digest of what other mails may say about the entry, empty if its own mail was not read. reissue:
    the name of a mail that was issued again, empty for the first one and for rows. foreign: why the
    app never writes such an entry, empty if it does.
    """

    event_id: str
    seq: int
    payment_id: str
    hash: str
    prev_hash: str
    computed: str
    sha256: str
    faults: tuple[str, ...] = ()
    kind: str = ""
    about: str = ""
    patron_email: str = ""
    method: str = ""
    foreign: str = ""
    amount_cents: int = 0
    logged_at: int = 0
    logged_day: str = ""
    told: bytes = b""
    reissue: str = ""

    @property
    def is_sound(self) -> bool:
        return self.hash == self.computed and not self.faults

    @property
    def net_cents(self) -> int:
        return self.amount_cents if self.kind == "payment" else -self.amount_cents


@dataclass(frozen=True, slots=True)
class Anchor:
    """What another source says about a chain: at `seq` its hash was `hash`."""

    event_id: str
    seq: int
    hash: str
    source: str


def link_of(row: Mapping[str, Any]) -> Link:
    """A row or a record as a link. Raises ValueError, which says why it is not one of a chain."""
    for name in ("event_id", "payment_id", "hash", "prev_hash"):
        if type(row.get(name)) is not str:
            raise ValueError(f"{name} is missing or not text")
    seq = row.get("seq")
    if type(seq) is not int or not 0 < seq < MOST_ENTRIES:
        raise ValueError("seq is not a number from 1 up")
    faults = tuple(faults_of(row))
    try:
        computed = entry_hash(row)
        content = canonical_json(record_of(row))
    except (TypeError, ValueError, RecursionError):
        computed, content = "", repr(row).encode("utf-8", "backslashreplace")
        faults = faults or ("it holds a value that no entry has",)
    link = Link(
        event_id=sys.intern(row["event_id"]),
        seq=seq,
        payment_id=row["payment_id"],
        hash=sys.intern(row["hash"]),
        prev_hash=sys.intern(row["prev_hash"]),
        computed=sys.intern(computed),
        sha256=hashlib.sha256(content).hexdigest(),
        faults=faults,
    )
    return link if faults else _with_meaning(link, row)


def _with_meaning(link: Link, row: Mapping[str, Any]) -> Link:
    return replace(
        link,
        kind=sys.intern(row["kind"]),
        about=row.get("voids") or row.get("refunds") or row.get("corrects") or "",
        patron_email=sys.intern(row["patron_email"]),
        method=sys.intern(row["method"]),
        foreign=foreign(row["currency"], row["method"]),
        amount_cents=row["amount_cents"],
        logged_at=row["logged_at"],
        logged_day=sys.intern(row["logged_day"]),
    )


def found(verdict: str, link: Link, kind: str, detail: str) -> Finding:
    return Finding(verdict, link.event_id, link.seq, link.seq, kind, link.payment_id, detail)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """In order, each kind once per entry: an alteration shows up in several places."""
    by_place: dict[tuple[Any, ...], Finding] = {}
    for each in sorted(set(findings)):
        place = (each.verdict, each.event_id, each.seq, each.kind, each.payment_id)
        if each.seq and place in by_place:
            detail = f"{by_place[place].detail}; {each.detail}"
            by_place[place] = replace(each, detail=detail)
        else:
            by_place[place if each.seq else (*place, each.detail)] = each
    return list(by_place.values())


def ranges(numbers: Iterable[int]) -> str:
    """For example "#000001-#000041, #000043", or "none"."""
    distinct = enumerate(sorted(set(numbers)))
    spans = [list(span) for _, span in groupby(distinct, lambda pair: pair[1] - pair[0])]
    return ", ".join(span_text(span[0][1], span[-1][1]) for span in spans) or "none"


def span_text(first: int, last: int) -> str:
    return f"#{first:06d}" if last <= first else f"#{first:06d}-#{last:06d}"


# ── ops/offline/ledger/meaning.py ─────────────────────────────────────────────────────────────────


def check_meaning(
    chain: Mapping[int, Link], *, is_whole: bool, zone: tzinfo | None
) -> Iterator[Finding]:
    """Judge only sound entries: what is wrong with the others is said elsewhere.

    chain: by number. is_whole: no entry is missing or unsound, so one that is about nothing is not
    just about one of those. zone: of business days, or None where it is not known.
    """
    sound = [chain[seq] for seq in sorted(chain) if chain[seq].is_sound]
    yield from _times(sound, zone)
    yield from _same_ids(sound)
    payments = {each.payment_id: each for each in sound if each.kind == "payment"}
    history = _History(payments, is_whole=is_whole)
    for link in sound:
        if problem := link.foreign or history.problem_of(link):
            yield found(INTEGRITY, link, f"wrong-{link.kind}", problem)


@dataclass(slots=True)
class _History:
    """What was voided and refunded so far. payments: all of the chain's, by id."""

    payments: Mapping[str, Link]
    is_whole: bool
    voids: dict[str, Link] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)

    def problem_of(self, link: Link) -> str:
        """Of the next entry, or an empty text; then the entry is part of the history."""
        match link.kind:
            case "void":
                problem = self._void_problem(link)
                self.voids.setdefault(link.about, link)
            case "refund":
                self.refunded[link.about] = self.refunded.get(link.about, 0) + link.amount_cents
                problem = self._refund_problem(link)
            case _:
                is_lone = link.about and link.about not in self.voids and self.is_whole
                problem = "it replaces a payment that was not voided before it" if is_lone else ""
        return problem

    def _void_problem(self, link: Link) -> str:
        if link.about in self.voids:
            return f"#{self.voids[link.about].seq:06d} voids the same payment"
        payment = self._before(link)
        if payment is None:
            return "it voids a payment that is not there" if self.is_whole else ""
        if link.about in self.refunded:
            return "it voids a payment that was refunded"
        for name in ("amount_cents", "method", "patron_email"):
            if getattr(payment, name) != getattr(link, name):
                return f"its {name} is not that of the payment it voids, #{payment.seq:06d}"
        return ""

    def _refund_problem(self, link: Link) -> str:
        if link.about in self.voids:
            return f"it refunds a payment that #{self.voids[link.about].seq:06d} voids"
        payment = self._before(link)
        if payment is None:
            return "it refunds a payment that is not there" if self.is_whole else ""
        if payment.patron_email != link.patron_email:
            return f"its patron_email is not that of the payment it refunds, #{payment.seq:06d}"
        if self.refunded[link.about] > payment.amount_cents:
            return f"more was refunded than #{payment.seq:06d} paid"
        return ""

    def _before(self, link: Link) -> Link | None:
        """The payment that the entry is about, if it came first."""
        payment = self.payments.get(link.about)
        return payment if payment and payment.seq < link.seq else None


def _times(sound: list[Link], zone: tzinfo | None) -> Iterator[Finding]:
    latest = 0
    for link in sound:
        if link.logged_at < latest:
            yield found(INTEGRITY, link, "back-dated", "it was logged before an entry it follows")
        elif zone and link.logged_day != _ledger_meaning_day_of(link, zone):
            yield found(INTEGRITY, link, "back-dated", "its day is not the day it was logged on")
        latest = max(latest, link.logged_at)


def _ledger_meaning_day_of(link: Link, zone: tzinfo) -> str:
    try:
        return business_day(link.logged_at, zone)
    except (OverflowError, ValueError, OSError):
        return "no day of any calendar"


def _same_ids(sound: list[Link]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for link in sound:
        earlier = first.setdefault(link.payment_id, link.seq)
        if earlier != link.seq:
            yield found(INTEGRITY, link, "same-id", f"#{earlier:06d} has the same payment id")


# ── ops/offline/ledger/chain.py ───────────────────────────────────────────────────────────────────


def check_chains(
    links: Iterable[Link],
    anchors: Iterable[Anchor],
    zone: tzinfo | None = None,
    certified: Mapping[str, int] = MappingProxyType({}),
) -> list[Finding]:
    """Check every event's chain against itself and its anchors. zone: of business days.

    certified: through which number each event's entries may be gone.
    """
    by_event: dict[str, tuple[list[Link], list[Anchor]]] = {}
    for link in links:
        by_event.setdefault(link.event_id, ([], []))[0].append(link)
    for anchor in anchors:
        by_event.setdefault(anchor.event_id, ([], []))[1].append(anchor)
    return sorted(
        each
        for event in sorted(by_event)
        for each in check_chain(*by_event[event], zone, certified.get(event, 0))
    )


def check_chain(
    links: Sequence[Link],
    anchors: Sequence[Anchor],
    zone: tzinfo | None = None,
    certified: int = 0,
) -> Iterator[Finding]:
    """Check one event's chain. An altered entry with a new hash contradicts its neighbor.

    certified: through which number entries may be gone.
    """
    chain, rivals = _chosen(links, anchors)
    yield from rivals
    yield from _wrong_links(chain, anchors)
    yield from _hung_elsewhere(chain, anchors)
    yield from _rival_anchors(anchors)
    missing = gaps(chain, max((each.seq for each in anchors), default=0))
    event_id = links[0].event_id if links else anchors[0].event_id
    for first, last in missing:
        if last > certified:
            first_missing = max(first, certified + 1)
            yield Finding(COMPLETENESS, event_id, first_missing, last, "missing")
    is_whole = not missing and all(each.is_sound for each in chain.values())
    yield from check_meaning(chain, is_whole=is_whole, zone=zone)


def gaps(seen: Iterable[int], least: int = 0) -> list[tuple[int, int]]:
    """The ranges of missing numbers from 1 to the greatest one (or to `least`)."""
    missing, expected = [], 1
    for seq in sorted(seen):
        if seq > expected:
            missing.append((expected, seq - 1))
        expected = seq + 1
    if least >= expected:
        missing.append((expected, least))
    return missing


def _chosen(
    links: Sequence[Link], anchors: Sequence[Anchor]
) -> tuple[dict[int, Link], list[Finding]]:
    """For each number the entry that fits best, and findings about all others."""
    findings: list[Finding] = []
    claims: dict[int, dict[str, Link]] = {}
    mails: set[tuple[str, str]] = set()
    for link in links:
        if (link.sha256, link.reissue) in mails:
            findings.append(found(COMPLETENESS, link, "duplicate", "the same entry appears twice"))
        mails.add((link.sha256, link.reissue))
        claims.setdefault(link.seq, {})[link.sha256] = link
    said = {(each.seq, each.hash) for each in anchors}
    wanted = {(each.seq - 1, each.prev_hash) for each in links if each.hash == each.computed}
    chain: dict[int, Link] = {}
    for seq in sorted(claims):
        before = chain.get(seq - 1)
        best, *others = sorted(
            claims[seq].values(),
            key=lambda each: (
                each.hash != each.computed,
                (each.seq, each.hash) not in said,
                (each.seq, each.hash) not in wanted,
                before is not None and before.hash != each.prev_hash,
                each.sha256,
            ),
        )
        chain[seq] = best
        for other in others:
            is_same = other.payment_id == best.payment_id
            kind = "altered" if is_same else "inserted"
            rival = "another record of this payment" if is_same else best.payment_id
            detail = f"{rival} has this number and fits the chain"
            findings.append(found(INTEGRITY, other, kind, detail))
    return chain, findings


def _wrong_links(chain: Mapping[int, Link], anchors: Sequence[Anchor]) -> Iterator[Finding]:
    said: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        said.setdefault(anchor.seq, []).append(anchor)
    for seq, link in chain.items():
        after = chain.get(seq + 1)
        against = [each.source for each in said.get(seq, ()) if each.hash != link.hash]
        if link.faults:
            detail = "; ".join(link.faults)
        elif link.hash != link.computed:
            detail = "the record does not match its own hash"
        elif against:
            detail = f"{', '.join(dict.fromkeys(against))} has a different hash"
        elif after and after.hash == after.computed and after.prev_hash != link.hash:
            detail = f"#{seq + 1:06d} has a different hash for the entry before it"
        elif seq == 1 and link.prev_hash != GENESIS_HASH:
            detail = "the first entry names an entry before it"
        else:
            continue
        yield found(INTEGRITY, link, "altered", detail)


def _hung_elsewhere(chain: Mapping[int, Link], anchors: Sequence[Anchor]) -> Iterator[Finding]:
    """An entry that is not here is still named by the one after it."""
    for each in anchors:
        after = chain.get(each.seq + 1)
        if each.seq in chain or after is None or after.hash != after.computed:
            continue
        if after.prev_hash != each.hash:
            detail = f"{each.source} has a different hash for the entry before it"
            yield found(INTEGRITY, after, "altered", detail)


def _rival_anchors(anchors: Sequence[Anchor]) -> Iterator[Finding]:
    """Two sources that give one entry different hashes cannot both be right."""
    said: dict[int, dict[str, str]] = {}
    for each in anchors:
        said.setdefault(each.seq, {}).setdefault(each.hash, each.source)
    for seq, sources in said.items():
        if len(sources) > 1:
            detail = f"{' and '.join(sources.values())} disagree about its hash"
            yield Finding(INTEGRITY, anchors[0].event_id, seq, seq, "contradiction", "", detail)


# ── ops/offline/ledger/public_key.py ──────────────────────────────────────────────────────────────


_PEM = re.compile(
    rb"-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----", re.ASCII
)
_RSA = bytes.fromhex("06092a864886f70d0101010500")  # rsaEncryption, and no parameters
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo, before the digest
LEAST_BITS, MOST_BITS = 2_048, 16_384
MOST_EXPONENT = 2**32  # larger ones only take time
_SEQUENCE, _INTEGER, _BITS = 0x30, 0x02, 0x03


@dataclass(frozen=True, slots=True)
class PublicKey:
    """sha256: of the key in DER form, by which statements name it."""

    modulus: int
    exponent: int
    sha256: str

    def has_signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether this signature is the key's, of content with this SHA-256."""
        size = (self.modulus.bit_length() + 7) // 8
        if len(signature) != size:
            return False
        opened = pow(int.from_bytes(signature, "big"), self.exponent, self.modulus)
        told = _SHA256 + digest
        wanted = b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told
        return opened.to_bytes(size, "big") == wanted


def read_public_key(path: Path) -> PublicKey:
    """A PEM or DER file. Raises OSError, ValueError for another file."""
    return public_key_of(path.read_bytes(), str(path))


def public_key_of(content: bytes, name: str) -> PublicKey:
    """name: what it is read from. Raises ValueError for what is no such key."""
    pem = _PEM.search(content)
    try:
        der = base64.b64decode(pem[1]) if pem else content
        key = _inside(der, _SEQUENCE)[0]
        algorithm, rest = _inside(key, _SEQUENCE)
        bits, _ = _inside(rest, _BITS)
        numbers, _ = _inside(bits[1:], _SEQUENCE)
        modulus, rest = _inside(numbers, _INTEGER)
        exponent, _ = _inside(rest, _INTEGER)
    except (IndexError, ValueError) as error:
        raise ValueError(
            f"{name} is no public key: it must be the stack's, as PEM or DER"
        ) from error
    made = PublicKey(
        int.from_bytes(modulus, "big"),
        int.from_bytes(exponent, "big"),
        hashlib.sha256(der).hexdigest(),
    )
    is_usual = 3 <= made.exponent < MOST_EXPONENT and made.modulus.bit_length() <= MOST_BITS
    if algorithm != _RSA or made.modulus.bit_length() < LEAST_BITS or not is_usual:
        raise ValueError(f"{name} is no RSA key of {LEAST_BITS:,} bits or more")
    return made


def _inside(der: bytes, kind: int) -> tuple[bytes, bytes]:
    """The content of a value, and what follows it. Raises IndexError or ValueError."""
    if der[0] != kind:
        raise ValueError("another kind of value")
    length, start = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + count], "big"), 2 + count
    if start + length > len(der):
        raise ValueError("it ends early")
    return der[start : start + length], der[start + length :]


# ── ops/offline/ledger/seals.py ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Seal:
    """What holds one statement in its place. previous: the day before it and its hash, or empty.

    sha256: of the statement. key: SHA-256 of the public key that it names.
    """

    day: str
    is_final: bool
    sha256: str
    previous: tuple[str, str]
    key: str
    signature: bytes


def seal_of(record: Mapping[str, Any], sha256: str, signature: bytes) -> Seal:
    """Raises KeyError, TypeError or ValueError for what is no statement."""
    previous = record["previous"]
    named = (str(previous["day"]), str(previous["sha256"])) if previous is not None else ("", "")
    return Seal(
        day=date.fromisoformat(record["day"]).isoformat(),
        is_final=record["is_final"] is True,
        sha256=sha256,
        previous=named,
        key=str(record["key_sha256"]),
        signature=signature,
    )


def unsigned(seals: Iterable[Seal], key: PublicKey | None) -> set[str]:
    """SHA-256 of the statements that the key has not signed; without a key, none are."""
    every = [*seals] if key else []
    signed = {
        each.sha256
        for each in every
        if key and key.has_signed(bytes.fromhex(each.sha256), each.signature)
    }
    return {each.sha256 for each in every} - signed


def broken_seals(seals: Sequence[Seal], key: PublicKey | None) -> Iterator[Finding]:
    """key: of the stack; without it, only what the statements say of each other is compared."""
    final = sorted({each for each in seals if each.is_final}, key=lambda each: each.day)
    known = {(each.day, each.sha256) for each in final}
    days = {each.day for each in final}
    for each in final:
        before = (date.fromisoformat(each.day) - timedelta(1)).isoformat()
        day, sha256 = each.previous
        if not day and each.day != final[0].day:
            yield _broken(each, "says that it is the first, and there are earlier ones")
        elif day and day != before:
            yield _broken(each, f"follows {day[:10]}, not the day before it")
        elif day in days and (day, sha256) not in known:
            yield _broken(each, f"was made after another statement of {day} than the one here")
    yield from _other_keys(seals, key)
    for each in seals if key else ():
        if key and not key.has_signed(bytes.fromhex(each.sha256), each.signature):
            yield _broken(each, "is not signed by this key")


def _other_keys(seals: Sequence[Seal], key: PublicKey | None) -> Iterator[Finding]:
    named = {each.key for each in seals}
    if key is None and len(named) > 1:
        detail = f"statements name {len(named)} signing keys, and a stack has one"
        yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
    for each in seals if key else ():
        if key and each.key != key.sha256:
            yield _broken(each, "names another signing key than this one")


def _broken(seal: Seal, what: str) -> Finding:
    so_far = "" if seal.is_final else " so far"
    detail = f"the statement of {seal.day}{so_far} {what}"
    return Finding(INTEGRITY, "", 0, 0, "broken-seal", "", detail)


# ── ops/offline/ledger/expiry.py ──────────────────────────────────────────────────────────────────


class StatedDay(Protocol):
    """What a final statement says of one event's part of the day. sums: by kind and method."""

    @property
    def event_id(self) -> str: ...
    @property
    def day(self) -> str: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    @property
    def sums(self) -> Mapping[tuple[str, str], tuple[int, int]]: ...


def certificates_in(record: Mapping[str, Any]) -> dict[str, Certificate]:
    """Of one statement, by event.

    Raises KeyError, TypeError or ValueError for what is no statement.
    """
    certificates = {}
    for each in record["expiring"]:
        event_id = each["event_id"]
        if not (isinstance(event_id, str) and is_event_id(event_id)):
            raise ValueError("a certificate names an event as no event is named")
        certificates[event_id] = Certificate.from_record(each)
    return certificates


@dataclass(slots=True)
class Certificates:
    """Those of final statements, by event and by the statement's day."""

    by_event: dict[str, dict[str, Certificate]] = field(default_factory=dict)

    def take(self, certificates: Mapping[str, Certificate], day: str) -> list[Anchor]:
        """Of one statement, by event; returns the entries that they name."""
        anchors = []
        for event_id, certificate in certificates.items():
            self.by_event.setdefault(event_id, {})[day] = certificate
            source = f"the certificate of {day}"
            anchors.append(Anchor(event_id, certificate.through_seq, certificate.hash, source))
        return anchors

    def of(self, event_id: str) -> Certificate:
        """The last one of an event: every one covers all entries from the first."""
        of_event = self.by_event.get(event_id)
        return of_event[max(of_event)] if of_event else NOTHING_EXPIRES

    @property
    def through(self) -> dict[str, int]:
        """Through which number each event's entries may be gone."""
        return {each: self.of(each).through_seq for each in self.by_event}

    def findings(self, links: Iterable[Link], stated: Iterable[StatedDay]) -> Iterator[Finding]:
        """links: sound entries of any events. stated: what statements say of their days."""
        days: dict[str, list[StatedDay]] = {}
        for each in stated:
            days.setdefault(each.event_id, []).append(each)
        covered: dict[str, list[Link]] = {}
        through = self.through
        for link in links:
            if link.seq <= through.get(link.event_id, 0):
                covered.setdefault(link.event_id, []).append(link)
        for event_id, by_day in sorted(self.by_event.items()):
            before = NOTHING_EXPIRES
            for day, certificate in sorted(by_day.items()):
                problem = (
                    _less(before, certificate)
                    or _ledger_expiry_problem(certificate, day, covered.get(event_id, ()))
                    or _unlike_days(certificate, day, days.get(event_id, ()))
                )
                if problem:
                    detail = f"the certificate of {day} {problem}"
                    last = certificate.through_seq
                    yield Finding(INTEGRITY, event_id, 1, last, "wrong-certificate", "", detail)
                before = certificate

    def notes(self, links: Iterable[Link]) -> Iterator[str]:
        """What is not there and need not be. links: what is there."""
        there: dict[str, set[int]] = {}
        for link in links:
            there.setdefault(link.event_id, set()).add(link.seq)
        for event_id in sorted(self.by_event):
            through = self.of(event_id).through_seq
            gone = through - sum(each <= through for each in there.get(event_id, ()))
            if gone:
                yield (
                    f"{event_id}: {gone} of {span_text(1, through)} not here; their seven years "
                    f"are over, by the certificate of {max(self.by_event[event_id])}"
                )


def _unlike_days(certificate: Certificate, day: str, stated: Sequence[StatedDay]) -> str:
    """What was stated of a day when it was over outlives its entries."""
    last_day = last_day_to_certify(date.fromisoformat(day)).isoformat()
    inside = sorted(
        (each for each in stated if each.first_seq <= certificate.through_seq),
        key=lambda each: each.first_seq,
    )
    young = next((each for each in inside if each.day > last_day), None)
    if young:
        first = span_text(young.first_seq, 0)
        return f"covers {first}, which the statement of {young.day} has"
    reached, nets = 0, Counter[str]()
    for each in inside:
        if each.first_seq != reached + 1:
            return ""  # other days are stated elsewhere
        reached = each.last_seq
        for (kind, method), (_, cents) in each.sums.items():
            nets[method] += cents if kind == "payment" else -cents
    certified = Counter[str]()
    for method, cents in certificate.net_by_method.items():
        certified[counted_as(method)] += cents
    is_equal = all(nets[name] == certified[name] for name in nets | certified)
    is_other = reached == certificate.through_seq and not is_equal
    return "has other sums than the days it covers" if is_other else ""


def _less(before: Certificate, certificate: Certificate) -> str:
    """A later certificate covers more entries."""
    if certificate.through_seq > before.through_seq:
        return ""
    return f"ends at {span_text(certificate.through_seq, 0)}, and an earlier one does not"


def _ledger_expiry_problem(certificate: Certificate, day: str, links: Sequence[Link]) -> str:
    inside = [each for each in links if each.seq <= certificate.through_seq]
    last_day = last_day_to_certify(date.fromisoformat(day)).isoformat()
    for each in inside:
        if each.logged_day > last_day:
            return f"covers {span_text(each.seq, 0)}, which was logged on {each.logged_day}"
    gone = expired(certificate, inside)
    if not gone.count and (gone.net_by_method or gone.payments_count):
        return "has other sums than its entries"
    return ""


# ── ops/offline/ledger/sums.py ────────────────────────────────────────────────────────────────────


Sums = dict[tuple[str, str], tuple[int, int]]  # (kind, method): count and cents
_KINDS = {"payments": "payment", "voids": "void", "refunds": "refund"}


def sums_of(links: Iterable[Link]) -> Sums:
    sums: Sums = {}
    for link in links:
        add_sum(sums, link.kind, link.method, 1, link.amount_cents)
    return sums


def add_sum(sums: Sums, kind: str, method: str, count: int, cents: int) -> None:
    name = (kind, counted_as(method))
    before = sums.get(name, (0, 0))
    sums[name] = (before[0] + count, before[1] + cents)


def sums_in(of: Mapping[str, Any]) -> Sums:
    """Of an event or a whole statement."""
    sums: Sums = {}
    for name, kind in _KINDS.items():
        for method, one in of.get(name, {}).get("by_method", {}).items():
            add_sum(sums, kind, method, whole(one["count"]), whole(one["cents"]))
    return sums


def net_of(sums: Sums) -> int:
    return sum(cents if kind == "payment" else -cents for (kind, _), (_, cents) in sums.items())


def whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a statement counts in whole numbers")
    return value


# ── ops/offline/ledger/days.py ────────────────────────────────────────────────────────────────────


MOST_NAME = 100  # characters of a name that is none
MOST_RIVALS = 10  # final statements of one day that are read; two are already a finding


@dataclass(frozen=True, slots=True)
class Stated:
    """What a final statement says of one event's part of the day."""

    event_id: str
    day: str
    first_seq: int
    last_seq: int
    entries: int
    net_cents: int
    sums: Sums


@dataclass(slots=True)
class Statements:
    """All statements of a mailbox. sha256: of each day's final ones.

    timezones: of the days; final_timezones: those that final statements name. seals: what holds
    each in its place. named: the ids and hashes of operators' records that each final statement
    names, by its own hash. unfit: what statements name that no event has, by day and hash: it is
    passed over, and the rest is believed.
    """

    anchors: list[Anchor] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    sha256: dict[str, set[str]] = field(default_factory=dict)
    timezones: set[str] = field(default_factory=set)
    final_timezones: set[str] = field(default_factory=set)
    seals: list[Seal] = field(default_factory=list)
    certificates: Certificates = field(default_factory=Certificates)
    named: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    unfit: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def take(self, record: Mapping[str, Any], sha256: str, signature: bytes) -> str:
        """Take one statement.json; returns what it contradicts itself in, or an empty text.

        Raises KeyError, TypeError or ValueError for what is not a statement.
        """
        day = date.fromisoformat(record["day"]).isoformat()
        every = [_stated(event, day) for event in record["events"]]
        stated = [each for each in every if is_event_id(each.event_id)]
        unfit = [repr(each.event_id) for each in every if not is_event_id(each.event_id)]
        anchors = []
        for event in record["events"]:
            named, ends = _anchors(event, day)
            anchors += named
            unfit += ends
        if len({each.event_id for each in stated}) < len(stated):
            return "it names an event twice"
        certificates = certificates_in(record)
        ops = [(str(each["ops_id"]), str(each["sha256"])) for each in record["ops"]]
        self.seals.append(seal_of(record, sha256, signature))
        timezone = str(record.get("timezone") or "")[:100]
        self.anchors += anchors
        if unfit:
            self.unfit[day, sha256] = unfit
        self.timezones |= {timezone} - {""}
        if record["is_final"]:
            self.final_timezones |= {timezone} - {""}
            self.anchors += self.certificates.take(certificates, day)
            self.named.setdefault(sha256, ops)
            known = self.sha256.setdefault(day, set())
            if sha256 not in known and len(known) < MOST_RIVALS:
                self.stated += [each for each in stated if each.entries]
            known.add(sha256)
        return _sum_problem(record, every)

    @property
    def zone(self) -> ZoneInfo | None:
        """Of business days; None if statements name none or several, or this computer lacks it."""
        named = self.final_timezones or self.timezones
        return zone_called(next(iter(named))) if len(named) == 1 else None

    def ops(self, key: PublicKey | None = None) -> dict[str, set[str]]:
        """Operators' records by id, each with the hashes that statements signed by the key name."""
        doubted, ops = unsigned(self.seals, key), dict[str, set[str]]()
        for sha256, named in self.named.items():
            for ops_id, ops_sha256 in named if sha256 not in doubted else ():
                ops.setdefault(ops_id, set()).add(ops_sha256)
        return ops

    @property
    def begin(self) -> bool:
        """Whether the first one of all, which follows none, is here."""
        return any(each.is_final and not each.previous[0] for each in self.seals)

    def findings(
        self,
        links: Sequence[Link],
        doubted: Sequence[Finding] = (),
        excused: Collection[str] = (),
    ) -> Iterator[Finding]:
        """links: the mailbox's entries, or the ledger's. doubted: what is wrong with them.

        excused: days whose statement may be gone.
        """
        for day, different in sorted(self.sha256.items()):
            if len(different) > 1:
                detail = f"{len(different)} different final statements for {day}"
                yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
        for (day, _), unfit in sorted(self.unfit.items()):
            detail = f"the statement of {day} names what no event has: {few(unfit)}"
            yield Finding(INTEGRITY, "", 0, 0, "no-event", "", detail)
        yield from self._wrong_zones()
        yield from _missing_days({*self.sha256, *excused})
        yield from self._entries_in_stated_days(links)
        doubtful = {(each.event_id, each.seq) for each in doubted}
        sound = [
            each for each in links if each.is_sound and (each.event_id, each.seq) not in doubtful
        ]
        yield from self._wrong_sums(sound)
        yield from self.certificates.findings(sound, self.stated)

    def _wrong_zones(self) -> Iterator[Finding]:
        """A statement with another zone must not switch the check of days off."""
        named = sorted(each[:60] for each in self.timezones)
        if len(named) > 1:
            detail = f"statements name {len(named)} time zones: {', '.join(named[:5])}"
            yield Finding(INTEGRITY, "", 0, 0, "contradiction", "", detail)
        elif named and self.zone is None and has_zones():
            detail = f"statements name {named[0]}, which is no time zone"
            yield Finding(INTEGRITY, "", 0, 0, "altered", "", detail)

    def _entries_in_stated_days(self, links: Iterable[Link]) -> Iterator[Finding]:
        """A day's final statement is its last word: no entry may join the day later."""
        of_day = {(each.event_id, each.day): each for each in self.stated}
        later = _Later(self.stated)
        for link in links:
            if not link.is_sound:
                continue
            own = of_day.get((link.event_id, link.logged_day))
            is_stated = link.logged_day in self.sha256
            if is_stated and not (own and own.first_seq <= link.seq <= own.last_seq):
                detail = f"the statement of {link.logged_day} does not have it"
            elif later_day := later.day_of(link):
                detail = f"the statement of {later_day} has it on a later day"
            else:
                continue
            yield found(INTEGRITY, link, "back-dated", detail)

    def _wrong_sums(self, links: Iterable[Link]) -> Iterator[Finding]:
        """Sums are compared where every entry of the day is here, once, and sound."""
        by_day: dict[tuple[str, str], list[Link]] = {}
        wanted = {(each.event_id, each.day) for each in self.stated}
        for link in links:
            if link.is_sound and (link.event_id, link.logged_day) in wanted:
                by_day.setdefault((link.event_id, link.logged_day), []).append(link)
        for each in self.stated:
            of_day = by_day.get((each.event_id, each.day), ())
            there = {e.seq: e for e in of_day if each.first_seq <= e.seq <= each.last_seq}
            if gaps(seq - each.first_seq + 1 for seq in there) or each.last_seq not in there:
                continue
            if sums_of(there.values()) != each.sums or len(there) != each.entries:
                detail = f"the statement of {each.day} has other sums than its entries"
                numbers = (each.first_seq, each.last_seq)
                yield Finding(INTEGRITY, each.event_id, *numbers, "wrong-sums", "", detail)


class _Later:
    """For each event and day, the least number that statements of later days begin with."""

    def __init__(self, stated: Iterable[Stated]) -> None:
        self._days: dict[str, list[str]] = {}  # ascending
        self._least: dict[str, list[tuple[int, str]]] = {}  # from that day on
        by_event: dict[str, list[Stated]] = {}
        for each in stated:
            by_event.setdefault(each.event_id, []).append(each)
        for event_id, days in by_event.items():
            days.sort(key=lambda each: each.day)
            self._days[event_id] = [each.day for each in days]
            firsts = [(each.first_seq, each.day) for each in reversed(days)]
            self._least[event_id] = list(accumulate(firsts, min))[::-1]

    def day_of(self, link: Link) -> str:
        """The later day that claims to begin before this entry, or an empty text."""
        at = bisect_right(self._days.get(link.event_id, ()), link.logged_day)
        rest = self._least.get(link.event_id, ())
        seq, day = rest[at] if at < len(rest) else (0, "")
        return day if day and seq <= link.seq else ""


def _anchors(event: Mapping[str, Any], day: str) -> tuple[list[Anchor], list[str]]:
    """Also what it names instead of an entry: nobody can write a head that stops the check."""
    anchors, unfit = [], []
    for which in ("last", "head") if is_event_id(_name_of(event)) else ():
        seq, digest = event[f"{which}_seq"], event[f"{which}_hash"]
        if type(seq) is not int or not 0 <= seq < MOST_ENTRIES or not isinstance(digest, str):
            unfit.append(f"the {which} entry of {event['event_id']}")
        elif seq:
            anchors.append(Anchor(event["event_id"], seq, digest, f"the statement of {day}"))
    return anchors, unfit


def _name_of(event: Mapping[str, Any]) -> str:
    return event["event_id"] if isinstance(event["event_id"], str) else ""


def few(names: Sequence[str]) -> str:
    """The first one of many, and how many more."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return names[0][:MOST_NAME] + more


def _stated(event: Mapping[str, Any], day: str) -> Stated:
    return Stated(
        event_id=_name_of(event),
        day=day,
        first_seq=whole(event["first_seq"]),
        last_seq=whole(event["last_seq"]),
        entries=whole(event["entries"]),
        net_cents=whole(event["net_cents"]),
        sums=sums_in(event),
    )


def _sum_problem(record: Mapping[str, Any], stated: Sequence[Stated]) -> str:
    added: Sums = {}
    for each in stated:
        for name, (count, cents) in each.sums.items():
            add_sum(added, *name, count, cents)
    if added != sums_in(record):
        return "its sums are not those of its events"
    if any(net_of(each.sums) != each.net_cents for each in stated) or net_of(added) != record.get(
        "net_cents", 0
    ):
        return "its net is not what its sums add up to"
    if sum(each.entries for each in stated) != record.get("entries", 0):
        return "its count of entries is not that of its events"
    return ""


def _missing_days(days: Iterable[str]) -> Iterator[Finding]:
    """A statement is sent every day: none may be missing between the first and the last."""
    for first, last in lost_days(days):
        detail = f"no statement for {first}" + (f" to {last}" if last > first else "")
        yield Finding(COMPLETENESS, "", 0, 0, "no-statement", "", detail)


def lost_days(days: Iterable[str]) -> list[tuple[date, date]]:
    """The gaps between these days, each by its first and last one."""
    known = sorted(date.fromisoformat(each) for each in days)
    return [
        (before + timedelta(1), after - timedelta(1))
        for before, after in pairwise(known)
        if (after - before).days > 1
    ]


# ── ops/offline/mail/page.py ──────────────────────────────────────────────────────────────────────


class SeenPage(HTMLParser):
    """rows: cells of tables, one line each. lines: other blocks of text.

    links: address and text of each. said: all text in its order, a link's address after its text.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[tuple[str, ...]] = []
        self.lines: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.said: list[str] = []
        self._address = ""
        self._linked: list[str] = []
        self._cells: list[str] | None = None
        self._text: list[str] = []
        self._is_head = False
        with suppress(AssertionError):  # a declaration that HTMLParser cannot take apart
            self.feed(html)
            self.close()
        self._end_line()

    def cell_of(self, label: str) -> str:
        """The value of the first row with this label, or an empty text."""
        return next((row[1] for row in self.rows if len(row) == 2 and row[0] == label), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "head":
                self._is_head = True
            case "tr":
                self._end_line()
                self._cells = []
            case "td" | "th":
                self._text = []
            case "a":
                self._address, self._linked = dict(attrs).get("href") or "", []
            case "strong":
                pass
            case _:
                self._end_line()

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "head":
                self._is_head, self._text = False, []
            case "tr":
                if self._cells is not None:
                    self.rows.append(tuple(self._cells))
                self._cells = None
            case "td" | "th" if self._cells is not None:
                self._cells.append(one_space("".join(self._text)))
                self._text = []
            case "a":
                self.links.append((self._address, one_space("".join(self._linked))))
                self.said.append(self._address)
            case "strong":
                pass
            case _:
                self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._is_head:
            self.said.append(data)
            self._text.append(data)
            self._linked.append(data)

    def _end_line(self) -> None:
        text, self._text = one_space("".join(self._text)), []
        if text and self._cells is None:
            self.lines.append(text)


def one_space(text: str) -> str:
    return " ".join(text.split())


def plain(text: str) -> str:
    """Data as a mail shows it and as it is read back."""
    return one_space(as_shown(text))


def squeezed(text: str) -> str:
    """Text as mail programs cannot change it: without spaces and marks around words."""
    return re.sub(r"[\s*_:>-]", "", text)


def letters(text: str) -> str:
    """Text as Gmail cannot change it when it makes the plain text anew from the HTML."""
    return re.sub(r"[\W_]+", "", text).casefold()


def unspaced(text: str) -> str:
    """A header's text: encoding it in several words may lose or add a space."""
    return "".join(text.split())


# ── ops/offline/mail/others.py ────────────────────────────────────────────────────────────────────


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
        _mail_others_digest(utc(record["logged_at"]), plain(who)) + _mail_others_digest(*cells_of(record)) + _mail_others_digest(reason)
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
        "logger or time" if other.at and _mail_others_digest(other.at, other.by) != told[:8]
        else "value before or after" if quote.cells and _mail_others_digest(*quote.cells) != told[8:16]
        else "reason" if quote.reason and _mail_others_digest(quote.reason) != told[16:]
        else ""
    )  # fmt: skip
    is_wrong = told and wrong
    return f"has another {wrong} for {other.name} than that entry's mail" if is_wrong else ""


def _mail_others_digest(*words: str) -> bytes:
    return hashlib.sha256("\0".join(words).encode()).digest()[:8]


# ── ops/offline/mail/shown.py ─────────────────────────────────────────────────────────────────────


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
    return _mail_shown_problem(expected, seen), [*others.quotes, *numbers]


def ops_problem(record: Mapping[str, Any], sha256: str, seen: Seen) -> str:
    """The first difference between a mail and the record of what operators did."""
    expected = Expected(
        subject=ops_subject(record),
        token=search_token(str(record["ops_id"])),
        attachment=ops_file(record),
        page=ops_page(record, sha256),
    )
    return _mail_shown_problem(expected, seen)


def statement_problem(record: Mapping[str, Any], sha256: str, statement_id: str, seen: Seen) -> str:
    """The first difference between a mail and its statement. statement_id: of its delivery."""
    token = search_token(statement_id)
    expected = Expected(
        subject=statement_subject(record),
        token=token,
        attachment="statement.json",
        page=statement_page(record, sha256, token),
    )
    return _mail_shown_problem(expected, seen)


def _mail_shown_problem(expected: Expected, seen: Seen) -> str:
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
        original=_mail_shown_told(entry, others.original, others, 0) if others.original.seq else None,
        replacement=_mail_shown_told(entry, others.replacement, others, 1) if others.replacement.seq else None,
        void=(
            replace(_mail_shown_told(entry, others.void, others, None), reason=others.reason)
            if others.void.seq
            else None
        ),
        numbers={
            payment_id: int(number)
            for number, payment_id in _NUMBERED.findall(duplicates)
            if payment_id in entry.acknowledged_duplicates
        },
    )


def _mail_shown_told(entry: LedgerEntry, other: Other, others: Others, column: int | None) -> LedgerEntry:
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


# ── ops/offline/operators.py ──────────────────────────────────────────────────────────────────────


UNRECORDED = "unrecorded-reissue"
NOT_SEALED = "not sealed yet"  # no statement of its day is there so far
_CLOCK_MS = 300_000  # by which an operator's clock and ours may differ
_MOST_SHOWN = 60  # characters of what a header calls a run


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person explained, so that it is no fault any more. at: epoch milliseconds."""

    finding: MailFinding
    who: str
    at: int
    reason: str

    @property
    def about(self) -> str:
        return self.finding.own_id

    def told(self) -> str:
        return f"settled by {self.who}, {utc(self.at)}: {self.reason} ({self.finding.ops_id})"


@dataclass(frozen=True, slots=True)
class Reissued:
    """An entry's mail that operators had sent once more. at: epoch milliseconds."""

    run: str
    payment_id: str
    at: int

    @property
    def about(self) -> str:
        return self.payment_id


@dataclass(frozen=True, slots=True)
class Unsealed:
    """What an operators' mail says that no statement names, so it does not count. why: in words."""

    said: Settlement | Reissued
    why: str

    def told(self) -> str:
        if isinstance(self.said, Reissued):
            return f"the mail of {self.said.about} was issued again, {self.why}"
        who = self.said.told().removeprefix("settled ")
        return f"the {self.said.finding.kind} mail of {self.said.about}: settled, {self.why}, {who}"


@dataclass(frozen=True, slots=True)
class OpsMail:
    """The mail of an ops record. sha256: of its record. at: epoch milliseconds.

    said: what it settles, or has issued again; None for other records, and for a mail that does not
    show what its record says.
    """

    ops_id: str
    sha256: str
    where: str
    at: int = 0
    said: Settlement | Reissued | None = None


@dataclass(frozen=True, slots=True)
class Operators:
    """What operators' records say. wrong: about mails of records that cannot be right.

    unsealed: what counts for nothing until a statement names it.
    """

    settlements: Sequence[Settlement] = ()
    reissues: Sequence[Reissued] = ()
    wrong: Sequence[Finding] = ()
    unsealed: Sequence[Unsealed] = ()

    def with_unsealed(self) -> Operators:
        """As if statements named all of it."""
        more = operators_of(each.said for each in self.unsealed)
        settlements = [*self.settlements, *more.settlements]
        return Operators(settlements, [*self.reissues, *more.reissues], self.wrong)

    @property
    def lost(self) -> dict[str, Settlement]:
        """Whose loss is settled, by their ids. A mail that was issued again later may be lost."""
        issued = {each.payment_id: each.at for each in sorted(self.reissues, key=_offline_operators_moment)}
        return {
            each.finding.own_id: each
            for each in self.settlements
            if each.finding.kind == "missing" and issued.get(each.finding.own_id, 0) <= each.at
        }


def _offline_operators_moment(said: Settlement | Reissued) -> int:
    return said.at


def said_in(record: Mapping[str, Any]) -> Settlement | Reissued | None:
    """What one ops record says; None for a record that says nothing of a mail."""
    try:
        match record["action"], record["phase"]:
            case "reissue", "planned":
                return _offline_operators_reissued(record)
            case "ack", "done":
                return _settlement(record)
    except (LookupError, ValueError, TypeError, AttributeError):
        pass  # not as ours are
    return None


def _offline_operators_reissued(record: Mapping[str, Any]) -> Reissued | None:
    run, payment_id = str(record["run"]), str(record["filter"])
    is_own = record["ops_id"] == f"{run}_planned"
    return Reissued(run, payment_id, _at(record)) if is_own else None


def _settlement(record: Mapping[str, Any]) -> Settlement | None:
    """The id of the record is made from what it settles: it can settle nothing else."""
    named = frozenset(str(each).split()[0] for each in record["messages"]) - {"-"}
    for kind in get_args(FindingKind):
        finding = MailFinding(kind, str(record["filter"]), named)
        if finding.ops_id == record["ops_id"]:
            return Settlement(finding, str(record["who"]), _at(record), str(record["reason"]))
    return None


def _at(record: Mapping[str, Any]) -> int:
    """Raises ValueError for what no calendar has."""
    at = moment_of(record, "at")
    if at is None:
        raise ValueError("at is no moment")
    return at


def operators_of(said: Iterable[Settlement | Reissued | None]) -> Operators:
    every = [*said]
    return Operators(
        settlements=[each for each in every if isinstance(each, Settlement)],
        reissues=[each for each in every if isinstance(each, Reissued)],
    )


def operators_in(
    mails: Sequence[OpsMail],
    statements: Statements,
    logged: Mapping[str, int],
    key: PublicKey | None = None,
) -> Operators:
    """What operators' mails say, as far as final statements name their records.

    logged: when entries were logged, in epoch milliseconds, by their ids. key: that signs.
    """
    digests: dict[str, set[str]] = {}
    for each in mails:
        digests.setdefault(each.ops_id, set()).add(each.sha256)
    stated, wrong, unsealed = statements.ops(key), list[Finding](), list[Unsealed]()
    believed: list[Settlement | Reissued | None] = []
    for each in mails:
        named, day = stated.get(each.ops_id), _offline_operators_day_of(each, statements)
        problem = (
            _unlike_statements(each, day, named, statements)
            or _too_early(each, logged)
            or _rivals(each, named, digests[each.ops_id])
        )
        if problem:
            kind, told = problem
            wrong.append(Finding(INTEGRITY, "", 0, 0, kind, "", f"{each.where}: {told}"))
        elif named:
            believed.append(each.said)
        elif each.said:
            unsealed.append(Unsealed(each.said, _why_unsealed(day, statements)))
    operators = operators_of(believed)
    return Operators(operators.settlements, operators.reissues, wrong, unsealed)


def _unlike_statements(
    mail: OpsMail, day: str, named: Collection[str] | None, statements: Statements
) -> tuple[str, str] | None:
    """A kind of finding, and words. named: the hashes that statements give its record."""
    name = mail.ops_id[:100]
    if named and mail.sha256 not in named:
        return "altered", f"the ops record {name} differs from the statement that names it"
    if named or not day:
        return None
    if day in statements.sha256:
        return "inserted", f"the statement of {day} does not name the ops record {name}"
    if mail.said and statements.begin and day < min(statements.sha256):
        return "back-dated", f"the ops record {name} is from before the first statement"
    return None


def _too_early(mail: OpsMail, logged: Mapping[str, int]) -> tuple[str, str] | None:
    """Nobody settles, or issues again, what is not logged yet."""
    about = mail.said.about if mail.said else ""
    if mail.at + _CLOCK_MS >= logged.get(about, 0):
        return None
    return "back-dated", f"the ops record {mail.ops_id[:100]} is older than {about}"


def _rivals(
    mail: OpsMail, named: Collection[str] | None, digests: Collection[str]
) -> tuple[str, str] | None:
    """digests: of all records with its id."""
    if named or len(digests) == 1:
        return None
    return "contradiction", f"another mail has another ops record {mail.ops_id[:100]}"


def _why_unsealed(day: str, statements: Statements) -> str:
    if day and day < max(statements.sha256, default=""):
        return f"and the statement of {day} is not here"
    return NOT_SEALED


def _offline_operators_day_of(mail: OpsMail, statements: Statements) -> str:
    """Empty where it is not known."""
    try:
        return business_day(mail.at, statements.zone) if statements.zone else ""
    except (OverflowError, ValueError, OSError):
        return ""


def unrecorded(links: Sequence[Link], operators: Operators) -> Iterator[Finding]:
    """Mails that say that they were issued again, and that no sealed record of operators knows.

    They do not stand in for the entry's own mail.
    """
    named = {(each.run, each.payment_id) for each in operators.reissues}
    waiting = {
        (each.said.run, each.said.payment_id): each.why
        for each in operators.unsealed
        if isinstance(each.said, Reissued)
    }
    unnamed = [
        each for each in links if each.reissue and (each.reissue, each.payment_id) not in named
    ]
    if not unnamed:
        return
    strange = {id(each) for each in unnamed}
    mailed = {(each.event_id, each.payment_id) for each in links if id(each) not in strange}
    for each in unnamed:
        run, why = each.reissue[:_MOST_SHOWN], waiting.get((each.reissue, each.payment_id))
        if why is None:
            detail = f"a reissue without a record: no operators' record {run}_planned tells of it"
            yield found(INTEGRITY, each, UNRECORDED, detail)
        if (each.event_id, each.payment_id) not in mailed:
            told = f"a reissue: {why}" if why else "a reissue without a record"
            detail = f"its own mail is not here, only {told}"
            yield found(COMPLETENESS, each, "missing", detail)


# ── ops/offline/box.py ────────────────────────────────────────────────────────────────────────────


MOST_NOTES = 50


@dataclass(frozen=True, slots=True)
class Copy:
    """A record in a mail that is not its own, such as a forward. hash, logged_at: that it has."""

    payment_id: str
    where: str
    hash: str
    logged_at: int


@dataclass(slots=True)
class Party:
    """A sender or recipient. mails: those with this address. named: the first of them."""

    mails: int = 0
    named: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Mailbox:
    """What a mailbox contains. wrong: findings about single mails.

    copies: the same mail again, as labels and folders make them. forwards: mails about ours.
    held: records in forwards, by event and number. seen: each own mail's digest, and whether it is
    anywhere but in trash or spam. labels: of our mails, those that mean nothing to us. unsearched:
    mails of others that are too large to be searched for copies. notes: what is no finding.
    """

    links: list[Link] = field(default_factory=list)
    statements: Statements = field(default_factory=Statements)
    ops: list[OpsMail] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)
    mails: int = 0
    statement_mails: int = 0
    copies: int = 0
    forwards: int = 0
    held: dict[tuple[str, int], Copy] = field(default_factory=dict)
    quotes: list[Quote] = field(default_factory=list)
    senders: dict[str, Party] = field(default_factory=dict)
    recipients: dict[str, Party] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    unsearched: int = 0
    notes: list[str] = field(default_factory=list)
    seen: dict[bytes, bool] = field(default_factory=dict)
    misplaced: dict[bytes, Finding] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        """Anybody may fill a mailbox with odd mails: the first ones are told."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(sentence)

    @property
    def anchors(self) -> list[Anchor]:
        return self.statements.anchors

    @property
    def vouched_copies(self) -> dict[tuple[str, int], Copy]:
        """Those that the chain or a statement vouches for: anybody can forward what he made up."""
        if not self.held:
            return {}
        said = {(each.event_id, each.seq, each.hash) for each in self.anchors}
        said |= {
            (each.event_id, each.seq - 1, each.prev_hash) for each in self.links if each.is_sound
        }
        return {place: each for place, each in self.held.items() if (*place, each.hash) in said}

    def operators(self, key: PublicKey | None = None) -> Operators:
        """What operators say, by the mails that are here. key: that signs statements."""
        logged = {each.payment_id: each.logged_at for each in self.vouched_copies.values()}
        logged |= {each.payment_id: each.logged_at for each in self.links if each.is_sound}
        return operators_in(self.ops, self.statements, logged, key)

    @property
    def is_empty(self) -> bool:
        """No mail of ours is in it."""
        return not (self.links or self.anchors or self.wrong or self.ops or self.statement_mails)


# ── ops/offline/settled.py ────────────────────────────────────────────────────────────────────────


NO_MAIL = "its mail is not here"  # of an entry whose record is
_offline_settled_STATEMENT = re.compile(r"statement_(\d{4}-\d\d-\d\d)_final_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Settled:
    """by: one of these, or, for numbers that no mail tells apart, all of them."""

    finding: Finding
    by: tuple[Settlement, ...]

    def told(self) -> str:
        return "; ".join(each.told() for each in self.by)


@dataclass(slots=True)
class Judged:
    """findings: what is wrong. settled: what a person explained. notes: about what was not."""

    findings: list[Finding]
    settled: list[Settled] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def excused_days(settlements: Iterable[Settlement]) -> dict[str, Settlement]:
    """The days whose final statement's mail may be gone."""
    named = ((_offline_settled_STATEMENT.fullmatch(each.finding.own_id), each) for each in settlements)
    return {match[1]: each for match, each in named if match and each.finding.kind == "missing"}


def settled_days(statements: Statements, excused: Mapping[str, Settlement]) -> Iterator[Settled]:
    known = statements.sha256
    for day, by in sorted(excused.items()):
        if day not in known and min(known, default=day) < day < max(known, default=day):
            detail = f"no statement for {day}"
            yield Settled(Finding(COMPLETENESS, "", 0, 0, "no-statement", "", detail), (by,))


def judged(box: Mailbox, operators: Operators, findings: Iterable[Finding]) -> Judged:
    """findings: before they are merged."""
    lost, result = operators.lost, Judged([])
    whose = _whose(box, lost)
    waiting = {each.said.about: each.why for each in operators.unsealed if _settles(each)}
    mails = mails_of(box.links)
    twice = {each.finding.own_id: each for each in operators.settlements if _is_twice(each)}
    for each in findings:
        payment_id = each.payment_id
        if each.kind == "missing" and not payment_id and each.seq:
            _split(each, whose.get(each.event_id, {}), lost, result)
        elif _is_about_its_mail(each) and payment_id in lost:
            result.settled.append(Settled(each, (lost[payment_id],)))
        elif (
            each.kind == "duplicate"
            and payment_id in twice
            and mails[payment_id] <= len(twice[payment_id].finding.gmail_ids)
        ):
            result.settled.append(Settled(each, (twice[payment_id],)))
        elif payment_id in waiting and _is_about_its_mail(each):
            detail = f"{each.detail}; settled, {waiting[payment_id]}".removeprefix("; ")
            result.findings.append(replace(each, detail=detail))
        else:
            result.findings.append(each)
    named = {own_id for numbers in whose.values() for own_id in numbers.values()}
    _settle_by_count(box, {own: lost[own] for own in lost.keys() - named}, result)
    result.settled += settled_days(box.statements, excused_days(operators.settlements))
    there = {each.payment_id for each in box.links}
    gone = {own_id: each for own_id, each in lost.items() if _is_gone(own_id, there)}
    notes = [*_offline_settled_notes(operators, gone, result), *(each.told() for each in operators.unsealed)]
    result.notes += notes[:MOST_NOTES]
    if len(notes) > MOST_NOTES:
        result.notes.append(f"{len(notes) - MOST_NOTES} more were settled and are named")
    return result


def _is_about_its_mail(finding: Finding) -> bool:
    """Not of a record that is not here, or of a relative."""
    return finding.kind == "misplaced" or (finding.kind == "missing" and finding.detail == NO_MAIL)


def _settles(unsealed: Unsealed) -> bool:
    said = unsealed.said
    return isinstance(said, Settlement) and said.finding.kind == "missing"


def _is_twice(settlement: Settlement) -> bool:
    return settlement.finding.kind == "duplicate"


def mails_of(links: Iterable[Link]) -> Counter[str]:
    """How many mails an entry has, by its id, of those that it should have once."""
    counts = Counter((each.payment_id, each.sha256, each.reissue) for each in links)
    most: Counter[str] = Counter()
    for (payment_id, _, _), count in counts.items():
        most[payment_id] = max(most[payment_id], count)
    return most


def _whose(box: Mailbox, lost: Mapping[str, Settlement]) -> dict[str, dict[int, str]]:
    """Lost mails' payments by event and number, ascending, by copies that are vouched for."""
    named: dict[str, dict[int, str]] = {}
    copies = box.vouched_copies.items() if lost else ()
    for (event_id, seq), each in sorted(copies, key=lambda one: one[0]):
        if each.payment_id in lost:
            named.setdefault(event_id, {})[seq] = each.payment_id
    return named


def _split(
    missing: Finding,
    whose: Mapping[int, str],
    lost: Mapping[str, Settlement],
    result: Judged,
) -> None:
    """Take the numbers that are settled out of a range of missing ones. whose: of its event."""
    first, numbers = missing.seq, [*whose]
    start, end = bisect_left(numbers, missing.seq), bisect_right(numbers, missing.last_seq)
    for seq in numbers[start:end]:
        own_id = whose[seq]
        if first < seq:
            result.findings.append(replace(missing, seq=first, last_seq=seq - 1))
        one = replace(missing, seq=seq, last_seq=seq, payment_id=own_id)
        result.settled.append(Settled(one, (lost[own_id],)))
        first = seq + 1
    if first <= missing.last_seq:
        result.findings.append(replace(missing, seq=first))


def _settle_by_count(box: Mailbox, lost: Mapping[str, Settlement], result: Judged) -> None:
    """If all that was settled must be among the missing, and nothing else can be."""
    there = {each.payment_id for each in box.links}
    gone = [lost[own_id] for own_id in sorted(lost) if _is_gone(own_id, there)]
    missing = [each for each in result.findings if _is_numbered_only(each)]
    count = sum(each.last_seq - each.seq + 1 for each in missing)
    if gone and count == len(gone) and _must_have(box.statements):
        result.findings = [each for each in result.findings if not _is_numbered_only(each)]
        result.settled += (Settled(each, tuple(gone)) for each in missing)


def _is_gone(own_id: str, there: set[str]) -> bool:
    return own_id not in there and not own_id.startswith(("ops_", "statement_"))


def _is_numbered_only(finding: Finding) -> bool:
    return finding.kind == "missing" and finding.seq > 0 and not finding.payment_id


def _must_have(statements: Statements) -> bool:
    """Whether the statements here name a number for every entry that they say was settled.

    That takes every day's statement, from the first one on, and no entry that expired.
    """
    is_whole = statements.begin and not lost_days(statements.sha256)
    return is_whole and not statements.certificates.through


def _offline_settled_notes(operators: Operators, lost: Mapping[str, Settlement], result: Judged) -> Iterator[str]:
    """What operators settled and is a finding nevertheless."""
    used = {by.finding.ops_id for each in result.settled for by in each.by}
    altered = {each.payment_id for each in result.findings if each.kind == "altered"}
    is_short = any(_is_numbered_only(each) for each in result.findings)
    for each in operators.settlements:
        own_id = each.finding.own_id
        if each.finding.ops_id in used:
            continue
        if each.finding.kind == "altered" and own_id in altered:
            yield (
                f"an altered mail of {own_id} was {each.told()}: an export does not say which one, "
                "so it is named"
            )
        elif each.finding.kind == "missing" and is_short and own_id in lost:
            yield (
                f"the loss of the mail of {own_id} was {each.told()}: no mail here says which "
                "number that is"
            )


# ── ops/offline/formats.py ────────────────────────────────────────────────────────────────────────


MOST_KEPT = 5 * 2**20  # bytes of one mail; of the rest we only see where it ends
MOST_RATIO = 200  # a zip's content to its size; mails shrink to a fifth
_SEPARATOR = re.compile(rb"From \S")  # mbox: every mail starts with it, after an empty line
_QUOTED = re.compile(rb">+From ")
_HEADER = re.compile(rb"[!-9;-~]+:")
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*(\d{1,12})\s*$")
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)  # OSError: bzip2's
_BOM = b"\xef\xbb\xbf"
_EXPORT = "export the mailbox as .mbox, or give the zip that Google Takeout made"
_MBOXCL2 = f"it is an mboxcl2 file, whose mails cannot be told apart: {_EXPORT}"
_BLANK = frozenset({b"\n", b"\r\n", b"\r\r\n", b"\r"})
_UNREADABLE = {
    b"\x1f\x8b": "it is compressed by gzip: unpack it with gunzip and check the .mbox inside",
    b"BZh": "it is compressed by bzip2: unpack it and check the .mbox inside",
    b"\xfd7zXZ": "it is compressed by xz: unpack it and check the .mbox inside",
    b"7z\xbc\xaf": f"it is a 7-Zip archive: unpack it, or {_EXPORT}",
    b"Rar!": f"it is a RAR archive: unpack it, or {_EXPORT}",
    b"\xff\xfe": f"it is UTF-16 text, as editors save it: {_EXPORT} and do not edit it",
    b"\xfe\xff": f"it is UTF-16 text, as editors save it: {_EXPORT} and do not edit it",
    b"!BDN": f"it is an Outlook data file: {_EXPORT}",
    b"\xd0\xcf\x11\xe0": f"it is an Outlook message: save it as .eml, or {_EXPORT}",
}


class EmptyFileError(ValueError):
    """A file without any content: nothing is missing from it."""


@dataclass(frozen=True, slots=True)
class RawMail:
    """where: for people. is_last: of its file. is_cut: the file ends inside a line of it.

    is_whole: all of it is in `content`, and not only its first MOST_KEPT bytes.
    """

    content: bytes
    where: str
    is_last: bool = False
    is_cut: bool = False
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file in a folder or zip that was not read. is_harmless: no mail can be missing by it."""

    name: str
    why: str
    is_harmless: bool


def mails_in(paths: Iterable[Path]) -> Iterator[RawMail | Skipped]:
    """All mails of these files and folders. Raises OSError, and ValueError with the file's name."""
    for path in paths:
        try:
            yield from _folder(path) if path.is_dir() else _file(path)
        except EmptyFileError as error:
            yield Skipped(str(path), str(error), is_harmless=True)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _folder(path: Path) -> Iterator[RawMail | Skipped]:
    inside = sorted(each for each in path.rglob("*") if _is_mailbox(each.relative_to(path)))
    files = [each for each in inside if each.is_file() or (each.is_symlink() and not each.exists())]
    if not files:
        raise ValueError("the folder has no .eml and no .mbox file")
    yield from _each((str(each.relative_to(path)), each.open) for each in files)


def _each(files: Iterable[tuple[str, Callable[[str], IO[bytes]]]]) -> Iterator[RawMail | Skipped]:
    """All mails of files by name. Raises ValueError if no file could be read."""
    bad = ""
    is_read = False
    for name, opened in files:
        try:
            with opened("rb") as file:
                for mail in _mails(file, f"of {name[-100:]}"):
                    is_read = True
                    yield mail
        except FileNotFoundError:
            yield Skipped(name, "it is a link that leads nowhere", is_harmless=True)
        except EmptyFileError as error:
            yield Skipped(name, str(error), is_harmless=True)
        except (ValueError, PermissionError) as error:
            bad = bad or f"{name}: {error}"
            yield Skipped(name, str(error), is_harmless=False)
    if bad and not is_read:
        raise ValueError(bad)


def _is_mailbox(path: PurePath) -> bool:
    """Also the file `mbox` in a folder Audit.mbox, as Apple Mail exports a mailbox."""
    if path.parts[:1] == ("__MACOSX",) or path.name.startswith("._"):
        return False
    return path.suffix.lower() in {".mbox", ".eml"} or path.name.lower() == "mbox"


def _file(path: Path) -> Iterator[RawMail | Skipped]:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(b"PK"):
            yield from _zip(file)
        else:
            yield from _mails(file, "of the file")


def _zip(file: IO[bytes]) -> Iterator[RawMail | Skipped]:
    try:
        with _unpackable():
            archive = zipfile.ZipFile(file)
        with archive:
            yield from _each(
                (each.filename, partial(_member, archive, each)) for each in _members(archive)
            )
    except _DAMAGED as error:
        raise ValueError(f"the zip is damaged or cut off ({error}): download it again") from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, _mode: str) -> IO[bytes]:
    with _unpackable():
        return archive.open(member)


@contextmanager
def _unpackable() -> Iterator[None]:
    """One sentence for a password, and for a way of packing that zipfile does not know.

    It raises RuntimeError for both.
    """
    try:
        yield
    except RuntimeError as error:
        raise ValueError(f"the zip cannot be unpacked here ({error})") from error


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Its mailboxes and mails. Raises ValueError for a zip that no mailbox is in."""
    inside = [each for each in archive.infolist() if each.filename and not each.is_dir()]
    wanted = [each for each in inside if _is_mailbox(PurePosixPath(each.filename))]
    if not wanted:
        has_zip = any(each.filename.lower().endswith(".zip") for each in inside)
        inner = "a zip inside a zip" if has_zip else "no mail"
        raise ValueError(f"the zip has {inner}: it must hold .mbox or .eml files")
    packed = sum(each.compress_size for each in wanted)
    if sum(each.file_size for each in wanted) > MOST_RATIO * packed + 10 * 2**20:
        raise ValueError(
            f"the zip would unpack to over {MOST_RATIO} times its size, which no mailbox does: "
            "it was not opened"
        )
    return wanted


def _mails(file: IO[bytes], where: str) -> Iterator[RawMail]:
    """Raises ValueError, and EmptyFileError for a file without any line."""
    lines = _lines(file)
    first = next(lines, b"")
    for start, sentence in _UNREADABLE.items():
        if first.startswith(start):
            raise ValueError(sentence)
    first = first.removeprefix(_BOM)
    while first and not first.strip():
        first = next(lines, b"")
    if not first:
        raise EmptyFileError("it is empty")
    if _SEPARATOR.match(first):
        yield from _numbered(split_mbox(_again(first, lines)), where)
    elif _HEADER.match(first):
        mail = _Gathered()
        for line in _again(first, lines):
            if mail.is_whole:
                mail.add(line)
        yield mail.raw(f"the mail {where}", is_last=True)
    else:
        raise ValueError(f"it is neither an mbox file nor a mail: {_EXPORT}")


def _numbered(mails: Iterator[_Gathered], where: str) -> Iterator[RawMail]:
    before, number = next(mails, None), 1
    while before is not None:
        after = next(mails, None)
        is_last = after is None
        yield before.raw(f"mail {number} {where}", is_last=is_last, is_cut=before.is_cut)
        before, number = after, number + 1


class _Gathered:
    """A mail, line by line. Of one that is too large for ours, only the start is kept."""

    __slots__ = ("_content", "is_cut", "is_whole")

    def __init__(self) -> None:
        self._content = bytearray()
        self.is_whole, self.is_cut = True, False

    def add(self, line: bytes) -> None:
        if len(self._content) + len(line) <= MOST_KEPT:
            self._content += line
        else:
            self.is_whole = False

    def raw(self, where: str, *, is_last: bool, is_cut: bool = False) -> RawMail:
        return RawMail(bytes(self._content), where, is_last, is_cut, self.is_whole)


def split_mbox(lines: Iterable[bytes]) -> Iterator[_Gathered]:
    """The mails of an mbox, quoted as mboxrd or mboxo. Raises ValueError for mboxcl2."""
    mail: _Gathered | None = None
    is_blank, last = True, b""
    lengths = _Lengths()
    for line in lines:
        if is_blank and line.startswith(b"From ") and _SEPARATOR.match(line):
            lengths.separator(line)
            if mail:
                yield mail
            mail, last = _Gathered(), b""
        elif mail:
            last = line
            if lengths.is_open:
                lengths.line(line)
            if mail.is_whole:
                mail.add(line[1:] if line.startswith(b">") and _QUOTED.match(line) else line)
        is_blank = line in _BLANK
    lengths.judge()
    if mail:
        mail.is_cut = not last.endswith(b"\n")
        yield mail


class _Lengths:
    """Notices mboxcl2, where a length and not a quoted line tells where a mail ends.

    Anybody can send a mail with a length in its header, and two who agree can make it end where
    another mail does. So it takes a separator inside a mail whose length ends exactly at another
    one, and either most mails have lengths, or no header follows that separator: it is a line of
    somebody's text, which other kinds of mbox would have quoted.
    """

    def __init__(self) -> None:
        self.is_open = False  # whether the lines of this mail matter
        self._is_header, self._length, self._left = False, -1, -1
        self._passed = self._is_text = self._is_next = False
        self._mails = self._with_length = self._exact = 0

    def separator(self, line: bytes) -> None:
        self._end_mail()
        if self._left > 2 and self._length > 0:
            self._passed = self._is_next = True
            self._left -= len(line)
            return
        self._mails += 1
        self.is_open = self._is_header = True
        self._length, self._left = -1, -1
        self._passed = self._is_text = self._is_next = False

    def line(self, line: bytes) -> None:
        if self._is_header:
            match = _LENGTH.match(line) if line[:1] in b"cC" else None
            if match:
                self._with_length += self._length < 0
                self._length = int(match[1])
            if line in _BLANK:
                self._is_header, self._left = False, self._length
                self.is_open = self._length > 0
        else:
            self._left -= len(line)
            self._is_text |= self._is_next and not _HEADER.match(line)
            self._is_next = False

    def judge(self) -> None:
        """At the end of the file. Raises ValueError."""
        self._end_mail()
        if self._exact and 2 * self._with_length > self._mails:
            raise ValueError(_MBOXCL2)

    def _end_mail(self) -> None:
        if self._passed and self._left in {0, -1, -2}:
            if self._is_text:
                raise ValueError(_MBOXCL2)
            self._exact += 1


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, the longest in pieces: a file without line ends must not fill the memory."""
    while line := file.readline(2**20):
        yield line


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


# ── ops/offline/mail/labels.py ────────────────────────────────────────────────────────────────────


_TRASH = (
    "trash", "bin", "deleted messages", "deleted items", "papierkorb", "papelera", "corbeille",
    "cestino", "lixeira", "lixo", "reciclagem", "prullenbak", "papperskorgen", "papirkurv",
    "søppel", "søppelkurv", "roskakori", "kosz", "koš", "kôš", "kuka", "coș de gunoi", "smetnjak",
    "smeće", "otpad", "отпад", "prügikast", "miskaste", "šiukšliadėžė", "šiukšlinė", "rusl",
    "paperera", "zakarrontzia", "papeleira", "çöp kutusu", "çöp", "thùng rác", "sampah",
    "tong sampah", "basura", "tupio", "κάδος απορριμμάτων", "κάδος", "корзина", "кошик", "кошче",
    "אשפה", "المهملات", "سلة المهملات", "زباله‌دان", "ट्रैश", "कचरा", "ถังขยะ", "ゴミ箱",
    "휴지통", "已删除邮件", "已删除", "回收站", "垃圾箱", "垃圾桶",
)  # fmt: skip
_SPAM = (
    "spam", "junk", "junk e-mail", "junk email", "bulk mail", "courrier indésirable",
    "correo no deseado", "posta indesiderata", "ongewenste e-mail", "skräppost", "søppelpost",
    "nettsøppel", "uønsket", "uønsket post", "roskaposti", "rämpspost", "mēstules", "surogātpasts",
    "šlamštas", "brukalai", "ruslpóstur", "correu brossa", "nevyžádaná pošta", "nevyžiadaná pošta",
    "levélszemét", "istenmeyen", "thư rác", "ανεπιθύμητα", "спам", "нежељено", "ספאם", "דואר זבל",
    "الرسائل غير المرغوب فيها", "غير مرغوب فيها", "هرزنامه", "स्पैम", "สแปม", "จดหมายขยะ",
    "迷惑メール", "스팸함", "스팸", "垃圾邮件", "垃圾郵件", "垃圾內容",
)  # fmt: skip
_HARMLESS = frozenset({
    "", "inbox", "sent", "unread", "opened", "read", "important", "starred", "archived", "all mail",
})  # fmt: skip
_GMAIL = ("[gmail]/", "[google mail]/", "category ", "category_")
_MOST = 40  # labels to be told
_LONGEST = 60  # characters


def _plain_label(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().strip('"').casefold().strip()


_MISPLACED = frozenset(_plain_label(each) for each in (*_TRASH, *_SPAM))


def is_misplaced(labels: Iterable[str]) -> bool:
    """Whether one of these says trash or spam, in a language of Gmail's interface."""
    plain = (_plain_label(each) for each in labels)
    return any(each in _MISPLACED or _without_root(each) in _MISPLACED for each in plain)


def _without_root(label: str) -> str:
    """As IMAP programs name Gmail's own labels: [Gmail]/Trash."""
    return label.rpartition("/")[2] if label.startswith(_GMAIL[:2]) else label


def note_labels(known: set[str], labels: Iterable[str]) -> None:
    """Add the labels that mean nothing to us: one may be the trash in yet another language."""
    for each in labels:
        plain = _plain_label(each)
        if plain in _HARMLESS or plain.startswith(_GMAIL) or is_misplaced([each]):
            continue
        if len(known) < _MOST:
            known.add(each.strip().strip('"')[:_LONGEST])


# ── ops/offline/mail/envelope.py ──────────────────────────────────────────────────────────────────


_NAME = "SCC Payment Audit"
_ADDRESS = r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,189}"
_FROM = re.compile(rf'(?:"{_NAME}"|{_NAME}) <({_ADDRESS})>')
_TO = re.compile(rf"<({_ADDRESS})>|({_ADDRESS})")
_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}( \([A-Z]{1,5}\))?"
)
_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
_AT_MOST_ONCE = (
    "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress", "References", "In-Reply-To",
    "Content-Transfer-Encoding",
)  # fmt: skip
_NEVER = (
    "Sender", "Reply-To", "Cc", "Bcc", "Mail-Reply-To", "Mail-Followup-To", "Followup-To",
    "Apparently-To", "Errors-To", "Disposition-Notification-To", "Return-Receipt-To", "Comments",
    "Keywords", "Organization", "Content-Disposition", "Content-Location", "Content-Base",
)  # fmt: skip
_BODY = ("multipart/alternative", "text/plain", "text/html")
_mail_envelope_RECORD = "application/json"
_PART_HEADERS = frozenset({
    "content-type", "content-transfer-encoding", "content-disposition", "mime-version",
    "content-id", "x-attachment-id",
})  # fmt: skip
_ENCODINGS = frozenset({"7bit", "8bit", "quoted-printable", "base64"})
_PLAIN = frozenset({"7bit", "8bit"})
_WORD_CHARSET = re.compile(r"=\?([^?\s]*)\?[bBqQ]\?[^?]*\?=")
_CHARSETS = frozenset({"utf-8", "us-ascii"})
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*(=\s*){0,2}")


def header_problem(mail: Message) -> str:
    """The first thing that no header of ours has, or an empty text."""
    return next(_header_problems(mail), "")


def _header_problems(mail: Message) -> Iterator[str]:
    for name in _ONCE:
        count = len(mail.get_all(name, []))
        if count != 1:
            yield f"it has {count or 'no'} {name} header{'s' if count > 1 else ''}"
    for name in _AT_MOST_ONCE:
        if len(mail.get_all(name, [])) > 1:
            yield f"it has two {name} headers"
    for name in filter(mail.__contains__, _NEVER):
        yield f"it has a {name} header, and no mail of ours has"
    if not sender_of(mail):
        yield f"its From is not {_NAME} and one address"
    if not recipient_of(mail):
        yield "its To is not one address"
    if not _CHARSETS.issuperset(_charsets_of(mail["Subject"])):
        yield "its subject is encoded in another way than ours"
    if not _DATE.fullmatch(_unfolded(mail["Date"])):
        yield "its date is not written as in mails of ours"


def _charsets_of(header: Any) -> Iterator[str]:
    """Of its encoded words (RFC 2047)."""
    yield from (each.lower() for each in _WORD_CHARSET.findall(_unfolded(header)))


def sender_of(mail: Message) -> str:
    """The address of the only sender, in lower case; empty for any other From."""
    match = _FROM.fullmatch(_unfolded(mail["From"])) if _is_single(mail, "From") else None
    return match[1].lower() if match else ""


def recipient_of(mail: Message) -> str:
    match = _TO.fullmatch(_unfolded(mail["To"])) if _is_single(mail, "To") else None
    return (match[1] or match[2]).lower() if match else ""


def subject_of(mail: Message) -> str:
    return decoded(mail["Subject"])


def decoded(value: Any) -> str:
    """A header's text; empty for one that cannot be decoded."""
    try:
        return str(make_header(decode_header(value or "")))
    except (LookupError, ValueError):
        return ""


def structure_problem(mail: Message, files: Mapping[str, str]) -> str:
    """Of the parts: their kinds, order, character sets, encodings and the files' names.

    files: the name of each attachment by its kind, the record first.
    """
    if shape(mail) != ("multipart/mixed", _BODY, *files):
        return "its parts are not text, HTML and record, in our order"
    if mail.preamble and mail.preamble.strip():
        return "it has text before its first part"
    inner, outer = (str(each.get_boundary()) for each in mail.walk() if each.is_multipart())
    if inner.startswith(outer) or outer.startswith(inner):
        return "its boundaries can be taken for each other"
    return next(_part_problems(mail, files), "")


def shape(part: Message) -> Any:
    """A part's kind; for a multipart a tuple, its own kind first."""
    inside = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(inside, list):
        inner = (shape(each) for each in inside if isinstance(each, Message))
        return (part.get_content_type(), *inner)
    return part.get_content_type()


def leaves(mail: Message) -> Iterator[Message]:
    """Without looking into attached mails."""
    content = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(content, list):
        for part in content:
            if isinstance(part, Message):
                yield from leaves(part)
    else:
        yield mail


def _part_problems(mail: Message, files: Mapping[str, str]) -> Iterator[str]:
    for part in mail.walk():
        kind = part.get_content_type()
        filename = files.get(kind, "")
        problems = [_header_of_part_problem(part)] if part is not mail else []
        problems += [_encoding_problem(part), _parameter_problem(part, filename)]
        yield from (f"its {kind} part {each}" for each in problems if each)
        is_file = "Content-Disposition" in part
        if is_file != bool(filename):
            yield f"its {kind} part is {'an' if is_file else 'no'} attachment"
        elif is_file and part.get_params(header="Content-Disposition") != [
            ("attachment", ""),
            ("filename", filename),
        ]:
            what = "record" if kind == _mail_envelope_RECORD else "signature"
            yield f"its {what} is not attached as {filename}"


def _header_of_part_problem(part: Message) -> str:
    names = [each.lower() for each, _ in part.items()]
    is_odd = len(names) > len(set(names)) or not _PART_HEADERS.issuperset(names)
    return "has a header that we do not write" if is_odd else ""


def _encoding_problem(part: Message) -> str:
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    if encoding not in (_PLAIN if part.is_multipart() else _ENCODINGS):
        return "is encoded in another way than ours"
    content = part.get_payload()
    if encoding == "base64" and not (isinstance(content, str) and _BASE64.fullmatch(content)):
        return "is not clean base64"
    return ""


def _parameter_problem(part: Message, filename: str) -> str:
    """A pair may hold a tuple: a value with a character set of its own (RFC 2231)."""
    kind, pairs = part.get_content_type(), (part.get_params(failobj=[]) or [])[1:]
    for name, value in pairs:
        if not _is_our_parameter(kind, name.lower(), value, filename):
            return f"has {name[:40]}={str(value)[:40]!r}, which we do not write"
    names = [name.lower() for name, _ in pairs]
    return "has a parameter twice" if len(names) > len(set(names)) else ""


def _is_our_parameter(kind: str, name: str, value: Any, filename: str) -> bool:
    if not isinstance(value, str):
        return False
    if kind.startswith("multipart/"):
        return name == "boundary"
    if name == "charset":
        return value.lower() in _CHARSETS
    return bool(filename) and name == "name" and value == filename


def _is_single(mail: Message, name: str) -> bool:
    return len(mail.get_all(name, [])) == 1


def _unfolded(value: Any) -> str:
    return re.sub(r"\r?\n[ \t]+", " ", str(value)).strip(" \t")


# ── ops/offline/mail/own.py ───────────────────────────────────────────────────────────────────────


OWN = ("X-SCC-Payment-Id", "X-SCC-Ops-Id", "X-SCC-Statement")
_PARTS = ["text/plain", "text/html", "application/json"]
_SIGNATURE = "application/octet-stream"
_CUT = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)


@dataclass(frozen=True, slots=True)
class Own:
    """A mail of ours, taken apart. name, value: its own header. labels: where it lies.

    reissue: what a mail that was issued again is called, empty for others.

    content, filename: of its attachment. problem: of its headers and parts, whatever they contain.
    """

    mail: Message
    where: str
    name: str
    value: str
    filename: str
    content: bytes
    signature: bytes
    texts: Mapping[str, str]
    labels: Iterable[str]
    problem: str
    reissue: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def seen(self) -> Seen:
        html, text = self.texts["text/html"], self.texts["text/plain"]
        return Seen(subject_of(self.mail), html, text, self.filename)


def own_mail(mail: Message, where: str, labels: Iterable[str]) -> Own:
    """Raises ValueError for a mail that lacks a part, or has one that no mail of ours has."""
    values = [(name, str(value).strip()) for name in OWN for value in mail.get_all(name, [])]
    if len(values) != 1:
        raise ValueError("it has more than one of our headers")
    parts = list(leaves(mail))
    kinds = [part.get_content_type() for part in parts]
    name, value = values[0]
    is_signed = name == "X-SCC-Statement"
    wanted = [*_PARTS, _SIGNATURE] if is_signed else _PARTS
    if kinds[2:] != wanted[2:] or not parts[2].get_filename():
        raise ValueError(f"{str(value)[:100]} has lost its record, or has more than its record")
    if kinds != wanted:
        raise ValueError(f"{str(value)[:100]} lacks its text or its HTML")
    filename = str(parts[2].get_filename())
    files = {_PARTS[2]: filename} | ({_SIGNATURE: SIGNATURE_FILE} if is_signed else {})
    return Own(
        mail=mail,
        where=where,
        name=name,
        value=str(value),
        filename=filename,
        content=content_of(parts[2]),
        signature=content_of(parts[3]) if is_signed else b"",
        texts={
            kind: content_of(part).decode("utf-8", "replace")
            for kind, part in zip(kinds[:2], parts[:2], strict=True)
        },
        labels=[*labels, *_labels(mail)],
        problem=header_problem(mail) or structure_problem(mail, files),
        reissue=" ".join(str(each).strip() for each in mail.get_all(REISSUE, [])),
    )


def is_cut(mail: Message) -> bool:
    return any(isinstance(each, _CUT) for part in mail.walk() for each in part.defects)


def content_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise ValueError("an attachment is not a file")  # noqa: TRY004 - of the mail, not of a caller
    return content


def _labels(mail: Message) -> list[str]:
    """Gmail's labels, as Takeout writes them."""
    texts = [decoded(each) or str(each) for each in mail.get_all("X-Gmail-Labels", [])]
    return [each.strip().strip('"') for text in texts for each in text.split(",")]


# ── ops/offline/mail/judged.py ────────────────────────────────────────────────────────────────────


CLOCK_SECONDS = 300  # by which Gmail's clock and ours may differ
MOST_NAMED = 20  # mails of one sender


def take_own(box: Mailbox, own: Own) -> None:
    digest = hashlib.sha256(
        repr([own.mail["Message-ID"], own.mail["Date"], own.name]).encode() + own.content
    ).digest()[:16]
    is_copy = digest in box.seen
    is_well_placed = not is_misplaced(own.labels)
    box.seen[digest] = box.seen.get(digest, False) or is_well_placed
    note_labels(box.labels, own.labels)
    before = len(box.wrong)
    place: Link | None = None
    match own.name:
        case "X-SCC-Statement":
            _take_statement(box, own, is_copy=is_copy)
        case "X-SCC-Ops-Id":
            _take_ops(box, own, is_copy=is_copy)
        case _:
            place = _take_payment(box, own, is_copy=is_copy)
    if len(box.wrong) == before:
        problem = "it ends before its last boundary" if is_cut(own.mail) else own.problem
        if problem:
            box.wrong.append(_altered(place, own, problem))
    box.copies += is_copy
    if not is_well_placed:
        detail = f"{own.where} is in the trash or in spam"
        box.misplaced[digest] = _finding(place, COMPLETENESS, "misplaced", detail)
    _note_parties(box, own, place)


def _take_payment(box: Mailbox, own: Own, *, is_copy: bool) -> Link:
    record = json.loads(own.content)
    if not isinstance(record, dict):
        raise ValueError("its record is not a JSON object")  # noqa: TRY004 - of the mail
    link = replace(link_of(record), reissue=own.reissue)
    if not is_copy:
        box.links.append(link)
    if not link.is_sound:
        return link  # found with the chain
    try:
        told, quotes = told_of(record), list[Quote]()
    except (ValueError, OverflowError, OSError):
        box.wrong.append(_altered(link, own, "its record has a time that no calendar has"))
        return link
    if not is_copy:
        link = box.links[-1] = replace(link, told=told)
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its payment id header differs" if own.value != link.payment_id
        else _date_problem(own.mail, link.payment_id, link.logged_at, "the entry was logged")
    )  # fmt: skip
    if not problem:
        problem, found_quotes = payment_problem(record, link.sha256, own.seen, own.reissue)
        quotes += found_quotes
    if problem:
        box.wrong.append(_altered(link, own, problem))
    elif not is_copy:
        box.quotes += quotes
    return link


def _take_ops(box: Mailbox, own: Own, *, is_copy: bool) -> None:
    record = json.loads(own.content)
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its ops id header differs" if own.value != record["ops_id"]
        else _date_problem(own.mail, own.value, record["at"], "it was recorded")
        or ops_problem(record, own.sha256, own.seen)
    )  # fmt: skip
    if not is_copy:
        said = None if problem else said_in(record)
        at = record["at"] if type(record["at"]) is int else 0
        box.ops.append(OpsMail(own.value, own.sha256, own.where, at, said))
    if problem:
        box.wrong.append(_altered(None, own, problem))


def _take_statement(box: Mailbox, own: Own, *, is_copy: bool) -> None:
    box.statement_mails += not is_copy
    record = json.loads(own.content)
    day = str(record["day"])
    own_id = StatementPlace(day=day, final=bool(record["is_final"]), sha256=own.sha256).delivery_id
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its header names another day"
        if own.value != day + ("" if record["is_final"] else " so far")
        else statement_problem(record, own.sha256, own_id, own.seen)
        or ("" if is_copy else box.statements.take(record, own.sha256, own.signature))
    )  # fmt: skip
    problem = problem or _date_problem(own.mail, own_id, record["made_at"], "it was made")
    if problem:
        box.wrong.append(_altered(None, own, f"the statement of {day[:10]}: {problem}"))


def _date_problem(mail: Message, own_id: str, written_at: int, written: str) -> str:
    """`import` keeps our Date, which is when the record was made; `send` makes it when it sends.

    Gmail writes the same moment into the first line of the mail's way. written_at: epoch
    milliseconds of the record. written: what happened then.
    """
    try:
        dated = parsedate_to_datetime(mail["Date"])
    except (TypeError, ValueError):
        return "it has no date"
    seconds = dated.timestamp()
    if str(mail["Message-ID"]).strip().startswith(f"<{own_id}@"):
        return "" if seconds == written_at // 1000 else f"its date is not when {written}"
    if seconds < written_at // 1000 - CLOCK_SECONDS:
        return f"its date is before {written}"
    received = mail.get_all("Received", [])
    if received:
        try:
            accepted = parsedate_to_datetime(str(received[-1]).rpartition(";")[2].strip())
        except (TypeError, ValueError):
            return "the date of its way cannot be read"
        if abs(accepted.timestamp() - seconds) > CLOCK_SECONDS:
            return "its date is not when Gmail accepted it"
    return ""


def _note_parties(box: Mailbox, own: Own, link: Link | None) -> None:
    for parties, address in (
        (box.senders, sender_of(own.mail)),
        (box.recipients, recipient_of(own.mail)),
    ):
        party = parties.setdefault(address, Party())
        party.mails += 1
        if len(party.named) < MOST_NAMED:
            party.named.append(_altered(link, own, ""))


def _altered(link: Link | None, own: Own, problem: str) -> Finding:
    return _finding(link, INTEGRITY, "altered", f"{own.where}: {problem}")


def _finding(link: Link | None, verdict: str, kind: str, detail: str) -> Finding:
    if link is None:
        return Finding(verdict, "", 0, 0, kind, "", detail)
    return found(verdict, link, kind, detail)


# ── ops/offline/mails.py ──────────────────────────────────────────────────────────────────────────


_OURS = re.compile(rb"(?i)x-scc-|scc audit|scc ops|\.json")  # what else mentions us
_OWN_HEADER = re.compile(rb"(?i)(?:\A|[\r\n])x-scc-(payment-id|ops-id|statement)[ \t]*:")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
MOST_COPIES = 10_000
MOST_HEAD = 256 * 2**10  # bytes of a mail's header; Gmail refuses half of that
MOST_LINES = 100_000  # of a mail; parsing keeps an object for each header line and each part
MOST_PARTS = 5_000


def read_mailbox(paths: Iterable[Path]) -> Mailbox:
    """Read every mail of these files. Raises OSError, and ValueError for what is no mailbox."""
    box = Mailbox()
    for each in mails_in(paths):
        if isinstance(each, RawMail):
            take_mail(box, each)
        else:
            _take_skipped(box, each)
    return box


def take_mail(box: Mailbox, raw: RawMail, labels: Iterable[str] = ()) -> None:
    """Any garbage may be in a mail: it is a finding about that mail if it is ours, else a note."""
    box.mails += 1
    if raw.is_cut:
        _found_cut(box, raw)
    head = _offline_mails_head(raw)
    is_own = _OWN_HEADER.search(head) is not None
    try:
        if not (is_own or raw.is_last or _OURS.search(raw.content)):
            return
        if size := _oversize(raw, head):
            if is_own:
                raise ValueError(f"it has {size}, and no mail of ours has")
            box.unsearched += 1
            return
        mail = message_from_bytes(raw.content)
        if is_own and not _has_own(mail):
            raise ValueError("its header ends before ours")
        _take_parsed(box, raw, mail, labels)
    except Exception as error:  # noqa: BLE001 - as the docstring says
        detail = f"{raw.where} cannot be read: {type(error).__name__}: {error}"[:300]
        if is_own:
            box.wrong.append(Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail))
        else:
            box.note(f"{detail}; it is no audit mail")


def _take_parsed(box: Mailbox, raw: RawMail, mail: Message, labels: Iterable[str]) -> None:
    is_own = _has_own(mail)
    if raw.is_last and not raw.is_cut and is_cut(mail):
        if is_own:
            _found_cut(box, raw)
        else:
            box.note(f"{raw.where}, the last one, lacks its end; it is no audit mail")
    if is_own:
        take_own(box, own_mail(mail, raw.where, labels))
    elif _OURS.search(raw.content):
        _take_forward(box, mail, raw.where)


def _has_own(mail: Message) -> bool:
    return any(mail.get_all(each) for each in OWN)


def _take_skipped(box: Mailbox, file: Skipped) -> None:
    if file.is_harmless:
        box.note(f"{file.name} was skipped: {file.why}")
    else:
        detail = f"{file.name} cannot be read: {file.why}"
        box.wrong.append(Finding(COMPLETENESS, "", 0, 0, "unreadable", "", detail[:300]))


def _found_cut(box: Mailbox, raw: RawMail) -> None:
    detail = f"the file ends inside {raw.where}: export it again"
    box.wrong.append(Finding(COMPLETENESS, "", 0, 0, "truncated", "", detail))


def _offline_mails_head(raw: RawMail) -> bytes:
    """Its header, or as much of it as we look at."""
    end = _HEAD_END.search(raw.content, 0, MOST_HEAD)
    return raw.content[: end.start() if end else MOST_HEAD]


def _oversize(raw: RawMail, head: bytes) -> str:
    """Why a mail cannot be ours, told from its bytes: parsing it would take too much memory."""
    if not raw.is_whole:
        return f"over {MOST_KEPT >> 20} MB"
    if len(head) == MOST_HEAD:
        return f"over {MOST_HEAD >> 10} KB of header"
    if raw.content.count(b"\n") > MOST_LINES:
        return f"over {MOST_LINES:,} lines"
    return f"over {MOST_PARTS:,} parts" if raw.content.count(b"\n--") > MOST_PARTS else ""


def _take_forward(box: Mailbox, mail: Message, where: str) -> None:
    """A forward holds the record as an attachment, or in an attached mail; a reply quotes it."""
    is_about_us = "[SCC" in subject_of(mail)
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":  # RFC 3464, with the mail attached
            where = f"{where} (a notice about its delivery)"
        is_about_us |= any(part.get_all(each) for each in OWN)
        if not str(part.get_filename()).lower().endswith(".json"):
            continue
        try:
            link = link_of(json.loads(content_of(part)))
        except (ValueError, RecursionError, AttributeError):
            continue  # somebody's own file
        is_about_us = True
        if link.is_sound and len(box.held) < MOST_COPIES:
            copy = Copy(link.payment_id, where, link.hash, link.logged_at)
            box.held.setdefault((link.event_id, link.seq), copy)
    box.forwards += is_about_us


# ── ops/offline/report.py ─────────────────────────────────────────────────────────────────────────


UNSIGNED = "signatures of statements were not checked: give the public key with --key FILE"
NO_ZONES = (
    "this computer knows no time zones, so the days of entries and local times in mails could not "
    "be checked: install Python's package tzdata, and check again"
)


def judgement(
    box: Mailbox,
    expected: Sequence[Anchor] = (),
    senders: Iterable[str] = (),
    key: PublicKey | None = None,
) -> Judged:
    """expected: heads that the auditor knows. senders: addresses that may have sent the mails.

    key: that signed the statements.
    """
    zone, operators = box.statements.zone, box.operators(key)
    certified = box.statements.certificates.through
    chains = check_chains(box.links, [*box.anchors, *expected], zone, certified)
    excused = excused_days(operators.settlements)
    result = judged(
        box,
        operators,
        [
            *about_mails(box, senders),
            *operators.wrong,
            *unrecorded(box.links, operators),
            *chains,
            *box.statements.findings(box.links, chains, excused),
            *broken_seals(box.statements.seals, key),
        ],
    )
    result.findings = merged(with_copies(box, each) for each in result.findings)
    return result


def about_mails(box: Mailbox, senders: Iterable[str] = ()) -> Iterator[Finding]:
    """What is wrong with single mails, or between them."""
    yield from box.wrong
    yield from (each for digest, each in box.misplaced.items() if not box.seen[digest])
    wanted = {each.lower() for each in senders}
    yield from _others(box.senders, wanted, "it comes from", "if both are right, name both")
    usual = wanted | _most(box.recipients)
    yield from _others(box.recipients, usual, "it is addressed to", "if that is right, name it")
    yield from wrong_quotes(box.quotes, box.links)


def why_not(error: OSError | ValueError) -> str:
    """Why a file cannot be read, as a sentence."""
    if isinstance(error, OSError) and error.filename:
        reason = str(error.strerror or type(error).__name__)
        return f"{error.filename} cannot be read: {reason[:1].lower()}{reason[1:]}"
    return str(error)


def expected_head(text: str) -> Anchor:
    """EVENT=SEQ:HASH. Raises ValueError."""
    event_id, _, rest = text.partition("=")
    number, _, digest = rest.partition(":")
    digest = digest.lower()
    is_hash = len(digest) == 64 and not digest.strip("0123456789abcdef")
    seq = int(number) if number.isascii() and number.isdigit() and len(number) < 13 else 0
    if not (is_event_id(event_id) and 0 < seq < MOST_ENTRIES and is_hash):
        raise ValueError(
            "an expected head looks like sunset-charter=42: and the 64 hex digits of the hash that "
            "entry #000042 has"
        )
    return Anchor(event_id, seq, digest, "the expected head")


def with_copies(box: Mailbox, finding: Finding) -> Finding:
    """A copy does not stand in for a mail, but it helps whoever looks for the mail."""
    if finding.kind != "missing":
        return finding
    event_id, span = finding.event_id, range(finding.seq, finding.last_seq + 1)
    if len(span) < len(box.held):
        seqs = [seq for seq in span if (event_id, seq) in box.held]
    else:
        seqs = sorted(seq for event, seq in box.held if event == event_id and seq in span)
    if not seqs:
        return finding
    told = f"a copy of {ranges(seqs)} is in {box.held[finding.event_id, seqs[0]].where}"
    return replace(finding, detail="; ".join(filter(None, (finding.detail, told))))


def _others(
    parties: Mapping[str, Party], wanted: set[str], told: str, hint: str
) -> Iterator[Finding]:
    """Mails from or to another address than the wanted ones, or than most mails."""
    wanted = wanted or _most(parties)
    for address, party in parties.items():
        if address in wanted:
            continue
        others = " or ".join(sorted(wanted))
        detail = f"{told} {address or 'no single address'} and not {others}; {hint} with --sender"
        for each in party.named:
            yield replace(each, detail=f"{each.detail}{detail}")


def _most(parties: Mapping[str, Party]) -> set[str]:
    return {max(parties, key=lambda each: parties[each].mails)} if parties else set()


def notes_of(box: Mailbox, key: PublicKey | None = None) -> Iterator[str]:
    """What is no finding, but limits what was checked."""
    yield from box.notes
    yield from box.statements.certificates.notes(box.links)
    if box.statement_mails and key is None:
        yield UNSIGNED
    if (box.links or box.anchors) and not has_zones():
        yield NO_ZONES
    if box.unsearched:
        mails = _counted(box.unsearched, "mail of others was", "mails of others were")
        yield f"{mails} too large to be searched for copies of records"
    if box.labels:
        labels = ", ".join(sorted(box.labels))
        yield f"audit mails have these labels, none of which should mean trash or spam: {labels}"


def summary(box: Mailbox, result: Judged, key: PublicKey | None = None) -> dict[str, Any]:
    """The report as plain data."""
    findings = result.findings
    events: dict[str, dict[str, Any]] = {}
    for link in box.links:
        event = events.setdefault(link.event_id, {"numbers": set(), "stated": 0})
        if link.is_sound:
            event["numbers"].add(link.seq)
    for anchor in box.anchors:
        event = events.setdefault(anchor.event_id, {"numbers": set(), "stated": 0})
        event["stated"] = max(event["stated"], anchor.seq)
    there = {(each.event_id, each.seq) for each in box.links}
    lost = [
        {"event_id": event_id, "seq": seq, "payment_id": each.payment_id, "where": each.where}
        for (event_id, seq), each in sorted(box.held.items())
        if (event_id, seq) not in there
    ]
    return {
        "mails": box.mails,
        "records": len({(each.event_id, each.seq, each.sha256) for each in box.links}),
        "statements": box.statement_mails,
        "ops_records": len(box.ops),
        "copies": box.copies,
        "forwards": box.forwards,
        "only_copies": lost,
        INTEGRITY: not any(each.verdict == INTEGRITY for each in findings),
        COMPLETENESS: not any(each.verdict == COMPLETENESS for each in findings),
        "events": [
            {
                "event_id": name,
                "anchored": ranges(event["numbers"]),
                "stated_up_to": event["stated"],
                "unseen_beyond": max([event["stated"], *event["numbers"]]),
            }
            for name, event in sorted(events.items())
        ],
        "notes": [*notes_of(box, key), *result.notes],
        "findings": [asdict(each) for each in findings],
        "settled": [settled_summary(each) for each in result.settled],
    }


def settled_summary(settled: Settled) -> dict[str, Any]:
    """What a person settled, as plain data. at: epoch milliseconds."""
    return asdict(settled.finding) | {
        "told": settled.told(),
        "by": [
            {"ops_id": by.finding.ops_id, "who": by.who, "at": by.at, "reason": by.reason}
            for by in settled.by
        ],
    }


def finding_text(finding: Mapping[str, Any]) -> str:
    words = [finding["kind"]]
    if finding["event_id"]:
        words.append(finding["event_id"])
    if finding["seq"]:
        words.append(span_text(finding["seq"], finding["last_seq"]))
    words += [each for each in (finding["payment_id"], finding["detail"]) if each]
    return printable("  ".join(words))


def report(content: Mapping[str, Any]) -> Iterator[str]:
    """The report for people, without characters that hide or move text."""
    yield count_line(content)
    for event in content["events"]:
        name = event["event_id"].encode("unicode_escape").decode()
        stated = (
            f"statements reach {span_text(event['stated_up_to'], 0)}"
            if event["stated_up_to"]
            else "no statement"
        )
        yield f"  {name}: intact mails of {event['anchored']}; {stated}"
    for copy in content["only_copies"]:
        told = f"  {copy['where']} holds a copy of {copy['event_id']} {span_text(copy['seq'], 0)}"
        yield printable(f"{told}, whose own mail is not here")
    yield from verdict_lines(content)
    yield (
        "What came after an event's last mail and last statement cannot be seen from this file: "
        "ask for a newer export, or for `scc verify --mbox`."
    )


def count_line(content: Mapping[str, Any]) -> str:
    counts = [
        _counted(content["records"], "entry", "entries"),
        _counted(content["statements"], "statement", "statements"),
    ]
    for name, one, many in (
        ("ops_records", "ops record", "ops records"),
        ("copies", "copy of a mail", "copies of mails"),
        ("forwards", "forward or reply, not judged", "forwards and replies, not judged"),
    ):
        if content[name]:
            counts.append(_counted(content[name], one, many))
    return f"{_counted(content['mails'], 'mail', 'mails')}: {', '.join(counts)}"


def verdict_lines(content: Mapping[str, Any], fine: str = "ok") -> Iterator[str]:
    """Notes, both verdicts with their findings, and what was settled. fine: without findings."""
    yield from (printable(f"  note: {each}") for each in content["notes"])
    for verdict in (INTEGRITY, COMPLETENESS):
        found = [each for each in content["findings"] if each["verdict"] == verdict]
        yield f"{verdict.upper()}: {'FAILED' if found else fine}"
        yield from (f"  {finding_text(each)}" for each in found)
    yield from settled_lines(content["settled"])


def settled_lines(settled: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What is no fault, since a person explained it, with who and why."""
    yield from (printable(f"  {finding_text(each)}  {each['told']}") for each in settled)


def printable(text: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


# ── ops/offline/excerpt/files.py ──────────────────────────────────────────────────────────────────


SUMS = "SHA256SUMS"  # as `sha256sum` writes and checks it
RECORDS, MAILS, STATEMENTS = "records", "mails", "statements"
STATEMENT_FILE = "statement.json"
MOST_BYTES = 200 * 2**20
_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S.{0,300})")
_READ = re.compile(rf"{RECORDS}/[^/]+\.json|{MAILS}/[^/]+\.eml|{STATEMENTS}/.+")
Contents = Mapping[str, bytes]  # by path below the folder, with slashes


def entry_stem(event_id: str, seq: int) -> str:
    """What the files of an entry are called, as the record in its mail is."""
    return f"{file_name(event_id)}-{seq:06d}"


def is_excerpt(path: Path) -> bool:
    return (path / SUMS).is_file() and (path / RECORDS).is_dir()


def read_folder(path: Path) -> dict[str, bytes]:
    """All files but hidden ones. Raises OSError, ValueError for a folder that is no excerpt."""
    if not path.is_dir():
        raise ValueError(f"{path} is no folder: unpack the zip into one, and name that")
    names = {each.relative_to(path): each for each in sorted(path.rglob("*"))}
    files = {
        name.as_posix(): each
        for name, each in names.items()
        if each.is_file() and not any(part.startswith(".") for part in name.parts)
    }
    if not any(name == SUMS or _READ.fullmatch(name) for name in files):
        raise ValueError(f"{path} is no excerpt: it has no {SUMS}, and no {RECORDS} or {MAILS}")
    if sum(each.stat().st_size for each in files.values()) > MOST_BYTES:
        raise ValueError(f"{path} has over {MOST_BYTES >> 20} MB, and no excerpt has")
    return {name: each.read_bytes() for name, each in files.items()}


def wrong_sums(contents: Contents) -> Iterator[Finding]:
    """What is not as the list of hashes says: files that are altered, gone, or put in."""
    if SUMS not in contents:
        yield _found(COMPLETENESS, "missing", f"{SUMS} is not here")
        return
    listed, odd = _listed(contents[SUMS])
    if odd:
        yield _found(INTEGRITY, "altered", f"{SUMS} has {odd} lines that sha256sum never writes")
    for name, sha256 in sorted(listed.items()):
        if name not in contents:
            yield _found(COMPLETENESS, "missing", f"{name} is not here, and {SUMS} has it")
        elif _excerpt_files_sha256(contents[name]) != sha256:
            yield _found(INTEGRITY, "altered", f"{name} is not what {SUMS} says")
    for name in sorted(contents.keys() - listed.keys()):
        if _READ.fullmatch(name):
            yield _found(INTEGRITY, "inserted", f"{name} is here, and {SUMS} does not have it")


def unlisted(contents: Contents) -> list[str]:
    """What lies beside the excerpt, and is not read."""
    listed, _ = _listed(contents.get(SUMS, b""))
    others = contents.keys() - listed.keys() - {SUMS}
    return sorted(each for each in others if not _READ.fullmatch(each))


def _listed(content: bytes) -> tuple[dict[str, str], int]:
    """Hashes by name, and how many lines are none of such a list."""
    listed, odd = dict[str, str](), 0
    for line in content.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match and match[2] not in listed:
            listed[match[2]] = match[1]
        else:
            odd += 1
    return listed, odd


def _excerpt_files_sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _found(verdict: str, kind: str, detail: str) -> Finding:
    return Finding(verdict, "", 0, 0, kind, "", detail)


# ── ops/offline/excerpt/contents.py ───────────────────────────────────────────────────────────────


_excerpt_contents_RECORD = re.compile(rf"{RECORDS}/([^/]+)\.json")
_MAIL = re.compile(rf"{MAILS}/[^/]+\.eml")
_excerpt_contents_STATEMENT = re.compile(rf"{STATEMENTS}/([^/]+)/(?:{STATEMENT_FILE}|{SIGNATURE_FILE})")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a statement says of an event's entries from first_seq to last_seq."""

    event_id: str
    first_seq: int
    last_seq: int
    detail: str


@dataclass(slots=True)
class Excerpt:
    """box: the mails, then the statements, then the entries whose mail is not here.

    records: of the files. mailed: of the mails. days: of the statements. doubts: what statements
    say of entries that were not as they should be. wrong: about single files.
    """

    box: Mailbox = field(default_factory=Mailbox)
    records: list[Link] = field(default_factory=list)
    mailed: list[Link] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    doubts: list[Doubt] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)


def excerpt_of(contents: Contents) -> Excerpt:
    """Any garbage may be in a file: it is a finding about that file."""
    excerpt = Excerpt()
    for name in filter(_MAIL.fullmatch, sorted(contents)):
        content = contents[name]
        is_whole = len(content) <= MOST_KEPT
        raw = RawMail(content[:MOST_KEPT], name, is_last=True, is_whole=is_whole)
        take_mail(excerpt.box, raw)
    excerpt.mailed = list(excerpt.box.links)
    there = {(each.event_id, each.seq) for each in excerpt.mailed}
    for name in filter(_excerpt_contents_RECORD.fullmatch, sorted(contents)):
        try:
            link = _record(excerpt, name, contents[name])
        except Exception as error:  # noqa: BLE001 - as the docstring says
            excerpt.wrong.append(_unreadable(name, error))
            continue
        excerpt.records.append(link)
        if (link.event_id, link.seq) not in there:
            excerpt.box.links.append(link)
    for day in sorted({match[1] for match in map(_excerpt_contents_STATEMENT.fullmatch, contents) if match}):
        excerpt.wrong += _statement(excerpt, day, contents)
    excerpt.wrong += _unlike_mails(excerpt)
    return excerpt


def _record(excerpt: Excerpt, name: str, content: bytes) -> Link:
    record = json.loads(content)
    if not isinstance(record, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the file
    link = link_of(record)
    stem = entry_stem(link.event_id, link.seq)
    problem = (
        "; ".join(link.faults) if link.faults
        else "the record does not match its own hash" if link.hash != link.computed
        else "the record is not in canonical form" if canonical_json(record) != content
        else f"the record is that of {stem}" if name != f"{RECORDS}/{stem}.json"
        else ""
    )  # fmt: skip
    if problem:
        excerpt.wrong.append(found(INTEGRITY, link, "altered", f"{name}: {problem}"))
    return replace(link, told=told_of(record)) if link.is_sound else link


def _statement(excerpt: Excerpt, day: str, contents: Contents) -> Iterator[Finding]:
    """Takes the one of this day; what the file's names say is not believed."""
    folder = f"{STATEMENTS}/{day}"
    content = contents.get(f"{folder}/{STATEMENT_FILE}")
    signature = contents.get(f"{folder}/{SIGNATURE_FILE}")
    if content is None or signature is None:
        lost = STATEMENT_FILE if content is None else SIGNATURE_FILE
        detail = f"{folder}/{lost} is not here, and what belongs to it is"
        yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
    if content is None:
        return
    excerpt.days.add(day)
    excerpt.box.statement_mails += 1
    name = f"{folder}/{STATEMENT_FILE}"
    try:
        record = json.loads(content)
        sha256 = hashlib.sha256(content).hexdigest()
        problem = (
            "it is not in canonical form" if canonical_json(record) != content
            else "it is not the final one of its day"
            if record["day"] != day or record["is_final"] is not True
            else excerpt.box.statements.take(record, sha256, signature or b"")
        )  # fmt: skip
        excerpt.doubts += _doubts(record)
    except Exception as error:  # noqa: BLE001 - as above
        yield _unreadable(name, error)
        return
    if problem:
        yield Finding(INTEGRITY, "", 0, 0, "altered", "", f"{name}: {problem}")


def _doubts(record: Mapping[str, Any]) -> Iterator[Doubt]:
    said = f"the statement of {record['day']} says that"
    for each in record["extends"]["rewritten"]:
        detail = f"{said} its event's chain was rewritten"
        yield Doubt(each["event_id"], 1, MOST_ENTRIES, detail)
    for event in record["events"]:
        for first, last in event["missing"]:
            yield Doubt(event["event_id"], int(first), int(last), f"{said} it had no row")
        for seq in event["altered"]:
            detail = f"{said} its row was not what was written"
            yield Doubt(event["event_id"], int(seq), int(seq), detail)
        for seq, why in event.get("impossible", ()):
            detail = f"{said} the app never writes such an entry: {str(why)[:200]}"
            yield Doubt(event["event_id"], int(seq), int(seq), detail)


def _unlike_mails(excerpt: Excerpt) -> Iterator[Finding]:
    """Every entry must be here twice, as a record and in its mail, and be the same."""
    mailed: dict[tuple[str, int], set[str]] = {}
    for each in excerpt.mailed:
        mailed.setdefault((each.event_id, each.seq), set()).add(each.sha256)
    recorded = {(each.event_id, each.seq) for each in excerpt.records}
    for each in excerpt.records:
        digests = mailed.get((each.event_id, each.seq))
        if digests is None:
            yield found(COMPLETENESS, each, "missing", NO_MAIL)
        elif each.sha256 not in digests:
            yield found(INTEGRITY, each, "altered", "its mail holds another record than its file")
    for each in excerpt.mailed:
        if (each.event_id, each.seq) not in recorded:
            yield found(COMPLETENESS, each, "missing", "its record is not here, only its mail")


def _unreadable(name: str, error: Exception) -> Finding:
    detail = f"{name} cannot be read: {type(error).__name__}: {error}"[:300]
    return Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail)


# ── ops/offline/excerpt/judged.py ─────────────────────────────────────────────────────────────────


_OF_WHOLE_LEDGERS = frozenset({"missing", "no-statement"})


def judgement_of_excerpt(
    excerpt: Excerpt,
    contents: Contents,
    expected: Sequence[Anchor] = (),
    senders: Iterable[str] = (),
    key: PublicKey | None = None,
) -> Judged:
    """expected: entries that must be here. senders, key: as of a mailbox."""
    box = excerpt.box
    statements, operators = box.statements, box.operators(key).with_unsealed()
    chains = check_chains(box.links, [*box.anchors, *expected], statements.zone)
    result = judged(
        box,
        operators,
        [
            *wrong_sums(contents),
            *excerpt.wrong,
            *about_mails(box, senders),
            *operators.wrong,
            *unrecorded(box.links, operators),
            *_without_gaps(chains),
            *_without_gaps(statements.findings(box.links, chains)),
            *broken_seals(statements.seals, key),
            *_doubtful(excerpt),
            *_lost_relatives(excerpt),
            *_lost_days(excerpt),
        ],
    )
    result.findings = merged([*result.findings, *_lost_heads(excerpt, expected)])
    return result


def _without_gaps(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (each for each in findings if each.kind not in _OF_WHOLE_LEDGERS)


def _doubtful(excerpt: Excerpt) -> Iterator[Finding]:
    """Who is given an excerpt does not read what its statements say of the day."""
    for each in excerpt.box.links:
        for doubt in excerpt.doubts:
            is_meant = doubt.first_seq <= each.seq <= doubt.last_seq
            if is_meant and doubt.event_id == each.event_id:
                yield found(INTEGRITY, each, "contradiction", doubt.detail)


def _lost_relatives(excerpt: Excerpt) -> Iterator[Finding]:
    """What an entry, or its mail, says that it belongs to must be here, too."""
    box = excerpt.box
    there = {(each.event_id, each.payment_id) for each in box.links}
    for each in box.links:
        if each.about and (each.event_id, each.about) not in there:
            detail = f"it is about {each.about}, which is not here"
            yield found(COMPLETENESS, each, "missing", detail)
    for quote in box.quotes:
        other = quote.other
        named = (quote.event_id, other.payment_id)
        is_related = quote.is_looked_up and other.payment_id != quote.about
        if is_related and other.seq and named not in there:
            place = (COMPLETENESS, quote.event_id, quote.seq, quote.seq, "missing")
            detail = f"its mail names {other.payment_id}, which is not here"
            yield Finding(*place, quote.payment_id, detail)


def _lost_days(excerpt: Excerpt) -> Iterator[Finding]:
    """Days are sealed in order: one before a sealed day was sealed, too."""
    last = max(excerpt.days, default="")
    for each in excerpt.box.links:
        if each.is_sound and each.logged_day < last and each.logged_day not in excerpt.days:
            detail = f"the statement of {each.logged_day} is not here"
            yield found(COMPLETENESS, each, "missing", detail)
    logged = {each.logged_day for each in excerpt.box.links}
    for day in sorted(excerpt.days - logged):
        detail = f"no entry of {day} is here, and its statement is"
        yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)


def _lost_heads(excerpt: Excerpt, expected: Iterable[Anchor]) -> Iterator[Finding]:
    there = {(each.event_id, each.seq) for each in excerpt.box.links}
    for each in expected:
        if (each.event_id, each.seq) not in there:
            place = (COMPLETENESS, each.event_id, each.seq, each.seq, "missing")
            yield Finding(*place, "", "it is expected, and not in this excerpt")


@dataclass(frozen=True, slots=True)
class Vouched:
    """An entry, and what speaks for it. has_record, has_mail: here. agree: both hold these bytes.

    day: of the statement that has its number, or empty. numbers: the event's first and last on that
    day. is_chained: hashes lead from the entry to one that a statement holds.
    """

    link: Link
    has_record: bool
    has_mail: bool
    agree: bool
    day: str
    numbers: tuple[int, int]
    is_chained: bool


def vouched(excerpt: Excerpt) -> list[Vouched]:
    """In order of events and numbers. It is worth nothing where there are findings."""
    stated = {(each.event_id, each.day): each for each in excerpt.box.statements.stated}
    records, mails = _digests(excerpt.records), _digests(excerpt.mailed)
    chained = _chained(excerpt.box.links, excerpt.box.anchors)
    entries = {(each.event_id, each.seq, each.sha256): each for each in excerpt.box.links}
    return [
        Vouched(
            link=each,
            has_record=place in records,
            has_mail=place in mails,
            agree=records.get(place) == mails.get(place) == {each.sha256},
            day=each.logged_day if _has(stated, each) else "",
            numbers=_excerpt_judged_numbers(stated, each),
            is_chained=(*place, each.hash) in chained,
        )
        for place, each in ((key[:2], link) for key, link in sorted(entries.items()))
    ]


def _digests(links: Iterable[Link]) -> dict[tuple[str, int], set[str]]:
    """Of records, by event and number."""
    found_at: dict[tuple[str, int], set[str]] = {}
    for each in links:
        found_at.setdefault((each.event_id, each.seq), set()).add(each.sha256)
    return found_at


def _chained(links: Iterable[Link], anchors: Iterable[Anchor]) -> set[tuple[str, int, str]]:
    """Event, number and hash of entries that statements name, and of those that these hang on."""
    named = {(each.event_id, each.seq, each.hash) for each in anchors}
    for each in sorted(links, key=lambda each: -each.seq):
        if each.is_sound and (each.event_id, each.seq, each.hash) in named:
            named.add((each.event_id, each.seq - 1, each.prev_hash))
    return named


def _has(stated: Mapping[tuple[str, str], Stated], link: Link) -> bool:
    first, last = _excerpt_judged_numbers(stated, link)
    return first <= link.seq <= last


def _excerpt_judged_numbers(stated: Mapping[tuple[str, str], Stated], link: Link) -> tuple[int, int]:
    of_day = stated.get((link.event_id, link.logged_day))
    return (of_day.first_seq, of_day.last_seq) if of_day else (0, 0)


# ── ops/offline/excerpt/told.py ───────────────────────────────────────────────────────────────────


NOT_CHECKED = (
    "This is an excerpt: what is not in it was not checked, which is all other entries, mails and "
    "statements, and whether anything about these entries was logged later. Ask for the whole "
    "mailbox to check that."
)
VOUCHED_FOR = "vouched_for"
SELF_MADE = (
    "whoever made this folder could have made that up. Whoever may see all mails, or the ledger, "
    "can tell: ask them"
)
_MOST_NAMED = 5


def excerpt_summary(
    excerpt: Excerpt, contents: Contents, result: Judged, key: PublicKey | None = None
) -> dict[str, Any]:
    """The report as plain data; of a mailbox's, without what only a whole one can say."""
    whole = summary(excerpt.box, result, key)
    for name in ("events", "only_copies"):
        del whole[name]
    is_signed = key is not None and not any(each.kind == "broken-seal" for each in result.findings)
    entries = [
        _entry(each, is_signed=is_signed, is_wrong=_is_wrong(each, result))
        for each in vouched(excerpt)
    ]
    is_vouched = all(each["is_vouched"] for each in entries) and bool(entries)
    unsealed = [each.told() for each in excerpt.box.operators(key).unsealed]
    return whole | {
        VOUCHED_FOR: is_vouched and not (unsealed or result.findings),
        "unsealed": unsealed,
        "excerpt": entries,
        "notes": [*_excerpt_told_notes(excerpt, contents, key), *result.notes],
    }


def excerpt_report(content: Mapping[str, Any]) -> Iterator[str]:
    """The report for people. What nothing signed holds is never called ok."""
    yield f"Excerpt of {count_line(content)}"
    for each in content["excerpt"]:
        name = each["event_id"].encode("unicode_escape").decode()
        yield f"  {name} {span_text(each['seq'], 0)} {each['kind']}: {each['told']}"
    yield from verdict_lines(content, "ok" if content[VOUCHED_FOR] else "self-consistent")
    yield f"VOUCHED FOR: {'ok' if content[VOUCHED_FOR] else 'NO'}"
    if not content[VOUCHED_FOR]:
        yield from _unvouched(content)
    yield NOT_CHECKED


def _unvouched(content: Mapping[str, Any]) -> Iterator[str]:
    if content["findings"]:
        yield "  what is wrong speaks against all of it"
    numbers = [
        f"{each['event_id']} {span_text(each['seq'], 0)}".encode("unicode_escape").decode()
        for each in content["excerpt"]
        if not each["is_vouched"]
    ]
    if numbers:
        more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
        yield f"  nothing signed holds the content of {', '.join(numbers[:_MOST_NAMED])}{more}:"
        yield f"  {SELF_MADE}"
    for told in content["unsealed"]:
        yield f"  no statement here names the operators' record: {printable(told)}"


def _is_wrong(entry: Vouched, result: Judged) -> bool:
    link = entry.link
    return any(
        each.verdict == INTEGRITY
        and each.event_id == link.event_id
        and each.seq <= link.seq <= each.last_seq
        for each in result.findings
    )


def _entry(vouched_for: Vouched, *, is_signed: bool, is_wrong: bool) -> dict[str, Any]:
    link = vouched_for.link
    return {
        "event_id": link.event_id,
        "seq": link.seq,
        "kind": link.kind,
        "payment_id": link.payment_id,
        "has_mail": vouched_for.has_mail,
        "statement": vouched_for.day,
        "is_chained": vouched_for.is_chained,
        "is_vouched": vouched_for.is_chained and is_signed,
        "told": f"{_agreement(vouched_for, is_wrong=is_wrong)}; "
        f"{_hold(vouched_for, is_signed=is_signed)}",
    }


def _agreement(each: Vouched, *, is_wrong: bool) -> str:
    """What record and mail say of each other, in words."""
    if not each.has_mail:
        return "its mail is not here"
    if not each.has_record:
        return "its record is not here"
    if not each.agree:
        return "record and mail DO NOT AGREE"
    return "something about it is WRONG, see below" if is_wrong else "record and mail agree"


def _hold(each: Vouched, *, is_signed: bool) -> str:
    """What a statement says of an entry, in words."""
    signed = "signed " if is_signed else ""
    if each.is_chained and not each.day:
        return f"a {signed}statement vouches for its hash"
    if not each.day:
        return "no statement has its number"
    stated = f"the {signed}statement of {each.day} has its number"
    if each.is_chained:
        return f"{stated}, and vouches for its hash"
    return (
        f"{stated}, among {span_text(*each.numbers)}, but not its hash: the chain goes on through "
        "entries of others"
    )


def _excerpt_told_notes(excerpt: Excerpt, contents: Contents, key: PublicKey | None) -> Iterator[str]:
    yield from excerpt.box.notes
    lacking = {each.link.logged_day for each in vouched(excerpt) if _has_nothing(each)}
    for day in sorted(lacking - excerpt.days):
        yield (
            f"no statement of {day} is here: nothing signed vouches for its entries. If that day "
            "was not over when the excerpt was made, ask for a new one"
        )
    others = unlisted(contents)
    if others:
        named = ", ".join(others[:_MOST_NAMED])
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        yield f"not a part of the excerpt, and not read: {named}{more}"
    if excerpt.days and key is None:
        yield UNSIGNED
    if excerpt.box.links and not has_zones():
        yield NO_ZONES


def _has_nothing(entry: Vouched) -> bool:
    """No statement speaks for it."""
    return entry.link.is_sound and not entry.is_chained


# ── ops/offline/program.py ────────────────────────────────────────────────────────────────────────


FINE, FOUND, CANNOT, UNVOUCHED = 0, 1, 2, 3  # exit codes
Checked = tuple[dict[str, Any], Iterator[str]]  # the report as data, and for people


class _Parser(argparse.ArgumentParser):
    """Arguments may be file names, and a file name may hold anything."""

    def error(self, message: str) -> NoReturn:
        self.exit(CANNOT, f"{self.format_usage()}{_harmless(message)}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _Parser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "files", metavar="FILE", type=Path, nargs="+", help=".mbox, Takeout's .zip, .eml, a folder"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "--expect-head", metavar="EVENT=SEQ:HASH", action="append", default=[],
        help="an entry that the event's chain must contain; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--sender", metavar="ADDRESS", action="append", default=[],
        help="who may have sent the mails, or got them; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--key", metavar="FILE", type=Path, help="the public key that signs the statements"
    )
    parser.add_argument(
        "--excerpt", action="store_true",
        help="FILE is the folder of one payment's zip, from `scc evidence`",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        content, told = (_excerpt if options.excerpt else _mailbox)(options)
    except (OSError, ValueError) as error:
        return _cannot(why_not(error))
    try:
        for line in json.dumps(content, indent=2).split("\n") if options.json else told:
            print(_harmless(line))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough, such as `head`; nothing more is flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _exit_code(content)


def _exit_code(content: Mapping[str, Any]) -> int:
    if not (content[INTEGRITY] and content[COMPLETENESS]):
        return FOUND
    return FINE if content.get(VOUCHED_FOR, True) else UNVOUCHED


def _mailbox(options: argparse.Namespace) -> Checked:
    key, expected = _known(options)
    box = read_mailbox(options.files)
    if box.is_empty:
        raise ValueError(f"{options.files[0]}: {box.mails} mails, none of them an audit mail")
    for each in filter(is_excerpt, options.files):
        box.note(f"{each} is the excerpt of one payment: check it with --excerpt")
    content = summary(box, judgement(box, expected, options.sender, key), key)
    return content, report(content)


def _excerpt(options: argparse.Namespace) -> Checked:
    if len(options.files) > 1:
        raise ValueError("--excerpt checks one folder at a time")
    key, expected = _known(options)
    contents = read_folder(options.files[0])
    excerpt = excerpt_of(contents)
    result = judgement_of_excerpt(excerpt, contents, expected, options.sender, key)
    content = excerpt_summary(excerpt, contents, result, key)
    return content, excerpt_report(content)


def _known(options: argparse.Namespace) -> tuple[PublicKey | None, list[Anchor]]:
    """What the auditor brings: the key and the heads. Raises OSError, ValueError."""
    key = read_public_key(options.key) if options.key else None
    return key, [expected_head(each) for each in options.expect_head]


def _cannot(sentence: str) -> int:
    print(_harmless(sentence), file=sys.stderr)
    return CANNOT


def _harmless(text: str) -> str:
    """One line of ASCII for a terminal, which would obey escape codes in a name."""
    return "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in text)


if __name__ == "__main__":
    sys.exit(main())
