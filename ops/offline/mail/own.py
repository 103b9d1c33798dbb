"""A mail of ours, taken apart: its one header, its attachments and its texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect
from email.message import Message

from functions.audit_mailer.mails.envelope import REISSUE
from ops.offline.mail.envelope import (
    decoded,
    header_problem,
    leaves,
    structure_problem,
    subject_of,
)
from ops.offline.mail.shown import Seen
from shared.statements.places import SIGNATURE_FILE

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
