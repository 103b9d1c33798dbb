"""The mail about what operators did to messages: the ops record, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.audit_mailer.mails.envelope import (
    Addresses,
    AuditMail,
    Letter,
    Record,
    header_line,
    sealed,
    utc,
)
from functions.audit_mailer.mails.page import Page, Section
from shared.text import search_token

SHOWN_MESSAGES = 200  # the rest is in record.json, and in further parts of the record


def compose(ops_record: Mapping[str, Any], addresses: Addresses) -> AuditMail:
    """The mail about one ops record (part 0). Raises TypeError for a record that is not one."""
    for name, kind in (("ops_id", str), ("action", str), ("at", int), ("messages", list)):
        if not isinstance(ops_record.get(name), kind):
            raise TypeError(f"not an ops record: {name} is missing or mistyped")
    ops_id = str(ops_record["ops_id"])
    record = Record.of(ops_record)
    thread = header_line(str(ops_record.get("run", ops_id)))
    letter = Letter(
        own_id=ops_id,
        subject=(
            f"[SCC Ops] {ops_record['action']} {ops_record.get('phase')} - {ops_record.get('who')}"
        ),
        written_at=ops_record["at"],
        headers={
            "X-SCC-Ops-Id": ops_id,
            "References": f"<{thread}.thread@{addresses.domain}>",
        },
        page=_page(ops_record, record),
        record=record,
    )
    return sealed(letter, addresses)


def _page(ops_record: Mapping[str, Any], record: Record) -> Page:
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
        ("SHA-256 of record.json", record.sha256),
        ("Search token", search_token(str(ops_record["ops_id"]))),
    )
    return Page(
        heading=f"Operators: {ops_record['action']} {ops_record.get('phase')}",
        subheading=outcome,
        sections=[
            Section("What", _rows(what)),
            Section("Who and when", _rows(who)),
            Section("Messages", _message_rows(ops_record["messages"])),
            Section("Proof", _rows(proof)),
        ],
    )


def _rows(facts: Sequence[tuple[str, Any]]) -> list[tuple[str, ...]]:
    return [(label, str(value)) for label, value in facts]


def _message_rows(messages: Sequence[Any]) -> list[tuple[str, ...]]:
    shown = list(enumerate(messages[:SHOWN_MESSAGES], start=1))
    more = len(messages) - len(shown)
    rest = [("more", f"{more}, see record.json")] if more else []
    return _rows([*((str(number), each) for number, each in shown), *rest])
