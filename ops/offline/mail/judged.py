"""Whether a mail of ours shows what its record says: that of an entry, a day or a deed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from email.message import Message
from email.utils import parsedate_to_datetime

from ops.offline.box import Mailbox, Party
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding, Link, found, link_of
from ops.offline.mail.envelope import recipient_of, sender_of
from ops.offline.mail.labels import is_misplaced, note_labels
from ops.offline.mail.others import Quote, told_of
from ops.offline.mail.own import Own, is_cut
from ops.offline.mail.shown import ops_problem, payment_problem, statement_problem
from ops.offline.operators import OpsMail, said_in
from shared.ledger import canonical_json
from shared.statements.places import StatementPlace

CLOCK_SECONDS = 300  # by which Gmail's clock and ours may differ
MOST_NAMED = 20  # mails of one sender


def take_own(box: Mailbox, own: Own) -> None:
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
        problem = "it ends before its last boundary" if is_cut(own.mail) else own.problem
        if problem:
            box.wrong.append(_altered(place, own, problem))
    box.copies += is_copy
    if not is_well_placed:
        detail = f"{own.where} is in the trash or in spam"
        box.misplaced[digest] = _finding(place, COMPLETENESS, "misplaced", detail)
    _note_parties(box, own, place)


def _take_payment(box: Mailbox, own: Own, *, is_copy: bool) -> Link:
    record = json.loads(own.content)
    if not isinstance(record, dict):
        raise ValueError("its record is not a JSON object")  # noqa: TRY004 - of the mail
    link = replace(link_of(record), reissue=own.reissue)
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
        problem, found_quotes = payment_problem(record, link.sha256, own.seen, own.reissue)
        quotes += found_quotes
    if problem:
        box.wrong.append(_altered(link, own, problem))
    elif not is_copy:
        box.quotes += quotes
    return link


def _take_ops(box: Mailbox, own: Own, *, is_copy: bool) -> None:
    record = json.loads(own.content)
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its ops id header differs" if own.value != record["ops_id"]
        else _date_problem(own.mail, own.value, record["at"], "it was recorded")
        or ops_problem(record, own.sha256, own.seen)
    )  # fmt: skip
    if not is_copy:
        said = None if problem else said_in(record)
        at = record["at"] if type(record["at"]) is int else 0
        box.ops.append(OpsMail(own.value, own.sha256, own.where, at, said))
    if problem:
        box.wrong.append(_altered(None, own, problem))


def _take_statement(box: Mailbox, own: Own, *, is_copy: bool) -> None:
    box.statement_mails += not is_copy
    record = json.loads(own.content)
    day = str(record["day"])
    own_id = StatementPlace(day=day, final=bool(record["is_final"]), sha256=own.sha256).delivery_id
    problem = (
        "its record is not in canonical form" if canonical_json(record) != own.content
        else "its header names another day"
        if own.value != day + ("" if record["is_final"] else " so far")
        else statement_problem(record, own.sha256, own_id, own.seen)
        or ("" if is_copy else box.statements.take(record, own.sha256, own.signature))
    )  # fmt: skip
    problem = problem or _date_problem(own.mail, own_id, record["made_at"], "it was made")
    if problem:
        box.wrong.append(_altered(None, own, f"the statement of {day[:10]}: {problem}"))


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


def _note_parties(box: Mailbox, own: Own, link: Link | None) -> None:
    for parties, address in (
        (box.senders, sender_of(own.mail)),
        (box.recipients, recipient_of(own.mail)),
    ):
        party = parties.setdefault(address, Party())
        party.mails += 1
        if len(party.named) < MOST_NAMED:
            party.named.append(_altered(link, own, ""))


def _altered(link: Link | None, own: Own, problem: str) -> Finding:
    return _finding(link, INTEGRITY, "altered", f"{own.where}: {problem}")


def _finding(link: Link | None, verdict: str, kind: str, detail: str) -> Finding:
    if link is None:
        return Finding(verdict, "", 0, 0, kind, "", detail)
    return found(verdict, link, kind, detail)
