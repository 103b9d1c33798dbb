"""The envelope of our mails, read strictly: headers and parts that every program reads alike.

The twin of functions/audit_mailer/mails/envelope.py. Gmail adds headers of its own, such as
Received and ARC seals, and `send` replaces Message-ID, Date and boundaries: those may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

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
_RECORD = "application/json"
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
            what = "record" if kind == _RECORD else "signature"
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
