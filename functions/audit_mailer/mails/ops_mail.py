"""The mail about what operators did to messages: the ops record, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any

from functions.audit_mailer.mails.envelope import (
    Addresses,
    AuditMail,
    Letter,
    Record,
    plain_id,
    sealed,
    utc,
)
from functions.audit_mailer.mails.page import Page, Section, clipped
from shared.text import file_name, search_token

SHOWN_MESSAGES = 200  # the rest is in the attachment, and in further parts of the record
SHOWN_BYTES = 20_000  # of messages as HTML


def compose(ops_record: Mapping[str, Any], addresses: Addresses) -> AuditMail:
    """The mail about one ops record (part 0). Raises TypeError for a record that is not one."""
    for name, kind in (("ops_id", str), ("action", str), ("at", int), ("messages", list)):
        if not isinstance(ops_record.get(name), kind):
            raise TypeError(f"not an ops record: {name} is missing or mistyped")
    ops_id = str(ops_record["ops_id"])
    record = Record.of(ops_record, ops_file(ops_record))
    thread = plain_id(str(ops_record.get("run", ops_id)))
    letter = Letter(
        own_id=ops_id,
        subject=ops_subject(ops_record),
        written_at=ops_record["at"],
        headers={
            "X-SCC-Ops-Id": ops_id,
            "References": f"<{thread}.thread@{addresses.domain}>",
        },
        page=ops_page(ops_record, record.sha256),
        record=record,
    )
    return sealed(letter, addresses)


def ops_file(ops_record: Mapping[str, Any]) -> str:
    """What the attached record is called."""
    return f"ops-{file_name(str(ops_record['ops_id']))}.json"


def ops_subject(ops_record: Mapping[str, Any]) -> str:
    """Without the search token."""
    return f"[SCC Ops] {_deed(ops_record)} - {clipped(str(ops_record.get('who')))}"


def ops_page(ops_record: Mapping[str, Any], record_sha256: str) -> Page:
    """What the mail shows, told from the record alone."""
    counts = ops_record.get("counts") or {}
    outcome = ", ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "nothing"
    what = (
        ("Action", ops_record["action"]),
        ("Phase", ops_record.get("phase")),
        ("Outcome", outcome),
        ("Selected by", ops_record.get("filter")),
        ("Reason", ops_record.get("reason") or "none given"),
    )
    who = (
        ("Who", ops_record.get("who")),
        ("When", utc(ops_record["at"])),
        ("Stack", ops_record.get("stack")),
    )
    proof = (
        ("Ops record", ops_record["ops_id"]),
        ("SHA-256 of the record", record_sha256),
        ("Search token", search_token(str(ops_record["ops_id"]))),
    )
    return Page(
        heading=f"Operators: {_deed(ops_record)}",
        subheading=outcome,
        sections=[
            Section("What", _rows(what)),
            Section("Who and when", _rows(who)),
            Section("Messages", _message_rows(ops_record)),
            Section("Proof", _rows(proof)),
        ],
    )


def _deed(ops_record: Mapping[str, Any]) -> str:
    if ops_record["action"] == "ack":
        return "finding explained"
    return clipped(f"{ops_record['action']} {ops_record.get('phase')}")


def _rows(facts: Sequence[tuple[str, Any]]) -> list[tuple[str, ...]]:
    return [(label, str(value)) for label, value in facts]


def _message_rows(ops_record: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The first messages, as many as Gmail shows, and where the others are."""
    messages = ops_record["messages"]
    texts = [str(each) for each in messages[:SHOWN_MESSAGES]]
    sizes = accumulate(len(escape(each).encode("utf-8", "replace")) for each in texts)
    shown = [text for text, size in zip(texts, sizes, strict=True) if size <= SHOWN_BYTES]
    rows: list[tuple[str, Any]] = [(str(number), each) for number, each in enumerate(shown, 1)]
    if more := len(messages) - len(shown):
        rows.append(("More", f"{more} more are in the attachment"))
    if (further := int(ops_record.get("messages_total", 0)) - len(messages)) > 0:
        rows.append(("Further parts", f"{further} more are in the ops record's other parts"))
    return _rows(rows)
