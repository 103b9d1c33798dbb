#!/usr/bin/env python3
"""Check the audit mails in an exported mailbox, with Python 3.11's standard library and this file.

    python3 verify_mbox.py export.mbox          (--json for a machine)

Every audit mail carries one ledger entry as `record.json`. An entry's hash is the SHA-256 of its
canonical JSON (sorted keys, no spaces, UTF-8) without `hash`; `prev_hash` is the previous entry's
hash, or 64 zeros for the first one. So the entries of an event form a chain. Daily statements carry
`statement.json`: how far each event's chain reached, and the hash it ended with.

Two verdicts: INTEGRITY (what is here is what was written) and COMPLETENESS (nothing is missing or
duplicated). Exit code 0: both hold. 1: something was found. 2: the file could not be checked.
Not checked: who sent a mail (Gmail shows that, by DKIM), and payments that were never logged.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, BinaryIO

GENESIS = "0" * 64
INTEGRITY, COMPLETENESS = "integrity", "completeness"
_SEPARATOR = re.compile(rb"From \S")  # mbox: every mail starts with it, after an empty line
_QUOTED = re.compile(rb">+From ")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """seq, last_seq: which entries, or 0 when unknown."""

    verdict: str
    event_id: str
    seq: int
    last_seq: int
    kind: str
    payment_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a chain. computed: the hash it should have. sha256: of the whole record."""

    event_id: str
    seq: int
    payment_id: str
    hash: str
    prev_hash: str
    computed: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """What another source says about a chain: at `seq` its hash was `hash`."""

    event_id: str
    seq: int
    hash: str
    source: str


@dataclass(slots=True)
class Mailbox:
    """What a file contains. wrong: findings about single mails. days: of final statements."""

    links: list[Link] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    wrong: list[Finding] = field(default_factory=list)
    mails: int = 0
    statements: int = 0


def canonical(record: Any) -> bytes:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def link_of(record: Mapping[str, Any]) -> Link:
    """Raises ValueError, which says why it is not an entry of a chain."""
    for name, kind in (("event_id", str), ("payment_id", str), ("hash", str), ("prev_hash", str)):
        if not isinstance(record.get(name), kind):
            raise ValueError(f"{name} is missing or not text")  # noqa: TRY004 - of the record
    seq = record.get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 < seq < 10**12:
        raise ValueError("seq is not a number from 1 up")
    unsealed = {name: value for name, value in record.items() if name != "hash"}
    return Link(
        event_id=record["event_id"],
        seq=seq,
        payment_id=record["payment_id"],
        hash=record["hash"],
        prev_hash=record["prev_hash"],
        computed=hashlib.sha256(canonical(unsealed)).hexdigest(),
        sha256=hashlib.sha256(canonical(record)).hexdigest(),
    )


# ── the rules of a chain ─────────────────────────────────────────────────────────────────────────


def check_chains(links: Iterable[Link], anchors: Iterable[Anchor]) -> list[Finding]:
    """Check every event's chain against itself and its anchors."""
    by_event: dict[str, tuple[list[Link], list[Anchor]]] = {}
    for link in links:
        by_event.setdefault(link.event_id, ([], []))[0].append(link)
    for anchor in anchors:
        by_event.setdefault(anchor.event_id, ([], []))[1].append(anchor)
    return sorted(each for event in sorted(by_event) for each in check_chain(*by_event[event]))


