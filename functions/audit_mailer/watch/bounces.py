"""Mails that Gmail accepted and could not deliver, in the mailbox of a sender who is the recipient.

There such a mail lies among the sent ones, as one does that somebody archived: only the notice of
its failure (RFC 3464) tells. What bounces elsewhere never reaches the recipient's mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import getaddresses
from typing import Protocol

from functions.audit_mailer.gmail.mailbox import FoundMail, Receipt
from functions.audit_mailer.mails.copies import MOST_BYTES
from functions.audit_mailer.mails.envelope import OWN_HEADERS

NOTICES = "from:mailer-daemon@googlemail.com"  # outside spam, where others who say so end up
MOST_FOREIGN = 50  # notices that are read although they tell of no audit mail
MOST_NAMED = 20  # recipients, ids or headers in one notice
_HAS_FAILED = re.compile(rb"^Action:[ \t]*failed\b", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")


class Reader(Protocol):
    def search(self, query: str) -> list[Receipt]: ...
    def read(self, gmail_id: str) -> FoundMail | None: ...


@dataclass(frozen=True, slots=True)
class Failed:
    """message_ids: of mails that came back. own_ids: what those are about, in our own headers."""

    message_ids: frozenset[str] = frozenset()
    own_ids: frozenset[str] = frozenset()


@dataclass(slots=True)
class Bounces:
    """What the newest notices in one mailbox say. They are read once, when first asked for."""

    reader: Reader
    _failed: Failed | None = None

    def may_concern(self, own_id: str) -> bool:
        """own_id: as our own header has it. Raises DeliveryError."""
        return own_id in self._read().own_ids

    def have(self, mail: FoundMail) -> bool:
        """Whether this mail was sent and came back. Raises DeliveryError."""
        if not may_have_bounced(mail.labels):
            return False
        head, _, _ = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        return not self._read().message_ids.isdisjoint(_message_ids(message_from_bytes(head)))

    def _read(self) -> Failed:
        if self._failed is None:
            message_ids, own_ids, foreign = set[str](), set[str](), 0
            for each in reversed(self.reader.search(NOTICES)):
                if foreign >= MOST_FOREIGN:
                    break
                notice = self.reader.read(each.gmail_id)
                failed = failed_by(notice.raw) if notice else Failed()
                foreign += not failed.own_ids
                message_ids |= failed.message_ids
                own_ids |= failed.own_ids
            self._failed = Failed(frozenset(message_ids), frozenset(own_ids))
        return self._failed


def may_have_bounced(labels: frozenset[str]) -> bool:
    """Whether it lies where a mail does that came back: sent from here, and not in the inbox."""
    return "SENT" in labels and "INBOX" not in labels


def failed_by(notice: bytes) -> Failed:
    """The mails that did not reach whom they are to. Gmail attaches the mail that failed.

    Nothing for a notice that only tells of a delay, or of another recipient: a filter that passes
    the mail on keeps its Message-ID, and what it passed on may come back by itself.
    """
    if len(notice) > MOST_BYTES or not _HAS_FAILED.search(notice):
        return Failed()
    try:
        parts = _within(message_from_bytes(notice))
        recipients = set(_recipients(parts))
        originals = [each for each in _originals(parts) if _is_to(each, recipients)]
        own = {str(value).strip() for each in originals for value in _own_values(each)}
        named = {name for each in originals for name in _message_ids(each)}
    except Exception:  # noqa: BLE001 - anything may be in a mail
        return Failed()
    return Failed(frozenset(named), frozenset(own))


def _within(part: Message) -> list[Message]:
    content = part.get_payload()
    parts = content if isinstance(content, list) else []
    return [each for each in parts if isinstance(each, Message)]


def _recipients(parts: list[Message]) -> Iterator[str]:
    """Whom the mail did not reach, in lower case: of fields such as `rfc822; a@x.example`."""
    reports = [each for each in parts if each.get_content_type() == "message/delivery-status"]
    for group in (each for report in reports for each in _within(report)[: MOST_NAMED + 1]):
        if str(group.get("Action", "")).strip().lower().startswith("failed"):
            for name in ("Final-Recipient", "Original-Recipient"):
                yield str(group.get(name, "")).partition(";")[2].strip(" <>\t\r\n").lower()


def _originals(parts: list[Message]) -> Iterator[Message]:
    """The mails that a notice attaches, whole or their heads; not what those contain."""
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            yield from _within(part)[:1]
        elif part.get_content_type() == "text/rfc822-headers":
            yield message_from_string(str(part.get_payload()))


def _is_to(mail: Message, recipients: set[str]) -> bool:
    to = getaddresses([str(each) for each in mail.get_all("To", [])[:MOST_NAMED]])
    return not recipients.isdisjoint(address.lower() for _, address in to if address)


def _message_ids(mail: Message) -> list[str]:
    named = " ".join(str(each) for each in mail.get_all("Message-ID", [])[:MOST_NAMED])
    return _MESSAGE_ID.findall(named)[:MOST_NAMED]


def _own_values(mail: Message) -> list[str]:
    return [value for name, value in mail.items() if name in OWN_HEADERS][:MOST_NAMED]
