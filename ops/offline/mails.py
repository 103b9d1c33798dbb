"""The mails of a mailbox: which are the system's own, and whether each shows what its record says.

A mail is known by its own headers alone. A forward, a reply or an attached mail carries the same
record without them: it is a copy, counted and never judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from ops.offline.box import Copy, Mailbox
from ops.offline.formats import MOST_KEPT, RawMail, Skipped, mails_in
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding, link_of
from ops.offline.mail.envelope import (
    subject_of,
)
from ops.offline.mail.judged import take_own
from ops.offline.mail.own import OWN, content_of, is_cut, own_mail

_OURS = re.compile(rb"(?i)x-scc-|scc audit|scc ops|\.json")  # what else mentions us
_OWN_HEADER = re.compile(rb"(?i)(?:\A|[\r\n])x-scc-(payment-id|ops-id|statement)[ \t]*:")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
MOST_COPIES = 10_000
MOST_HEAD = 256 * 2**10  # bytes of a mail's header; Gmail refuses half of that
MOST_LINES = 100_000  # of a mail; parsing keeps an object for each header line and each part
MOST_PARTS = 5_000


def read_mailbox(paths: Iterable[Path]) -> Mailbox:
    """Read every mail of these files. Raises OSError, and ValueError for what is no mailbox."""
    box = Mailbox()
    for each in mails_in(paths):
        if isinstance(each, RawMail):
            take_mail(box, each)
        else:
            _take_skipped(box, each)
    return box


def read_mail(content: bytes, where: str = "the mail", labels: Iterable[str] = ()) -> Mailbox:
    """One mail by itself. labels: of Gmail, such as TRASH."""
    box = Mailbox()
    take_mail(box, RawMail(content, where), labels)
    return box


def take_mail(box: Mailbox, raw: RawMail, labels: Iterable[str] = ()) -> None:
    """Any garbage may be in a mail: it is a finding about that mail if it is ours, else a note."""
    box.mails += 1
    if raw.is_cut:
        _found_cut(box, raw)
    head = _head(raw)
    is_own = _OWN_HEADER.search(head) is not None
    try:
        if not (is_own or raw.is_last or _OURS.search(raw.content)):
            return
        if size := _oversize(raw, head):
            if is_own:
                raise ValueError(f"it has {size}, and no mail of ours has")
            box.unsearched += 1
            return
        mail = message_from_bytes(raw.content)
        if is_own and not _has_own(mail):
            raise ValueError("its header ends before ours")
        _take_parsed(box, raw, mail, labels)
    except Exception as error:  # noqa: BLE001 - as the docstring says
        detail = f"{raw.where} cannot be read: {type(error).__name__}: {error}"[:300]
        if is_own:
            box.wrong.append(Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail))
        else:
            box.note(f"{detail}; it is no audit mail")


def _take_parsed(box: Mailbox, raw: RawMail, mail: Message, labels: Iterable[str]) -> None:
    is_own = _has_own(mail)
    if raw.is_last and not raw.is_cut and is_cut(mail):
        if is_own:
            _found_cut(box, raw)
        else:
            box.note(f"{raw.where}, the last one, lacks its end; it is no audit mail")
    if is_own:
        take_own(box, own_mail(mail, raw.where, labels))
    elif _OURS.search(raw.content):
        _take_forward(box, mail, raw.where)


def _has_own(mail: Message) -> bool:
    return any(mail.get_all(each) for each in OWN)


def _take_skipped(box: Mailbox, file: Skipped) -> None:
    if file.is_harmless:
        box.note(f"{file.name} was skipped: {file.why}")
    else:
        detail = f"{file.name} cannot be read: {file.why}"
        box.wrong.append(Finding(COMPLETENESS, "", 0, 0, "unreadable", "", detail[:300]))


def _found_cut(box: Mailbox, raw: RawMail) -> None:
    detail = f"the file ends inside {raw.where}: export it again"
    box.wrong.append(Finding(COMPLETENESS, "", 0, 0, "truncated", "", detail))


def _head(raw: RawMail) -> bytes:
    """Its header, or as much of it as we look at."""
    end = _HEAD_END.search(raw.content, 0, MOST_HEAD)
    return raw.content[: end.start() if end else MOST_HEAD]


def _oversize(raw: RawMail, head: bytes) -> str:
    """Why a mail cannot be ours, told from its bytes: parsing it would take too much memory."""
    if not raw.is_whole:
        return f"over {MOST_KEPT >> 20} MB"
    if len(head) == MOST_HEAD:
        return f"over {MOST_HEAD >> 10} KB of header"
    if raw.content.count(b"\n") > MOST_LINES:
        return f"over {MOST_LINES:,} lines"
    return f"over {MOST_PARTS:,} parts" if raw.content.count(b"\n--") > MOST_PARTS else ""


def _take_forward(box: Mailbox, mail: Message, where: str) -> None:
    """A forward holds the record as an attachment, or in an attached mail; a reply quotes it."""
    is_about_us = "[SCC" in subject_of(mail)
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":  # RFC 3464, with the mail attached
            where = f"{where} (a notice about its delivery)"
        is_about_us |= any(part.get_all(each) for each in OWN)
        if not str(part.get_filename()).lower().endswith(".json"):
            continue
        try:
            link = link_of(json.loads(content_of(part)))
        except (ValueError, RecursionError, AttributeError):
            continue  # somebody's own file
        is_about_us = True
        if link.is_sound and len(box.held) < MOST_COPIES:
            copy = Copy(link.payment_id, where, link.hash, link.logged_at)
            box.held.setdefault((link.event_id, link.seq), copy)
    box.forwards += is_about_us