def check_chain(links: Sequence[Link], anchors: Sequence[Anchor]) -> Iterator[Finding]:
    """Check one event's chain. An altered entry with a new hash contradicts its neighbor."""
    claims: dict[int, dict[str, Link]] = {}
    for link in links:
        same = claims.setdefault(link.seq, {})
        if link.sha256 in same:
            yield _found(COMPLETENESS, link, "duplicate", "the same entry appears twice")
        same[link.sha256] = link
    said = {(each.seq, each.hash): each for each in anchors}
    wanted = {(each.seq - 1, each.prev_hash) for each in links if each.hash == each.computed}
    chain: dict[int, Link] = {}
    for seq in sorted(claims):
        rivals = sorted(
            claims[seq].values(),
            key=lambda each: (
                each.hash != each.computed,
                (each.seq, each.hash) not in said,
                (each.seq, each.hash) not in wanted,
                seq > 1 and seq - 1 in chain and chain[seq - 1].hash != each.prev_hash,
                each.sha256,
            ),
        )
        chain[seq] = rivals[0]
        for other in rivals[1:]:
            kind = "inserted" if other.payment_id != rivals[0].payment_id else "altered"
            yield _found(
                INTEGRITY, other, kind, f"{rivals[0].payment_id} has this number and fits the chain"
            )
    yield from _wrong_links(chain, anchors)
    event_id = links[0].event_id if links else anchors[0].event_id
    for first, last in gaps(chain, max((each.seq for each in anchors), default=0)):
        yield Finding(COMPLETENESS, event_id, first, last, "missing")


def _wrong_links(chain: Mapping[int, Link], anchors: Sequence[Anchor]) -> Iterator[Finding]:
    said = {each.seq: each for each in anchors if each.seq}
    for seq, link in chain.items():
        after = chain.get(seq + 1)
        if link.hash != link.computed:
            detail = "the record does not match its own hash"
        elif seq in said and said[seq].hash != link.hash:
            detail = f"{said[seq].source} has a different hash"
        elif after and after.hash == after.computed and after.prev_hash != link.hash:
            detail = f"#{seq + 1:06d} has a different hash for the entry before it"
        elif seq == 1 and link.prev_hash != GENESIS:
            detail = "the first entry names an entry before it"
        else:
            continue
        yield _found(INTEGRITY, link, "altered", detail)


def gaps(seen: Iterable[int], least: int = 0) -> list[tuple[int, int]]:
    """The ranges of missing numbers from 1 to the greatest one (or to `least`)."""
    found, expected = [], 1
    for seq in sorted(seen):
        if seq > expected:
            found.append((expected, seq - 1))
        expected = seq + 1
    if least >= expected:
        found.append((expected, least))
    return found


def ranges(numbers: Iterable[int]) -> str:
    """For example "#000001-#000041, #000043", or "none"."""
    distinct = enumerate(sorted(set(numbers)))
    spans = [list(span) for _, span in groupby(distinct, lambda pair: pair[1] - pair[0])]
    return ", ".join(span_text(span[0][1], span[-1][1]) for span in spans) or "none"


def span_text(first: int, last: int) -> str:
    return f"#{first:06d}" if last <= first else f"#{first:06d}-#{last:06d}"


def _found(verdict: str, link: Link, kind: str, detail: str) -> Finding:
    return Finding(verdict, link.event_id, link.seq, link.seq, kind, link.payment_id, detail)


# ── the mailbox ──────────────────────────────────────────────────────────────────────────────────


def read_mailbox(file: BinaryIO) -> Mailbox:
    """Read every mail of the file. Raises ValueError when it is not an mbox."""
    box = Mailbox()
    for raw in split_mbox(file):
        box.mails += 1
        where = f"mail {box.mails} of the file"
        try:
            _take(box, raw, where)
        except Exception as error:  # noqa: BLE001 - any garbage may be in a mail: it is a finding
            if b"X-SCC-" in raw:
                detail = f"{where} cannot be read: {type(error).__name__}: {error}"
                box.wrong.append(Finding(INTEGRITY, "", 0, 0, "unreadable", "", detail[:300]))
    return box


def split_mbox(file: BinaryIO) -> Iterator[bytes]:
    """The mails of a file in mboxrd format. Raises ValueError for any other format."""
    lines: list[bytes] = []
    is_begun, is_blank = False, True
    for line in file:
        if is_blank and _SEPARATOR.match(line):
            if is_begun:
                yield b"".join(lines)
            lines, is_begun = [], True
        elif is_begun:
            lines.append(line[1:] if _QUOTED.match(line) else line)
        elif line.strip():
            raise ValueError("not an mbox file: it does not start with a line `From …`")
        is_blank = not line.strip(b"\r\n")
    if is_begun:
        yield b"".join(lines)


