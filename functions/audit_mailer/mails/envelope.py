"""The envelope of every mail: addresses, subject, headers, both texts and the attached record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from functions.audit_mailer.mails.page import Page, to_html, to_text
from shared.ledger import PaymentId, canonical_json
from shared.text import one_line, search_token

HEADER_WIDTH = 76  # of a line, as RFC 2047 wants it
REISSUE = "X-SCC-Reissue"
OWN_HEADERS = frozenset({"X-SCC-Payment-Id", "X-SCC-Ops-Id", "X-SCC-Statement", REISSUE})
_ID = re.compile(r"[A-Za-z0-9._+@-]{1,200}")


@dataclass(frozen=True, slots=True)
class Addresses:
    """From whose mailbox audit mails are sent, and to which one."""

    sender: str
    recipient: str

    @property
    def domain(self) -> str:
        return Address(addr_spec=self.sender).domain


@dataclass(frozen=True, slots=True)
class Record:
    """The attachment that proves a mail: canonical JSON, because Gmail may rewrite the text."""

    filename: str
    content: bytes

    @classmethod
    def of(cls, values: Mapping[str, Any], filename: str) -> Record:
        return cls(filename, canonical_json(values))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside the record."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says. own_id: of the entry, statement or ops record. written_at: epoch ms.

    name: what its Message-ID is made of; own_id if empty. subject: without the search token.
    headers: those of this kind of mail only. follows: the payment whose conversation it joins.
    more: files that prove the record.
    """

    own_id: str
    subject: str
    written_at: int
    page: Page
    record: Record
    name: str = ""
    more: Sequence[Attachment] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    follows: PaymentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMail:
    """A mail as it is handed to Gmail. token: the word by which Gmail's search finds it.

    own_headers: those by which it is known, beside its record. written_at: epoch milliseconds.
    """

    token: str
    message_id: str
    own_headers: Mapping[str, str]
    record_sha256: str
    written_at: int
    recipient: str
    content: bytes
    follows: PaymentId | None = None


def sealed(letter: Letter, addresses: Addresses) -> AuditMail:
    """The mail, ready to send. The same letter always gives the same headers and texts.

    Raises ValueError for an id that no header can hold.
    """
    token = search_token(letter.own_id)
    message_id = f"<{plain_id(letter.name or letter.own_id)}@{addresses.domain}>"

    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("SCC Payment Audit", addr_spec=addresses.sender)
    mail["To"] = Address(addr_spec=addresses.recipient)
    mail["Date"] = format_datetime(moment(letter.written_at))
    mail["Message-ID"] = message_id
    mail["List-Id"] = f"<payment-audit.{addresses.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    for name, value in letter.headers.items():
        mail[name] = value
    mail.set_content(to_text(letter.page), cte="quoted-printable")
    mail.add_alternative(to_html(letter.page), subtype="html", cte="quoted-printable")
    mail.add_attachment(
        letter.record.content,
        maintype="application",
        subtype="json",
        filename=letter.record.filename,
    )
    for each in letter.more:
        mail.add_attachment(
            each.content, maintype="application", subtype="octet-stream", filename=each.filename
        )
    return AuditMail(
        token=token,
        message_id=message_id,
        own_headers={name: each for name, each in letter.headers.items() if name in OWN_HEADERS},
        written_at=letter.written_at,
        recipient=addresses.recipient,
        record_sha256=letter.record.sha256,
        content=header_field("Subject", f"{letter.subject} - {token}") + mail.as_bytes(),
        follows=letter.follows,
    )


def header_field(name: str, text: str) -> bytes:
    """The line or lines of a header that holds data: the one way in which any of ours is encoded.

    Not by EmailMessage: it encodes word by word, and CPython then loses spaces between a word that
    is ASCII and one that is not, or leaves an encoded word as text.
    """
    line = header_line(text)
    charset = None if line.isascii() else "utf-8"
    value = Header(line, charset, maxlinelen=HEADER_WIDTH, header_name=name)
    folded = value.encode(linesep="\r\n")
    return f"{name}: {folded}\r\n".encode("ascii")


def header_line(text: str) -> str:
    """Text that is safe as a header's value, with single spaces, as readers unfold it.

    What looks like an encoded word (RFC 2047) would be decoded, line breaks included: a name could
    write headers of its own. So would half of one that another half follows.
    """
    return " ".join(one_line(text).split()).replace("=?", "= ?").replace("?=", "? =")


def plain_id(text: str) -> str:
    """An id that headers can hold as it is. Raises ValueError for anything else."""
    if not _ID.fullmatch(text):
        raise ValueError(f"not an id that a mail can be named by: {text[:40]!r}")
    return text


def moment(milliseconds: int) -> datetime:
    """A header's Date has whole seconds."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def utc(milliseconds: int) -> str:
    return moment(milliseconds).strftime("%Y-%m-%d %H:%M:%S UTC")
