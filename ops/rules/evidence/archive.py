"""The files of an excerpt, and their zip: the same contents always make the same bytes. Pure."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ops.offline.excerpt.files import (
    MAILS,
    RECORDS,
    STATEMENT_FILE,
    STATEMENTS,
    SUMS,
    Contents,
    entry_stem,
    hash_list,
)
from shared.ledger import canonical_json, record_of
from shared.statements.places import SIGNATURE_FILE
from shared.text import file_name

README_FILE, VERIFIER_FILE = "README.txt", "verify_mbox.py"
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_NAME = re.compile(rf"(?:{_PART}/){{0,2}}{_PART}")
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can name
_UNIX, _PLAIN_FILE = 3, 0o100644 << 16


def entry_files(
    stem: str, row: Mapping[str, Any], mails: Sequence[bytes]
) -> Iterator[tuple[str, bytes]]:
    """An entry's record and mails by name. A row with a value that no entry has has no record."""
    with suppress(TypeError, ValueError):
        yield f"{RECORDS}/{stem}.json", canonical_json(record_of(row))
    for number, mail in enumerate(mails, start=1):
        which = f"-{number}" if number > 1 else ""
        yield f"{MAILS}/{stem}{which}.eml", mail


def record_file(ops_id: str) -> str:
    """What the mail of an operators' record is called."""
    return f"{MAILS}/{file_name(ops_id)}.eml"


def statement_files(
    day: str, content: bytes | None, signature: bytes | None
) -> Iterator[tuple[str, bytes]]:
    """Of one sealed day, as far as they are there. day: YYYY-MM-DD."""
    if content is not None:
        yield f"{STATEMENTS}/{day}/{STATEMENT_FILE}", content
    if signature is not None:
        yield f"{STATEMENTS}/{day}/{SIGNATURE_FILE}", signature


def stems_of(chain: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the files of each entry are called.

    An altered row may say anything, or what another one says: its id tells it apart.
    """
    stems: list[str] = []
    for row in chain:
        event_id, seq = row.get("event_id"), row.get("seq")
        stem = entry_stem(str(event_id), seq if type(seq) is int else 0)
        is_told_apart = stem not in stems and isinstance(event_id, str)
        stems.append(stem if is_told_apart else f"{stem}-{file_name(str(row.get('payment_id')))}")
    return stems


def with_hashes(contents: Contents) -> dict[str, bytes]:
    return {**contents, SUMS: hash_list(contents)}


def packed(contents: Contents) -> bytes:
    """A zip. Raises ValueError for a name that could lead out of the folder it is unpacked in."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(contents):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a file in a zip")
            member = zipfile.ZipInfo(name, _MOMENT)
            member.create_system, member.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(member, contents[name], zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()