def _take(box: Mailbox, raw: bytes, where: str) -> None:
    mail = message_from_bytes(raw)
    attached = {str(part.get_filename()): part for part in mail.walk() if part.get_filename()}
    if "statement.json" in attached:
        box.statements += 1
        content = _content(attached["statement.json"])
        problem = _visible_problem(mail, [hashlib.sha256(content).hexdigest()])
        if problem:
            box.wrong.append(Finding(INTEGRITY, "", 0, 0, "altered", "", f"{where}: {problem}"))
        else:
            _take_statement(box, json.loads(content))
    elif "record.json" in attached:
        _take_record(box, mail, _content(attached["record.json"]), where)
    elif mail["X-SCC-Payment-Id"]:
        payment_id = str(mail["X-SCC-Payment-Id"])[:100]
        detail = f"{where} has lost its record.json"
        box.wrong.append(Finding(INTEGRITY, "", 0, 0, "altered", payment_id, detail))


def _take_record(box: Mailbox, mail: Message, content: bytes, where: str) -> None:
    record = json.loads(content)
    link = link_of(record)
    box.links.append(link)
    if link.hash != link.computed:
        return  # found with the chain
    cents = record["amount_cents"]
    shown = f"${cents // 100:,}.{cents % 100:02d}"
    problem = (
        "record.json is not in canonical form" if canonical(record) != content
        else "its payment id header differs" if mail["X-SCC-Payment-Id"] != link.payment_id
        else "its subject differs" if f"#{link.seq:06d} {shown} " not in _subject(mail)
        else _visible_problem(mail, [link.sha256, link.hash, link.prev_hash, shown])
    )  # fmt: skip
    if problem:
        box.wrong.append(_found(INTEGRITY, link, "altered", f"{where}: {problem}"))


def _take_statement(box: Mailbox, record: Mapping[str, Any]) -> None:
    day = str(record["day"])
    for event in record["events"]:
        for which in ("last", "head"):
            seq, digest = event[f"{which}_seq"], event[f"{which}_hash"]
            anchor = Anchor(event["event_id"], seq, digest, f"the statement of {day}")
            if not isinstance(seq, int) or not 0 <= seq < 10**12 or not isinstance(digest, str):
                raise ValueError(f"the statement of {day} has no {which} for an event")
            box.anchors.append(anchor)
    if record["is_final"]:
        box.days.add(date.fromisoformat(day).isoformat())


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        raise ValueError("an attachment is not a file")  # noqa: TRY004 - of the mail, not of a caller
    return content


def _subject(mail: Message) -> str:
    folded = str(make_header(decode_header(mail["Subject"] or "")))
    return re.sub(r"\s+", " ", folded)


def _visible_problem(mail: Message, wanted: Sequence[str]) -> str:
    """The visible text must show the same figures; Gmail may rewrap and rewrite it."""
    for part in mail.walk():
        if part.get_content_maintype() != "text" or part.get_filename():
            continue
        text = _content(part).decode("utf-8", "replace")
        if part.get_content_subtype() == "html":
            text = html.unescape(re.sub(r"<[^>]*>", "", text))
        text = re.sub(r"\s", "", text)
        if not all(each in text for each in wanted):
            return "its text differs from its attachment"
    return ""


# ── the report ───────────────────────────────────────────────────────────────────────────────────


def findings_of(box: Mailbox) -> list[Finding]:
    found = [*box.wrong, *check_chains(box.links, box.anchors), *_missing_days(box.days)]
    return merged(found)


def merged(found: Iterable[Finding]) -> list[Finding]:
    """In order, each kind once per entry: an alteration shows up in several places."""
    by_place: dict[tuple[Any, ...], Finding] = {}
    for each in sorted(set(found)):
        place = (each.verdict, each.event_id, each.seq, each.kind, each.payment_id)
        if each.seq and place in by_place:
            detail = f"{by_place[place].detail}; {each.detail}"
            by_place[place] = replace(each, detail=detail)
        else:
            by_place[place if each.seq else (*place, each.detail)] = each
    return list(by_place.values())


