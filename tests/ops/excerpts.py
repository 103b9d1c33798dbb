"""The excerpt of a corrected payment, made by the rules that `scc evidence` makes one with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.serialization import Encoding

from functions.audit_mailer.mails.statement_mail import StoredStatement
from functions.daily_statement.rules.continuity import ChainEnd
from ops.offline.excerpt.files import KEY_FILE
from ops.rules.evidence.archive import (
    README_FILE,
    VERIFIER_FILE,
    entry_files,
    statement_files,
    stems_of,
    with_hashes,
)
from ops.rules.evidence.gaps import Gap
from ops.rules.evidence.readme import readme
from ops.shipped import VERIFIER
from shared.ledger import LedgerEntry
from tests.builders import NOW
from tests.ops.mailboxes import chain, corrected, mail, voided
from tests.statements import drawn_up, public_key, stored

TOMORROW = NOW + 24 * 3_600_000


def corrected_payment(at: int = NOW + 10) -> tuple[list[LedgerEntry], list[LedgerEntry]]:
    """An event's entries, and those of them that belong to a payment: #2, its void, its correction.

    at: when it was voided, in epoch milliseconds.
    """
    entries = chain(3)
    void = voided(entries[1], entries[-1], logged_at=at)
    correction = corrected(entries[1], void, amount_cents=999)
    return [*entries, void, correction], [entries[1], void, correction]


def sealed(entries: Sequence[LedgerEntry]) -> list[StoredStatement]:
    """The statements of the days on which an event's entries were logged."""
    made: list[StoredStatement] = []
    for day in sorted({each.logged_day for each in entries}):
        own = [each for each in entries if each.logged_day == day]
        before = ChainEnd(seq=own[0].seq - 1, hash=own[0].prev_hash)
        statement = drawn_up([each.to_row() for each in own], day, before=before)
        made.append(stored(statement, made[-1] if made else None))
    return made


def excerpt(
    entries: Sequence[LedgerEntry],
    statements: Sequence[StoredStatement] = (),
    gaps: Sequence[Gap] = (),
) -> dict[str, bytes]:
    """All files but the list of their hashes. entries: of one payment."""
    rows = [each.to_row() for each in entries]
    files: dict[str, bytes] = {}
    for stem, row in zip(stems_of(rows), rows, strict=True):
        files |= dict(entry_files(stem, row, [mail(row, entries)]))
    for each in statements:
        files |= dict(statement_files(each.place.day, each.content, each.signature))
    files |= {KEY_FILE: public_key(), VERIFIER_FILE: VERIFIER.read_bytes()}
    key_sha256 = hashlib.sha256(public_key(Encoding.DER)).hexdigest()
    text = readme(entries[0].payment_id, rows, files, gaps, key_sha256)
    return files | {README_FILE: text.encode()}


def complete(files: dict[str, bytes]) -> dict[str, bytes]:
    """With the hashes of what is in it now."""
    return with_hashes(files)
