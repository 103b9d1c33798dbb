"""The entries that another one is about: what a mail calls them, and what changed between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.audit_mailer.mails.envelope import utc
from functions.audit_mailer.mails.page import LONGEST_ADDRESS, Section, clipped
from shared.ledger import LedgerEntry, PaymentId
from shared.methods import label_of
from shared.text import dollars


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
        rows = [("Voided payment", _told(related.original, original))]
        if after:
            rows.append(("Replaced by", _told(after, None)))
    elif entry.corrects:
        changes = _changes(related.original, entry)
        rows = [
            ("Replaced payment", _told(related.original, original)),
            ("Voided by", _told(related.void, None)),
        ]
    else:
        return [Section("Other entries", [("Refunded payment", _told(related.original, original))])]
    return [
        Section("What changes", changes, ("Before", "After")),
        Section("Other entries", rows),
    ]


def reason_of(entry: LedgerEntry) -> str:
    return (entry.reason or "no reason given").replace("_", " ")


def _full_name(entry: LedgerEntry | None, payment_id: str | None) -> str:
    return f"{number_of(entry)} ({entry.payment_id})" if entry else name_of(None, payment_id)


def _told(entry: LedgerEntry | None, payment_id: str | None) -> str:
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
