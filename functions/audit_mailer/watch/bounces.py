"""Mails that Gmail accepted and could not deliver, in the mailbox of a sender who is the recipient.

There such a mail lies among the sent ones, as one does that somebody archived: only the notice of
its failure (RFC 3464) tells. What bounces elsewhere never reaches the recipient's mailbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from functions.audit_mailer.gmail.mailbox import FoundMail, Receipt
from functions.audit_mailer.mails.copies import MOST_BYTES

NOTICES = "from:mailer-daemon@googlemail.com"  # outside spam, where others who say so end up
MOST_NAMED = 20  # mails in one notice
_HAS_FAILED = re.compile(rb"^Action:[ \t]*failed\b", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_OWN_ID = re.compile(rb"^X-SCC-[A-Za-z-]+:[ \t]*([^\r\n]+)", re.MULTILINE)


class Reader(Protocol):
    def search(self, query: str) -> list[Receipt]: ...
    def read(self, gmail_id: str) -> FoundMail | None: ...


@dataclass(frozen=True, slots=True)
class Failed:
    """message_ids: of mails that came back. own_ids: what those are about, in our own headers."""

    message_ids: frozenset[bytes] = frozenset()
    own_ids: frozenset[str] = frozenset()


@dataclass(slots=True)
class Bounces:
    """What the notices in one mailbox say. They are read once, when first asked for."""

    reader: Reader
    _failed: Failed | None = None

    def may_concern(self, own_id: str) -> bool:
        """own_id: as our own header has it. Raises DeliveryError."""
        return own_id in self._read().own_ids

    def have(self, mail: FoundMail) -> bool:
        """Whether this mail was sent and came back. Raises DeliveryError."""
        if "SENT" not in mail.labels or "INBOX" in mail.labels:
            return False
        head, _, _ = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        return not self._read().message_ids.isdisjoint(_MESSAGE_ID.findall(head))

    def _read(self) -> Failed:
        if self._failed is None:
            message_ids, own_ids = set[bytes](), set[str]()
            for each in self.reader.search(NOTICES):
                notice = self.reader.read(each.gmail_id)
                failed = failed_by(notice.raw) if notice else Failed()
                message_ids |= failed.message_ids
                own_ids |= failed.own_ids
            self._failed = Failed(frozenset(message_ids), frozenset(own_ids))
        return self._failed


def failed_by(notice: bytes) -> Failed:
    """Nothing for a notice that only tells of a delay. Gmail attaches the mail that failed."""
    if len(notice) > MOST_BYTES or not _HAS_FAILED.search(notice):
        return Failed()
    found = (islice(each.finditer(notice), MOST_NAMED) for each in (_MESSAGE_ID, _OWN_ID))
    message_ids, own_ids = ([match[1] for match in each] for each in found)
    named = (each.decode("utf-8", "replace").strip() for each in own_ids)
    return Failed(frozenset(message_ids), frozenset(named))
