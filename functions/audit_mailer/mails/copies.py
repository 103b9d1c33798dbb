"""Whether a mail that Gmail's search found is one of ours. Pure.

Anybody can quote a mail, its search token or its record. A mail of ours has our own header, and the
record that it is about, byte for byte.
"""

from __future__ import annotations

import hashlib
import re
from email import message_from_bytes
from email.message import Message

from functions.audit_mailer.mails.envelope import OWN_HEADERS, REISSUE, AuditMail

MOST_BYTES = 2 * 2**20  # of a mail; ours are far smaller, and parsing takes a multiple
_MISPLACED = frozenset({"SPAM", "TRASH"})
_HEAD = re.compile(rb".*?\r?\n\r?\n", re.DOTALL)


def is_copy(raw: bytes, mail: AuditMail) -> bool:
    """Whether `raw` is this mail, as Gmail stored it: the same own headers, the same record.

    The first mail of an entry and one that was issued again stand in for each other: when one of
    them is there, the entry has its mail.
    """
    found, wanted = own_headers(raw), dict(mail.own_headers)
    for each in (found, wanted):
        each.pop(REISSUE, None)
    return found == wanted and record_sha256(raw) == mail.record_sha256


def is_misplaced(labels: frozenset[str]) -> bool:
    """Whether Gmail keeps it in the trash or in spam, where nobody reads it."""
    return bool(labels & _MISPLACED)


def own_headers(raw: bytes) -> dict[str, str]:
    """The headers that only our mails have; empty for a mail of somebody else."""
    head = _HEAD.match(raw, 0, MOST_BYTES)
    if head is None or b"X-SCC-" not in head[0]:
        return {}
    try:
        fields = message_from_bytes(head[0]).items()
    except Exception:  # noqa: BLE001 - anything may be in a mail
        return {}
    ours = [(name, str(value).strip()) for name, value in fields if name in OWN_HEADERS]
    return dict(ours) if len(dict(ours)) == len(ours) else {}


def record_sha256(raw: bytes) -> str:
    """Of its one JSON attachment, in hex; empty for a mail that has none, or several."""
    if len(raw) > MOST_BYTES:
        return ""
    try:
        records = [each for each in message_from_bytes(raw).walk() if _is_record(each)]
        contents = [each.get_payload(decode=True) for each in records]
    except Exception:  # noqa: BLE001 - anything may be in a mail
        return ""
    (content,) = contents if len(contents) == 1 else (None,)
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else ""


def _is_record(part: Message) -> bool:
    return part.get_content_type() == "application/json"
