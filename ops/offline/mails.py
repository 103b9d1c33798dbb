"""The mails of a mailbox: which are the system's own, and whether each shows what its record says.

A mail is known by its own headers alone. A forward, a reply or an attached mail carries the same
record without them: it is a copy, counted and never judged.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path

from ops.offline.box import Copy, Mailbox, OpsMail, Party
from ops.offline.formats import MOST_KEPT, RawMail, Skipped, mails_in
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding, Link, found, link_of
from ops.offline.mail.envelope import (
    decoded,
    header_problem,
    leaves,
    recipient_of,
    sender_of,
    structure_problem,
    subject_of,
)
from ops.offline.mail.labels import is_misplaced, note_labels
from ops.offline.mail.others import Quote, told_of
from ops.offline.mail.shown import Seen, ops_problem, payment_problem, statement_problem
from shared.ledger import canonical_json
from shared.statement import SIGNATURE_FILE, StatementPlace

OWN = ("X-SCC-Payment-Id", "X-SCC-Ops-Id", "X-SCC-Statement")
_OURS = re.compile(rb"(?i)x-scc-|scc audit|scc ops|\.json")  # what else mentions us
_OWN_HEADER = re.compile(rb"(?i)(?:\A|[\r\n])x-scc-(payment-id|ops-id|statement)[ \t]*:")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_PARTS = ["text/plain", "text/html", "application/json"]
_SIGNATURE = "application/octet-stream"
_CUT = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
CLOCK_SECONDS = 300  # by which Gmail's clock and ours may differ
MOST_COPIES = 10_000
MOST_NAMED = 20  # mails of one sender
MOST_HEAD = 256 * 2**10  # bytes of a mail's header; Gmail refuses half of that
MOST_LINES = 100_000  # of a mail; parsing keeps an object for each header line and each part
MOST_PARTS = 5_000


@dataclass(frozen=True, slots=True)
class _Own:
    """A mail of ours, taken apart. name, value: its own header. labels: where it lies.

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

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


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
    if raw.is_last and not raw.is_cut and _is_cut(mail):
        if is_own:
            _found_cut(box, raw)
        else:
            box.note(f"{raw.where}, the last one, lacks its end; it is no audit mail")
    if is_own:
        _take_own(box, _own(mail, raw.where, labels))
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


def _own(mail: Message, where: str, labels: Iterable[str]) -> _Own:
    """Raises ValueError for a mail that lacks a part, or has one that no mail of ours has."""
    values = [(name, value) for name in OWN for value in mail.get_all(name, [])]
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
    return _Own(
        mail=mail,
        where=where,
        name=name,
        value=str(value),
        filename=filename,
        content=_content(parts[2]),
        signature=_content(parts[3]) if is_signed else b"",
        texts={
            kind: _content(part).decode("utf-8", "replace")
            for kind, part in zip(kinds[:2], parts[:2], strict=True)
        },
        labels=[*labels, *_labels(mail)],
        problem=header_problem(mail) or structure_problem(mail, files),
    )


def _take_own(box: Mailbox, own: _Own) -> None:
    digest = hashlib.sha256(
        repr([own.mail["Message-ID"], own.mail["Date"], own.name]).encode() + own.content
    ).digest()[:16]
    is_copy = digest in box.seen
    is_well_placed = not is_misplaced(own.labels)
    box.seen[digest] = box.seen.get(digest, False) or is_well_placed
    note_labels(box.labels, own.labels)
    before = len(box.wrong)
    place: Link | None = None
    match own.name:
        case "X-SCC-Statement":
            _take_statement(box, own, is_copy=is_copy)
        case "X-SCC-Ops-Id":
            _take_ops(box, own, is_copy=is_copy)
        case _:
            place = _take_payment(box, own, is_copy=is_copy)
    if len(box.wrong) == before:
        problem = "it ends before its last boundary" if _is_cut(own.mail) else own.problem
        if problem:
            box.wrong.append(_altered(place, own, problem))
    box.copies += is_copy
    if not is_well_placed:
        detail = f"{own.where} is in the trash or in spam"
        box.misplaced[digest] = _finding(place, COMPLETENESS, "misplaced", detail)
    _note_parties(box, own, place)


