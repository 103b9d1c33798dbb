"""The files that mailboxes come in: mbox, a zip of them as Takeout makes it, .eml, a folder.

Every file is read as a stream, one mail at a time, whatever its size. What cannot be read is a
ValueError with a sentence that says what to export instead.
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

MOST_BYTES = 100 * 2**20  # of one mail; Gmail takes half of that
MOST_RATIO = 200  # a zip's content to its size; mails shrink to a fifth
_SEPARATOR = re.compile(rb"From \S")  # mbox: every mail starts with it, after an empty line
_QUOTED = re.compile(rb">+From ")
_HEADER = re.compile(rb"[!-9;-~]+:")
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*(\d{1,12})\s*$")
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)  # OSError: bzip2's
_BOM = b"\xef\xbb\xbf"
_EXPORT = "export the mailbox as .mbox, or give the zip that Google Takeout made"
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


@dataclass(frozen=True, slots=True)
class RawMail:
    """where: for people. is_last: of its file. is_cut: the file ends inside a line of it."""

    content: bytes
    where: str
    is_last: bool = False
    is_cut: bool = False


def mails_in(paths: Iterable[Path]) -> Iterator[RawMail]:
    """All mails of these files and folders. Raises OSError, and ValueError with the file's name."""
    for path in paths:
        try:
            yield from _folder(path) if path.is_dir() else _file(path)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error


def _folder(path: Path) -> Iterator[RawMail]:
    names = sorted(each for each in path.rglob("*") if each.suffix.lower() in {".eml", ".mbox"})
    if not names:
        raise ValueError("the folder has no .eml and no .mbox file")
    for each in names:
        with each.open("rb") as file:
            yield from _mails(file, f"of {each.relative_to(path)}")


def _file(path: Path) -> Iterator[RawMail]:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(b"PK"):
            yield from _zip(file)
        else:
            yield from _mails(file, "of the file")


def _zip(file: IO[bytes]) -> Iterator[RawMail]:
    try:
        with _unpackable():
            archive = zipfile.ZipFile(file)
        with archive:
            for each in _members(archive):
                with _unpackable():
                    content = archive.open(each)
                with content:
                    yield from _mails(content, f"of {each.filename[-100:]}")
    except _DAMAGED as error:
        raise ValueError(f"the zip is damaged or cut off ({error}): download it again") from error


@contextmanager
def _unpackable() -> Iterator[None]:
    """A password, or a way of packing that zipfile lacks (NotImplementedError), has a sentence."""
    try:
        yield
    except RuntimeError as error:
        raise ValueError(f"the zip cannot be unpacked here ({error})") from error


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Its mailboxes and mails. Raises ValueError for a zip that no mailbox is in."""
    inside = [each for each in archive.infolist() if each.filename and not each.is_dir()]
    wanted = [each for each in inside if _suffix(each) in {".mbox", ".eml"}]
    if not wanted:
        inner = "a zip inside a zip" if any(_suffix(e) == ".zip" for e in inside) else "no mail"
        raise ValueError(f"the zip has {inner}: it must hold .mbox or .eml files")
    packed = sum(each.compress_size for each in wanted)
    if sum(each.file_size for each in wanted) > MOST_RATIO * packed + 10 * 2**20:
        raise ValueError(
            f"the zip would unpack to over {MOST_RATIO} times its size, which no mailbox does: "
            "it was not opened"
        )
    return wanted


def _suffix(member: zipfile.ZipInfo) -> str:
    path = PurePosixPath(member.filename)
    return "" if path.parts[:1] == ("__MACOSX",) else path.suffix.lower()


def _mails(file: IO[bytes], where: str) -> Iterator[RawMail]:
    lines = _lines(file)
    first = next(lines, b"")
    for start, sentence in _UNREADABLE.items():
        if first.startswith(start):
            raise ValueError(sentence)
    first = first.removeprefix(_BOM)
    while first and not first.strip():
        first = next(lines, b"")
    if _SEPARATOR.match(first):
        yield from _numbered(split_mbox(_again(first, lines)), where)
    elif _HEADER.match(first):
        content = b"".join(_limited(_again(first, lines)))
        yield RawMail(content, f"the mail {where}", is_last=True)
    else:
        raise ValueError(f"it is neither an mbox file nor a mail: {_EXPORT}")


def _numbered(mails: Iterator[bytes], where: str) -> Iterator[RawMail]:
    before, number = next(mails, None), 1
    while before is not None:
        after = next(mails, None)
        is_cut = after is None and not before.endswith(b"\n")
        yield RawMail(before, f"mail {number} {where}", after is None, is_cut)
        before, number = after, number + 1


def split_mbox(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of an mbox, quoted as mboxrd or mboxo. Raises ValueError for mboxcl2."""
    mail: list[bytes] = []
    size = 0
    is_begun, is_blank = False, True
    lengths = _Lengths()
    for line in lines:
        if is_blank and _SEPARATOR.match(line):
            lengths.separator(line)
            if is_begun:
                yield b"".join(mail)
            mail, size, is_begun = [], 0, True
        elif is_begun:
            lengths.line(line)
            mail.append(line[1:] if _QUOTED.match(line) else line)
            size += len(line)
            if size > MOST_BYTES:
                raise ValueError(f"a mail is larger than {MOST_BYTES >> 20} MB: {_EXPORT}")
        is_blank = not line.strip(b"\r\n")
    if is_begun:
        yield b"".join(mail)


class _Lengths:
    """Notices mboxcl2, where a length and not a quoted line tells where a mail ends.

    Anybody can send a mail with a length in its header. Only a separator that lies inside a mail
    whose length ends exactly at another separator shows that lengths count.
    """

    def __init__(self) -> None:
        self._is_header, self._length, self._left = False, -1, -1
        self._passed = False

    def separator(self, line: bytes) -> None:
        if self._passed and self._left in {0, -1, -2}:
            raise ValueError(f"it is an mboxcl2 file, whose mails cannot be told apart: {_EXPORT}")
        if self._left > 2 and self._length > 0:
            self._passed, self._left = True, self._left - len(line)
            return
        self._is_header, self._length, self._left, self._passed = True, -1, -1, False

    def line(self, line: bytes) -> None:
        if self._is_header:
            match = _LENGTH.match(line)
            self._length = int(match[1]) if match else self._length
            if not line.strip(b"\r\n"):
                self._is_header, self._left = False, self._length
        elif self._length > 0:
            self._left -= len(line)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, the longest in pieces: a file without line ends must not fill the memory."""
    while line := file.readline(2**20):
        yield line


def _limited(lines: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for line in lines:
        size += len(line)
        if size > MOST_BYTES:
            raise ValueError(f"a mail is larger than {MOST_BYTES >> 20} MB: {_EXPORT}")
        yield line


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
