"""The files of an excerpt: which there are, where they lie, and the list of their hashes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding
from shared.text import file_name

SUMS = "SHA256SUMS"  # as `sha256sum` writes and checks it
RECORDS, MAILS, STATEMENTS = "records", "mails", "statements"
STATEMENT_FILE = "statement.json"
KEY_FILE = "key.pem"
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


def hash_list(contents: Contents) -> bytes:
    """The list of all files' hashes, itself not among them."""
    lines = (f"{_sha256(contents[name])}  {name}\n" for name in sorted(contents))
    return "".join(lines).encode()


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
        elif _sha256(contents[name]) != sha256:
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


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _found(verdict: str, kind: str, detail: str) -> Finding:
    return Finding(verdict, "", 0, 0, kind, "", detail)
