"""The mails of a mailbox: which are the system's own, and whether each shows what its record says.

A mail is known by its own headers alone. A forward, a reply or an attached mail carries the same
record without them: it is a copy, counted and never judged.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any

from ops.offline.box import Copy, Mailbox, OpsMail, Sender
from ops.offline.formats import RawMail, mails_in
from ops.offline.links import COMPLETENESS, INTEGRITY, Finding, Link, found, link_of
from ops.offline.others import Quote, told_of
from ops.offline.shown import Seen, ops_problem, payment_problem, statement_problem
from shared.ledger import canonical_json

OWN = ("X-SCC-Payment-Id", "X-SCC-Ops-Id", "X-SCC-Statement")
_OURS = re.compile(rb"(?i)x-scc-|scc audit|scc ops|\.json")  # what else mentions us
_OWN_HEADER = re.compile(rb"(?im)^x-scc-")
_PARTS = ["text/plain", "text/html", "application/json"]
_PLACES = frozenset({"trash", "bin", "spam"})
_CUT = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
CLOCK_SECONDS = 300  # by which Gmail's clock and ours may differ
MOST_COPIES = 10_000
MOST_NAMED = 20  # mails of one sender


@dataclass(frozen=True, slots=True)
class _Own:
    """A mail of ours, taken apart. name, value: its own header. labels: where it lies.

    content, filename: of its attachment.
    """

    mail: Message
    where: str
    name: str
    value: str
    filename: str
    content: bytes
    texts: Mapping[str, str]
    labels: Iterable[str]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_mailbox(paths: Iterable[Path]) -> Mailbox:
    """Read every mail of these files. Raises OSError, and ValueError for what is no mailbox."""
    box = Mailbox()
    for raw in mails_in(paths):
        take_mail(box, raw)
    return box


def read_mail(content: bytes, where: str = "the mail", labels: Iterable[str] = ()) -> Mailbox:
    """One mail by itself. labels: of Gmail, such as TRASH."""
    box = Mailbox()
    take_mail(box, RawMail(content, where), labels)
    return box


def take_mail(box: Mailbox, raw: RawMail, labels: Iterable[str] = ()) -> None:
    """Any garbage may be in a mail, so nothing that it does is more than a finding."""
    box.mails += 1
    if raw.is_last and (raw.is_cut or _is_cut(message_from_bytes(raw.content))):
        detail = f"the file ends inside {raw.where}: export it again"
        box.wrong.append(Finding(COMPLETENESS, "", 0, 0, "truncated", "", detail))
    if not _OURS.search(raw.content):
        return
    try:
        mail = message_from_bytes(raw.content)
        if any(mail.get_all(each) for each in OWN):
            _take_own(box, _own(mail, raw.where, labels))
        else:
            _take_forward(box, mail, raw.where)
    except Exception as error:  # noqa: BLE001 - as the docstring says
        if _OWN_HEADER.search(raw.content):
            detail = f"{raw.where} cannot be read: {type(error).__name__}: {error}"
            box.wrong.append(Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail[:300]))


def _own(mail: Message, where: str, labels: Iterable[str]) -> _Own:
    """Raises ValueError for a mail that lacks a part, or has one that no mail of ours has."""
    values = [(name, value) for name in OWN for value in mail.get_all(name, [])]
    if len(values) != 1:
        raise ValueError("it has more than one of our headers")
    leaves = list(_leaves(mail))
    kinds = [part.get_content_type() for part in leaves]
    name, value = values[0]
    if kinds[2:] != _PARTS[2:] or not leaves[2].get_filename():
        raise ValueError(f"{str(value)[:100]} has lost its record, or has more than its record")
    if kinds != _PARTS:
        raise ValueError(f"{str(value)[:100]} lacks its text or its HTML")
    return _Own(
        mail=mail,
        where=where,
        name=name,
        value=str(value),
        filename=str(leaves[2].get_filename()),
        content=_content(leaves[2]),
        texts={
            kind: _content(part).decode("utf-8", "replace")
            for kind, part in zip(kinds[:2], leaves[:2], strict=True)
        },
        labels=[*labels, *_labels(mail)],
    )


def _take_own(box: Mailbox, own: _Own) -> None:
    digest = hashlib.sha256(
        repr([own.mail["Message-ID"], own.mail["Date"], own.name]).encode() + own.content
    ).digest()[:16]
    is_copy = digest in box.seen
    before = len(box.wrong)
    place: Link | None = None
    match own.name:
        case "X-SCC-Statement":
            _take_statement(box, own, is_copy=is_copy)
        case "X-SCC-Ops-Id":
            _take_ops(box, own, is_copy=is_copy)
        case _:
            place = _take_payment(box, own, is_copy=is_copy)
    if _is_cut(own.mail) and len(box.wrong) == before:
        box.wrong.append(_altered(place, own, "it ends before its last boundary"))
    box.copies += is_copy
    is_well_placed = not any(each.lower() in _PLACES for each in own.labels)
    box.seen[digest] = box.seen.get(digest, False) or is_well_placed
    if not is_well_placed:
        detail = f"{own.where} is in the trash or in spam"
        box.misplaced[digest] = _finding(place, COMPLETENESS, "misplaced", detail)
    _note_sender(box, own, place)


def _take_payment(box: Mailbox, own: _Own, *, is_copy: bool) -> Link:
    record = json.loads(own.content)
    if not isinstance(record, dict):
        raise ValueError("its record is not a JSON object")  # noqa: TRY004 - of the mail
    link = link_of(record)
    if link.is_sound:
        link = replace(link, told=told_of(record))
    if not is_copy:
        box.links.append(link)
    if not link.is_sound:
        return link  # found with the chain
    quotes: Sequence[Quote] = ()
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its payment id header differs" if own.value != link.payment_id
        else _date_problem(own.mail, link)
    )  # fmt: skip
    if not problem:
        problem, quotes = payment_problem(record, link.sha256, _seen(own))
    if problem:
        box.wrong.append(_altered(link, own, problem))
    elif not is_copy:
        box.quotes += quotes
    return link


def _take_ops(box: Mailbox, own: _Own, *, is_copy: bool) -> None:
    record = json.loads(own.content)
    if not is_copy:
        box.ops.append(OpsMail(own.value, own.sha256, own.where))
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its ops id header differs" if own.value != record["ops_id"]
        else ops_problem(record, own.sha256, _seen(own))
    )  # fmt: skip
    if problem:
        box.wrong.append(_altered(None, own, problem))


def _take_statement(box: Mailbox, own: _Own, *, is_copy: bool) -> None:
    box.statement_mails += not is_copy
    record = json.loads(own.content)
    day = str(record["day"])
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its header names another day"
        if own.value != day + ("" if record["is_final"] else " so far")
        else statement_problem(record, own.sha256, _statement_id(record), _seen(own))
        or ("" if is_copy else box.statements.take(record, own.sha256))
    )  # fmt: skip
    if problem:
        box.wrong.append(_altered(None, own, f"the statement of {day[:10]}: {problem}"))


def _statement_id(record: Mapping[str, Any]) -> str:
    """Of its delivery: a statement of a day so far has another than the final one."""
    return f"statement_{record['day']}" + ("" if record["is_final"] else "_so_far")


def _take_forward(box: Mailbox, mail: Message, where: str) -> None:
    """A forward holds the record as an attachment, or in an attached mail; a reply quotes it."""
    is_about_us = "[SCC" in _subject(mail)
    for part in mail.walk():
        is_about_us |= any(part.get_all(each) for each in OWN)
        if not str(part.get_filename()).lower().endswith(".json"):
            continue
        try:
            link = link_of(json.loads(_content(part)))
        except (ValueError, RecursionError, AttributeError):
            continue  # somebody's own file
        is_about_us = True
        if link.is_sound and len(box.held) < MOST_COPIES:
            box.held.setdefault((link.event_id, link.seq), Copy(link.payment_id, where))
    box.forwards += is_about_us


def _date_problem(mail: Message, link: Link) -> str:
    """`import` keeps our Date, which is when the entry was logged; `send` makes it when it sends.

    Gmail writes the same moment into the first line of the mail's way.
    """
    try:
        dated = parsedate_to_datetime(mail["Date"])
    except (TypeError, ValueError):
        return "it has no date"
    logged = link.logged_at // 1000
    seconds = dated.timestamp()
    if str(mail["Message-ID"]).startswith(f"<{link.payment_id}@"):
        return "" if seconds == logged else "its date is not when the entry was logged"
    if seconds < logged - CLOCK_SECONDS:
        return "its date is before the entry was logged"
    received = mail.get_all("Received", [])
    if received:
        try:
            accepted = parsedate_to_datetime(str(received[-1]).rpartition(";")[2].strip())
        except (TypeError, ValueError):
            return "the date of its way cannot be read"
        if abs(accepted.timestamp() - seconds) > CLOCK_SECONDS:
            return "its date is not when Gmail accepted it"
    return ""


def _note_sender(box: Mailbox, own: _Own, link: Link | None) -> None:
    values = own.mail.get_all("From", [])
    address = parseaddr(str(values[0]))[1].lower() if len(values) == 1 else ""
    sender = box.senders.setdefault(address, Sender())
    sender.mails += 1
    if len(sender.named) < MOST_NAMED:
        sender.named.append(_altered(link, own, ""))


def _altered(link: Link | None, own: _Own, problem: str) -> Finding:
    return _finding(link, INTEGRITY, "altered", f"{own.where}: {problem}")


def _finding(link: Link | None, verdict: str, kind: str, detail: str) -> Finding:
    if link is None:
        return Finding(verdict, "", 0, 0, kind, "", detail)
    return found(verdict, link, kind, detail)


def _seen(own: _Own) -> Seen:
    html, text = own.texts["text/html"], own.texts["text/plain"]
    return Seen(_subject(own.mail), html, text, own.filename)


def _subject(mail: Message) -> str:
    try:
        return str(make_header(decode_header(mail["Subject"] or "")))
    except (LookupError, ValueError):
        return ""


def _labels(mail: Message) -> list[str]:
    """Gmail's labels, as Takeout writes them."""
    try:
        text = str(make_header(decode_header(mail["X-Gmail-Labels"] or "")))
    except (LookupError, ValueError):
        return []
    return [each.strip().strip('"') for each in text.split(",")]


def _leaves(mail: Message) -> Iterator[Message]:
    """Without looking into attached mails."""
    content = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(content, list):
        for part in content:
            if isinstance(part, Message):
                yield from _leaves(part)
    else:
        yield mail


def _is_cut(mail: Message) -> bool:
    return any(isinstance(each, _CUT) for part in mail.walk() for each in part.defects)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise ValueError("an attachment is not a file")  # noqa: TRY004 - of the mail, not of a caller
    return content
