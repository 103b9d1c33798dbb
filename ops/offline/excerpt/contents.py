"""What an excerpt holds: records and mails of a few entries, and the statements of their days."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ops.offline.box import Mailbox
from ops.offline.excerpt.files import (
    MAILS,
    RECORDS,
    STATEMENT_FILE,
    STATEMENTS,
    Contents,
    entry_stem,
)
from ops.offline.formats import MOST_KEPT, RawMail
from ops.offline.ledger.links import COMPLETENESS, INTEGRITY, Finding, Link, found, link_of
from ops.offline.mail.others import told_of
from ops.offline.mails import take_mail
from ops.offline.settled import NO_MAIL
from shared.ledger import MOST_ENTRIES, canonical_json
from shared.statements.places import SIGNATURE_FILE

_RECORD = re.compile(rf"{RECORDS}/([^/]+)\.json")
_MAIL = re.compile(rf"{MAILS}/[^/]+\.eml")
_STATEMENT = re.compile(rf"{STATEMENTS}/([^/]+)/(?:{STATEMENT_FILE}|{SIGNATURE_FILE})")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a statement says of an event's entries from first_seq to last_seq."""

    event_id: str
    first_seq: int
    last_seq: int
    detail: str


@dataclass(slots=True)
class Excerpt:
    """box: the mails, then the statements, then the entries whose mail is not here.

    records: of the files. mailed: of the mails. days: of the statements. doubts: what statements
    say of entries that were not as they should be. wrong: about single files.
    """

    box: Mailbox = field(default_factory=Mailbox)
    records: list[Link] = field(default_factory=list)
    mailed: list[Link] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    doubts: list[Doubt] = field(default_factory=list)
    wrong: list[Finding] = field(default_factory=list)


def excerpt_of(contents: Contents) -> Excerpt:
    """Any garbage may be in a file: it is a finding about that file."""
    excerpt = Excerpt()
    for name in filter(_MAIL.fullmatch, sorted(contents)):
        content = contents[name]
        is_whole = len(content) <= MOST_KEPT
        raw = RawMail(content[:MOST_KEPT], name, is_last=True, is_whole=is_whole)
        take_mail(excerpt.box, raw)
    excerpt.mailed = list(excerpt.box.links)
    there = {(each.event_id, each.seq) for each in excerpt.mailed}
    for name in filter(_RECORD.fullmatch, sorted(contents)):
        try:
            link = _record(excerpt, name, contents[name])
        except Exception as error:  # noqa: BLE001 - as the docstring says
            excerpt.wrong.append(_unreadable(name, error))
            continue
        excerpt.records.append(link)
        if (link.event_id, link.seq) not in there:
            excerpt.box.links.append(link)
    for day in sorted({match[1] for match in map(_STATEMENT.fullmatch, contents) if match}):
        excerpt.wrong += _statement(excerpt, day, contents)
    excerpt.wrong += _unlike_mails(excerpt)
    return excerpt


def _record(excerpt: Excerpt, name: str, content: bytes) -> Link:
    record = json.loads(content)
    if not isinstance(record, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the file
    link = link_of(record)
    stem = entry_stem(link.event_id, link.seq)
    problem = (
        "; ".join(link.faults) if link.faults
        else "the record does not match its own hash" if link.hash != link.computed
        else "the record is not in canonical form" if canonical_json(record) != content
        else f"the record is that of {stem}" if name != f"{RECORDS}/{stem}.json"
        else ""
    )  # fmt: skip
    if problem:
        excerpt.wrong.append(found(INTEGRITY, link, "altered", f"{name}: {problem}"))
    return replace(link, told=told_of(record)) if link.is_sound else link


def _statement(excerpt: Excerpt, day: str, contents: Contents) -> Iterator[Finding]:
    """Takes the one of this day; what the file's names say is not believed."""
    folder = f"{STATEMENTS}/{day}"
    content = contents.get(f"{folder}/{STATEMENT_FILE}")
    signature = contents.get(f"{folder}/{SIGNATURE_FILE}")
    if content is None or signature is None:
        lost = STATEMENT_FILE if content is None else SIGNATURE_FILE
        detail = f"{folder}/{lost} is not here, and what belongs to it is"
        yield Finding(COMPLETENESS, "", 0, 0, "missing", "", detail)
    if content is None:
        return
    excerpt.days.add(day)
    excerpt.box.statement_mails += 1
    name = f"{folder}/{STATEMENT_FILE}"
    try:
        record = json.loads(content)
        sha256 = hashlib.sha256(content).hexdigest()
        problem = (
            "it is not in canonical form" if canonical_json(record) != content
            else "it is not the final one of its day"
            if record["day"] != day or record["is_final"] is not True
            else excerpt.box.statements.take(record, sha256, signature or b"")
        )  # fmt: skip
        excerpt.doubts += _doubts(record)
    except Exception as error:  # noqa: BLE001 - as above
        yield _unreadable(name, error)
        return
    if problem:
        yield Finding(INTEGRITY, "", 0, 0, "altered", "", f"{name}: {problem}")


def _doubts(record: Mapping[str, Any]) -> Iterator[Doubt]:
    said = f"the statement of {record['day']} says that"
    for each in record["extends"]["rewritten"]:
        detail = f"{said} its event's chain was rewritten"
        yield Doubt(each["event_id"], 1, MOST_ENTRIES, detail)
    for event in record["events"]:
        for first, last in event["missing"]:
            yield Doubt(event["event_id"], int(first), int(last), f"{said} it had no row")
        for seq in event["altered"]:
            detail = f"{said} its row was not what was written"
            yield Doubt(event["event_id"], int(seq), int(seq), detail)
        for seq, why in event.get("impossible", ()):
            detail = f"{said} the app never writes such an entry: {str(why)[:200]}"
            yield Doubt(event["event_id"], int(seq), int(seq), detail)


def _unlike_mails(excerpt: Excerpt) -> Iterator[Finding]:
    """Every entry must be here twice, as a record and in its mail, and be the same."""
    mailed: dict[tuple[str, int], set[str]] = {}
    for each in excerpt.mailed:
        mailed.setdefault((each.event_id, each.seq), set()).add(each.sha256)
    recorded = {(each.event_id, each.seq) for each in excerpt.records}
    for each in excerpt.records:
        digests = mailed.get((each.event_id, each.seq))
        if digests is None:
            yield found(COMPLETENESS, each, "missing", NO_MAIL)
        elif each.sha256 not in digests:
            yield found(INTEGRITY, each, "altered", "its mail holds another record than its file")
    for each in excerpt.mailed:
        if (each.event_id, each.seq) not in recorded:
            yield found(COMPLETENESS, each, "missing", "its record is not here, only its mail")


def _unreadable(name: str, error: Exception) -> Finding:
    detail = f"{name} cannot be read: {type(error).__name__}: {error}"[:300]
    return Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail)
