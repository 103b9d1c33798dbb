"""What messages.send does to a mail: its own Message-ID and Date, the real sender, a new text part.

We change the header line by line, so fields that Gmail leaves alone keep their bytes. Sources:
headers of mails sent with "gmailapi.google.com with HTTPREST" in public archives.
"""

import copy
import email
import io
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.charset import QP, Charset
from email.generator import BytesGenerator
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime, formataddr

from local.gmail_sandbox.mime import Mail, is_body, leaves
from local.gmail_sandbox.plaintext import plain_from_html

PROJECT_NUMBER = "482604113377"
_REPLACED = {b"message-id", b"date", b"from", b"return-path", b"delivered-to"}
_MIME_FIELDS = {b"mime-version", b"content-type", b"content-transfer-encoding"}
_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_="


@dataclass(frozen=True, slots=True)
class Rewritten:
    sent: bytes
    """The sender's copy, with the MIME body as it was submitted."""
    delivered: bytes
    """What the recipients get, with the text part made from the HTML."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: bytes
    lines: bytes


def rewrite_for_sending(raw: bytes, mail: Mail, *, sender: str, now: int) -> Rewritten:
    """Make both copies of a sent mail. `now`: epoch milliseconds."""
    fields, body = _split(raw)
    api = f"from {PROJECT_NUMBER} named unknown by gmailapi.google.com with HTTPREST"
    moment = format_datetime(datetime.fromtimestamp(now // 1000, UTC))
    new = [
        _field("Received", f"{api};\r\n {moment}"),
        _field("From", _sender_header(mail, sender)),
        _field("Date", moment),
        _field("Message-ID", f"<{_gmail_id()}@mail.gmail.com>"),
    ]
    kept = [field for field in fields if field.name not in _REPLACED]
    sent = _join(new + kept, body)
    mime_fields, new_body = _with_plain_from_html(sent, mail)
    unchanged = [field for field in kept if field.name not in {b"bcc", *_MIME_FIELDS}]
    return Rewritten(sent, _join(new + unchanged + mime_fields, new_body))


def addressed_to(raw: bytes, mailbox: str, sender: str) -> bytes:
    """Add the trace fields of the mailbox that a copy is delivered to."""
    trace = [_field("Delivered-To", mailbox), _field("Return-Path", f"<{sender}>")]
    return b"".join(field.lines for field in trace) + raw


def _gmail_id() -> str:
    return "CA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(48)) + secrets.token_hex(1)


def _sender_header(mail: Mail, sender: str) -> str:
    """Keep the display name, but replace any other address with the user's own."""
    names = mail.people("From")
    name = names[0][0] if names else ""
    return formataddr((re.sub(r"[\x00-\x1f\x7f]", " ", name), sender))


def _field(name: str, value: str) -> _Field:
    return _Field(name.lower().encode(), f"{name}: {value}\r\n".encode("utf-8", "replace"))


def _split(raw: bytes) -> tuple[list[_Field], bytes]:
    fields: list[_Field] = []
    rest = raw
    while rest:
        line, newline, rest = rest.partition(b"\n")
        line = line.removesuffix(b"\r")
        if not line:
            break
        if line[:1] in (b" ", b"\t") and fields:
            last = fields.pop()
            fields.append(_Field(last.name, last.lines + line + b"\r\n"))
        elif b":" in line:
            name = line.partition(b":")[0].strip().lower()
            fields.append(_Field(name, line + b"\r\n"))
        else:  # not a header field: the body started without an empty line
            rest = line + newline + rest
            break
    return fields, rest


def _join(fields: list[_Field], body: bytes) -> bytes:
    return b"".join(field.lines for field in fields) + b"\r\n" + body


def _with_plain_from_html(raw: bytes, mail: Mail) -> tuple[list[_Field], bytes]:
    """Return MIME fields and body with a new text part; attachments keep their bytes."""
    message = email.message_from_bytes(raw)
    html = next((part for part in leaves(message) if is_body(part, "text/html")), None)
    rewritten = raw if html is None else _rebuilt(message, html, mail.html) or raw
    fields, body = _split(rewritten)
    return [field for field in fields if field.name in _MIME_FIELDS], body


def _rebuilt(message: Message, html: Message, text: str) -> bytes | None:
    """Return the mail with its new text part; None if its parts are too broken to rewrite."""
    plain = _text_part(plain_from_html(text))
    if not _replace_alternative(message, html, plain):
        _become_alternative(html, plain)
    for part in message.walk():
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary("000000000000" + secrets.token_hex(8))
    out = io.BytesIO()
    policy = message.policy.clone(linesep="\r\n")
    try:
        BytesGenerator(out, mangle_from_=False, policy=policy).flatten(message)
    except UnicodeEncodeError:  # a multipart with 8-bit text but no parts (a limitation of CPython)
        return None
    return out.getvalue()


def _replace_alternative(message: Message, html: Message, plain: Message) -> bool:
    for part in message.walk():
        children = part.get_payload()
        if part.get_content_type() != "multipart/alternative" or not isinstance(children, list):
            continue
        inside = [child for child in children if isinstance(child, Message)]
        if not any(html is leaf for child in inside for leaf in leaves(child)):
            continue
        others = [child for child in inside if not is_body(child, "text/plain")]
        part.set_payload([plain, *others])
        return True
    return False


def _become_alternative(html: Message, plain: Message) -> None:
    """Replace a lone HTML part with multipart/alternative."""
    inner = copy.copy(html)
    for name in set(inner.keys()):
        if name.lower() not in ("content-type", "content-transfer-encoding"):
            del inner[name]
    outer = MIMEMultipart("alternative")
    for name in ("Content-Type", "Content-Transfer-Encoding"):
        del html[name]
    html["Content-Type"] = outer["Content-Type"]
    html.set_payload([plain, inner])


def _text_part(text: str) -> Message:
    charset = Charset("utf-8")
    charset.body_encoding = QP
    part = MIMENonMultipart("text", "plain", charset="UTF-8")
    part.set_payload(text.replace("\n", "\r\n").rstrip("\r\n") + "\r\n", charset)
    del part["MIME-Version"]
    return part
