"""The audit mail: a ledger entry as a person files it and as a machine verifies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from functions.audit_mailer.mails.envelope import (
    REISSUE,
    Addresses,
    AuditMail,
    Letter,
    Record,
    plain_id,
    sealed,
)
from functions.audit_mailer.mails.page import Page, PageLink, Section, clipped
from functions.audit_mailer.mails.related import (
    Related,
    name_of,
    notice,
    number_of,
    original_id,
    reason_of,
    sections,
)
from shared.ledger import LedgerEntry, record_of
from shared.methods import label_of
from shared.text import dollars, file_name, search_token
from shared.zones import zone_called

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
ALONE = Related()


@dataclass(frozen=True, slots=True)
class Reissue:
    """A mail that is issued again. run: of the ops records about it. at: when (epoch ms)."""

    run: str
    at: int


def compose(
    row: Mapping[str, Any],
    addresses: Addresses,
    related: Related = ALONE,
    app_url: str = "",
    reissue: Reissue | None = None,
) -> AuditMail:
    """The mail about one Payments row. app_url: of the app, without a slash at its end; or empty.

    reissue: marks it as a second mail with the same record. Raises MalformedEntryError, and
    ValueError for an id that no header can hold.

    The attached record is the canonical one, byte for byte: Gmail's `send` may rewrite the text of
    a mail, never an attachment. The mail must not contain another mail's token: a search for that
    one, made before it is sent again, would find this one.
    """
    entry = LedgerEntry.from_row(row)
    record = Record.of(record_of(row), payment_file(entry))
    follows = original_id(entry)
    letter = Letter(
        own_id=entry.payment_id,
        name=reissue.run if reissue else "",
        subject=payment_subject(entry, related, reissue.run if reissue else ""),
        written_at=reissue.at if reissue else entry.logged_at,
        headers={
            "X-SCC-Payment-Id": entry.payment_id,
            **({REISSUE: plain_id(reissue.run)} if reissue else {}),
            **_thread(entry, related, addresses),
        },
        page=payment_page(
            entry, related, record.sha256, app_url, reissue=reissue.run if reissue else ""
        ),
        record=record,
        follows=follows,
    )
    return sealed(letter, addresses)


def _thread(entry: LedgerEntry, related: Related, addresses: Addresses) -> dict[str, str]:
    """One conversation for a payment and all that follows from it, corrections of corrections too.

    Its first name is that of no mail: `send` gives every mail another Message-ID.
    """
    about = original_id(entry)
    chain = [*related.earlier, about] if about else [entry.payment_id]
    mails = [f"<{plain_id(each)}@{addresses.domain}>" for each in chain]
    root = f"<{chain[0]}.thread@{addresses.domain}>"
    if not about:
        return {"References": root}
    return {"References": " ".join([root, *mails]), "In-Reply-To": mails[-1]}


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
        notice=" ".join(filter(None, (notice(entry, related), _reissued(reissue)))),
        link=PageLink(OPEN, app_url + payment_path(entry)) if app_url else None,
        sections=[
            *sections(entry, related),
            Section(entry.kind.capitalize(), _what(entry, related)),
            Section("Logging", _when(entry, event_time)),
            Section("Proof", _proof(entry, record_sha256)),
        ],
        closing=[HOW_TO_VERIFY, HOW_TO_FIND.format(about or entry.payment_id)],
    )


def _reissued(run: str) -> str:
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
        ("Logged at (server)", _moment(entry.logged_at, "UTC")),
        ("Logged at (event)", event_time or _moment(entry.logged_at, entry.event_timezone)),
        ("Captured at", _moment(entry.timestamp, "UTC")),
    ]


def _proof(entry: LedgerEntry, record_sha256: str) -> list[tuple[str, ...]]:
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


def _moment(milliseconds: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.astimezone(zone_called(timezone) or UTC).strftime("%Y-%m-%d %H:%M:%S %Z")