def _missing_days(days: set[str]) -> Iterator[Finding]:
    """A statement is sent every day: none may be missing between the first and the last."""
    known = sorted(date.fromisoformat(each) for each in days)
    for before, after in pairwise(known):
        if (after - before).days > 1:
            first, last = before + timedelta(1), after - timedelta(1)
            detail = f"no statement for {first}" + (f" to {last}" if last > first else "")
            yield Finding(COMPLETENESS, "", 0, 0, "no-statement", "", detail)


def summary(box: Mailbox, findings: Sequence[Finding]) -> dict[str, Any]:
    """The report as plain data."""
    events: dict[str, dict[str, Any]] = {}
    for link in box.links:
        event = events.setdefault(link.event_id, {"numbers": set(), "stated": 0})
        if link.hash == link.computed:
            event["numbers"].add(link.seq)
    for anchor in box.anchors:
        event = events.setdefault(anchor.event_id, {"numbers": set(), "stated": 0})
        event["stated"] = max(event["stated"], anchor.seq)
    return {
        "mails": box.mails,
        "records": len(box.links),
        "statements": box.statements,
        INTEGRITY: not any(each.verdict == INTEGRITY for each in findings),
        COMPLETENESS: not any(each.verdict == COMPLETENESS for each in findings),
        "events": [
            {
                "event_id": name,
                "anchored": ranges(event["numbers"]),
                "stated_up_to": event["stated"],
                "unseen_beyond": max([event["stated"], *event["numbers"]]),
            }
            for name, event in sorted(events.items())
        ],
        "findings": [asdict(each) for each in findings],
    }


def finding_text(finding: Mapping[str, Any]) -> str:
    words = [finding["kind"]]
    if finding["event_id"]:
        words.append(finding["event_id"])
    if finding["seq"]:
        words.append(span_text(finding["seq"], finding["last_seq"]))
    words += [each for each in (finding["payment_id"], finding["detail"]) if each]
    return "".join(each if each.isprintable() else "\ufffd" for each in "  ".join(words))


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def report(content: Mapping[str, Any]) -> Iterator[str]:
    """The report for people, without characters that hide or move text."""
    entries = _counted(content["records"], "entry", "entries")
    statements = _counted(content["statements"], "statement", "statements")
    yield f"{_counted(content['mails'], 'mail', 'mails')}: {entries}, {statements}"
    for event in content["events"]:
        name = event["event_id"].encode("unicode_escape").decode()
        stated = (
            f"statements reach {span_text(event['stated_up_to'], 0)}"
            if event["stated_up_to"]
            else "no statement"
        )
        yield f"  {name}: anchored in mails {event['anchored']}; {stated}"
    for verdict in (INTEGRITY, COMPLETENESS):
        found = [each for each in content["findings"] if each["verdict"] == verdict]
        yield f"{verdict.upper()}: {'FAILED' if found else 'ok'}"
        yield from (f"  {finding_text(each)}" for each in found)
    yield (
        "What came after an event's last mail and last statement cannot be seen from this file: "
        "ask for a newer export, or for `scc verify --mbox`."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("mbox", type=Path, help="the exported mailbox, in mbox format")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    options = parser.parse_args(arguments)
    try:
        with options.mbox.open("rb") as file:
            box = read_mailbox(file)
    except (OSError, ValueError) as error:
        print(f"{options.mbox}: {error}", file=sys.stderr)
        return 2
    if not (box.links or box.anchors or box.wrong):
        print(f"{options.mbox}: {box.mails} mails, none of them an audit mail", file=sys.stderr)
        return 2
    content = summary(box, findings_of(box))
    lines = [json.dumps(content, indent=2)] if options.json else report(content)
    for line in lines:
        print(line.encode("ascii", "backslashreplace").decode())
    return 0 if content[INTEGRITY] and content[COMPLETENESS] else 1


if __name__ == "__main__":
    sys.exit(main())
