"""The files that mailboxes come in: mbox, a zip of them as Takeout makes it, .eml, a folder.

Every file is read as a stream, one mail at a time, whatever its size. What cannot be read is a
ValueError with a sentence that says what to export instead; one bad file among others is skipped.
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO

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
