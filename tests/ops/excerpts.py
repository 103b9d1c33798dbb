"""The excerpt of a corrected payment, made by the rules of `scc evidence`, and checked."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from functions.audit_mailer.mails.statement_mail import StoredStatement
from functions.daily_statement.rules.continuity import ChainEnd
from ops.offline.excerpt.contents import excerpt_of
from ops.offline.excerpt.files import KEY_FILE
from ops.offline.excerpt.judged import judgement_of_excerpt
from ops.offline.ledger.public_key import public_key_of
from ops.offline.settled import Judged
from ops.rules.evidence.archive import (
    README_FILE,
    VERIFIER_FILE,
    entry_files,
    packed,
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

RECORD, MAIL = "records/sunset-charter-000002.json", "mails/sunset-charter-000002.eml"
VOID, VOID_MAIL = "records/sunset-charter-000004.json", "mails/sunset-charter-000004.eml"
DAY = "2025-11-24"
STATEMENT, SIGNATURE = f"statements/{DAY}/statement.json", f"statements/{DAY}/statement.sig"
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
    reissues: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> dict[str, bytes]:
    """All files but the list of their hashes. entries: of one payment. reissues: of their mails."""
    rows = [each.to_row() for each in entries]
    files: dict[str, bytes] = {}
    for stem, row in zip(stems_of(rows), rows, strict=True):
        files |= dict(entry_files(stem, row, [mail(row, entries)]))
    for each in statements:
        files |= dict(statement_files(each.place.day, each.content, each.signature))
    files |= {KEY_FILE: public_key(), VERIFIER_FILE: VERIFIER.read_bytes()}
    key_sha256 = hashlib.sha256(public_key(Encoding.DER)).hexdigest()
    text = readme(entries[0].payment_id, rows, files, gaps, key_sha256, reissues)
    return files | {README_FILE: text.encode()}


def complete(files: dict[str, bytes]) -> dict[str, bytes]:
    """With the hashes of what is in it now."""
    return with_hashes(files)


def checked(
    folder: Path, *arguments: str, key: str = "key.pem"
) -> subprocess.CompletedProcess[str]:
    """As README.txt says, in the folder: no packages, no environment, warnings are errors."""
    command = [sys.executable, "-I", "-S", "-W", "error", "verify_mbox.py", ".", "--excerpt"]
    command += ["--key", key] if key else []
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def unpacked(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(packed(files))) as archive:
        archive.extractall(folder)
    return folder


def judged(files: Mapping[str, bytes]) -> Judged:
    """What the verifier would say, in this process."""
    key = public_key_of(public_key(), "the key")
    return judgement_of_excerpt(excerpt_of(files), files, key=key)


def told(files: Mapping[str, bytes]) -> list[str]:
    return [f"{each.kind} {each.detail}" for each in judged(files).findings]


def found(folder: Path, files: Mapping[str, bytes], **more: Any) -> tuple[int, list[str]]:
    answer = checked(unpacked(folder / "excerpt", files), "--json", **more)
    assert "Traceback" not in answer.stderr
    findings = json.loads(answer.stdout)["findings"] if answer.stdout else []
    return answer.returncode, [f"{each['kind']} {each['detail']}" for each in findings]