def _take_payment(box: Mailbox, own: _Own, *, is_copy: bool) -> Link:
    record = json.loads(own.content)
    if not isinstance(record, dict):
        raise ValueError("its record is not a JSON object")  # noqa: TRY004 - of the mail
    link = link_of(record)
    if not is_copy:
        box.links.append(link)
    if not link.is_sound:
        return link  # found with the chain
    try:
        told, quotes = told_of(record), list[Quote]()
    except (ValueError, OverflowError, OSError):
        box.wrong.append(_altered(link, own, "its record has a time that no calendar has"))
        return link
    if not is_copy:
        link = box.links[-1] = replace(link, told=told)
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its payment id header differs" if own.value != link.payment_id
        else _date_problem(own.mail, link.payment_id, link.logged_at, "the entry was logged")
    )  # fmt: skip
    if not problem:
        problem, found_quotes = payment_problem(record, link.sha256, _seen(own))
        quotes += found_quotes
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
        else _date_problem(own.mail, own.value, record["at"], "it was recorded")
        or ops_problem(record, own.sha256, _seen(own))
    )  # fmt: skip
    if problem:
        box.wrong.append(_altered(None, own, problem))


def _take_statement(box: Mailbox, own: _Own, *, is_copy: bool) -> None:
    box.statement_mails += not is_copy
    record = json.loads(own.content)
    day = str(record["day"])
    own_id = StatementPlace(day=day, final=bool(record["is_final"]), sha256=own.sha256).delivery_id
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its header names another day"
        if own.value != day + ("" if record["is_final"] else " so far")
        else statement_problem(record, own.sha256, own_id, _seen(own))
        or ("" if is_copy else box.statements.take(record, own.sha256, own.signature))
    )  # fmt: skip
    problem = problem or _date_problem(own.mail, own_id, record["made_at"], "it was made")
    if problem:
        box.wrong.append(_altered(None, own, f"the statement of {day[:10]}: {problem}"))


def _take_forward(box: Mailbox, mail: Message, where: str) -> None:
    """A forward holds the record as an attachment, or in an attached mail; a reply quotes it."""
    is_about_us = "[SCC" in subject_of(mail)
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


def _date_problem(mail: Message, own_id: str, written_at: int, written: str) -> str:
    """`import` keeps our Date, which is when the record was made; `send` makes it when it sends.

    Gmail writes the same moment into the first line of the mail's way. written_at: epoch
    milliseconds of the record. written: what happened then.
    """
    try:
        dated = parsedate_to_datetime(mail["Date"])
    except (TypeError, ValueError):
        return "it has no date"
    seconds = dated.timestamp()
    if str(mail["Message-ID"]).strip().startswith(f"<{own_id}@"):
        return "" if seconds == written_at // 1000 else f"its date is not when {written}"
    if seconds < written_at // 1000 - CLOCK_SECONDS:
        return f"its date is before {written}"
    received = mail.get_all("Received", [])
    if received:
        try:
            accepted = parsedate_to_datetime(str(received[-1]).rpartition(";")[2].strip())
        except (TypeError, ValueError):
            return "the date of its way cannot be read"
        if abs(accepted.timestamp() - seconds) > CLOCK_SECONDS:
            return "its date is not when Gmail accepted it"
    return ""


def _note_parties(box: Mailbox, own: _Own, link: Link | None) -> None:
    for parties, address in (
        (box.senders, sender_of(own.mail)),
        (box.recipients, recipient_of(own.mail)),
    ):
        party = parties.setdefault(address, Party())
        party.mails += 1
        if len(party.named) < MOST_NAMED:
            party.named.append(_altered(link, own, ""))


def _altered(link: Link | None, own: _Own, problem: str) -> Finding:
    return _finding(link, INTEGRITY, "altered", f"{own.where}: {problem}")


def _finding(link: Link | None, verdict: str, kind: str, detail: str) -> Finding:
    if link is None:
        return Finding(verdict, "", 0, 0, kind, "", detail)
    return found(verdict, link, kind, detail)


def _seen(own: _Own) -> Seen:
    html, text = own.texts["text/html"], own.texts["text/plain"]
    return Seen(subject_of(own.mail), html, text, own.filename)


def _labels(mail: Message) -> list[str]:
    """Gmail's labels, as Takeout writes them."""
    texts = [decoded(each) or str(each) for each in mail.get_all("X-Gmail-Labels", [])]
    return [each.strip().strip('"') for text in texts for each in text.split(",")]


def _is_cut(mail: Message) -> bool:
    return any(isinstance(each, _CUT) for part in mail.walk() for each in part.defects)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise ValueError("an attachment is not a file")  # noqa: TRY004 - of the mail, not of a caller
    return content
