"""Reading a mail as a person or a test would: decoded headers, text, HTML, attachments.

Made for hostile input: whatever the bytes, reading them returns something and never raises.
"""

import contextlib
import email
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from local.gmail_sandbox.plaintext import plain_from_html

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_REPLY_PREFIX = re.compile(r"^\s*((re|fwd?|aw)\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    filename: str
    content_type: str
    content: bytes

    def json(self) -> Any:
        """Return the parsed content of a JSON attachment, or None."""
        if self.content_type == "application/json" or self.content_type.endswith("+json"):
            with contextlib.suppress(ValueError):
                return json.loads(self.content)
        return None


@dataclass(frozen=True, slots=True)
class Mail:
    header_fields: list[tuple[str, str]]
    """Decoded, unfolded, in the order of the mail."""
    encoded_fields: list[tuple[str, str]]
    """The same, not decoded: a decoded name may hold commas and look like two addresses."""
    text: str
    html: str
    attachments: list[Attachment]

    def header(self, name: str) -> str:
        wanted = name.lower()
        return next((value for key, value in self.header_fields if key.lower() == wanted), "")

    @property
    def message_id(self) -> str:
        return normalized_message_id(self.header("Message-ID"))

    @property
    def references(self) -> list[str]:
        """The ids of the mails that this one answers or belongs to, oldest first."""
        named = f"{self.header('References')} {self.header('In-Reply-To')}"
        return list(dict.fromkeys(match[1:-1] for match in _MESSAGE_ID.findall(named)))

    @property
    def base_subject(self) -> str:
        """The subject without `Re:` and the like, which all mails of a thread share."""
        return " ".join(_REPLY_PREFIX.sub("", self.header("Subject")).split()).lower()

    def addresses(self, *names: str) -> list[str]:
        """Return the plain addresses in these header fields, lower case, each once."""
        found = [address.lower() for name in names for _, address in self.people(name)]
        return list(dict.fromkeys(address for address in found if "@" in address))

    def people(self, name: str) -> list[tuple[str, str]]:
        """Return (decoded display name, address) pairs of one header field."""
        wanted = name.lower()
        values = [value for key, value in self.encoded_fields if key.lower() == wanted]
        return [(decoded_header(shown), address) for shown, address in getaddresses(values)]

    def date_ms(self) -> int | None:
        """Return the Date header as epoch milliseconds, or None if it is unreadable."""
        with contextlib.suppress(ValueError, TypeError, OverflowError, OSError):
            return int(parsedate_to_datetime(self.header("Date")).timestamp() * 1000)
        return None

    def snippet(self) -> str:
        return " ".join((self.text or plain_from_html(self.html)).split())[:160]


def normalized_message_id(value: str) -> str:
    """Strip the brackets, which Gmail's `rfc822msgid:` treats as optional."""
    return value.strip().removeprefix("<").removesuffix(">")


def read_mail(raw: bytes) -> Mail:
    message = email.message_from_bytes(raw)
    encoded = [(name, _unfolded(str(value))) for name, value in message.raw_items()]
    fields = [(name, decoded_header(value)) for name, value in encoded]
    text = html = None
    attachments: list[Attachment] = []
    for part in leaves(message):
        content_type = part.get_content_type()
        if text is None and is_body(part, "text/plain"):
            text = _text(part)
        elif html is None and is_body(part, "text/html"):
            html = _text(part)
        else:
            filename = _filename(part) or f"part-{len(attachments) + 1}"
            attachments.append(Attachment(filename, content_type, _content(part)))
    return Mail(fields, encoded, text or "", html or "", attachments)


def leaves(part: Message) -> Iterator[Message]:
    """Walk through the parts that hold content; an enclosed mail counts as one part."""
    payload = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(payload, list):
        for child in payload:
            if isinstance(child, Message):
                yield from leaves(child)
    else:
        yield part


def is_body(part: Message, content_type: str) -> bool:
    """Whether readers see this part as the mail's text, not as an attached file."""
    return (
        part.get_content_type() == content_type
        and part.get_content_disposition() != "attachment"
        and not _filename(part)
    )


def decoded_header(value: str) -> str:
    """Unfold, decode encoded words, and read stray 8-bit bytes as UTF-8."""
    unfolded = _unfolded(value)
    try:
        decoded = str(make_header(decode_header(unfolded)))
    except (MessageError, LookupError, ValueError):
        return unfolded
    return decoded.encode("utf-8", "replace").decode("utf-8")


def _unfolded(value: str) -> str:
    readable = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _FOLD.sub("", readable).strip()


def _filename(part: Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError):
        return "unreadable-name"
    return decoded_header(name) if name else ""


def _content(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):
        return b"".join(child.as_bytes() for child in payload if isinstance(child, Message))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    content = _content(part)
    try:
        text = content.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):  # the charset does not exist or is not a text encoding
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
