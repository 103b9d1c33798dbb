"""Whether ledger and mailbox agree: a pure judgment of what was answered and what exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.ledger import canonical_json, record_of

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in the dead-letter queue; reason is empty if it does not say why it is there."""

    body: str
    error_class: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """rows: the ledger. deliveries: AuditDeliveries by payment_id. mails: those of entries."""

    rows: Sequence[Row]
    deliveries: Mapping[str, Row]
    mails: Sequence[Mapping[str, Any]]
    dead_letters: Sequence[DeadLetter]


@dataclass(slots=True)
class Verdict:
    """logged: entries answered with 200. Every list holds payment ids that should not be there.

    lost: answered, but not in the ledger or without a mail. doubled: more than one mail.
    unasked: rows or mails that no request was answered with. altered: the mail does not hold the
    row. unmarked: AuditDeliveries does not say sent, or names another mail. gaps: numbers that an
    event lacks or has twice. unexplained: dead letters without a reason.
    """

    logged: int = 0
    rows: int = 0
    mails: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    dead: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> dict[str, list[str]]:
        """What should be empty, by name."""
        names = ("lost", "doubled", "unasked", "altered", "unmarked", "gaps", "unexplained")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def judge(logged: Sequence[str], evidence: Evidence) -> Verdict:
    """logged: the ids of all entries that the API answered with 200."""
    rows = {str(row["payment_id"]): row for row in evidence.rows}
    mails: dict[str, list[Mapping[str, Any]]] = {}
    for mail in evidence.mails:
        mails.setdefault(mail["headers"]["X-SCC-Payment-Id"], []).append(mail)
    verdict = Verdict(logged=len(set(logged)), rows=len(evidence.rows), mails=len(evidence.mails))
    verdict.lost = [each for each in logged if each not in rows or each not in mails]
    verdict.doubled = [each for each, copies in mails.items() if len(copies) > 1]
    verdict.unasked = sorted((rows.keys() | mails.keys()) - set(logged))
    for payment_id in rows.keys() & mails.keys():
        mail = mails[payment_id][0]
        if not _holds(mail, rows[payment_id]):
            verdict.altered.append(payment_id)
        own = [payment_id, mail["headers"].get("X-SCC-Reissue", "")]  # a reissued mail has its own
        marked = [evidence.deliveries.get(each, {}) for each in own]
        if not any(
            each.get("state") == "sent" and each["gmail_id"] == mail["id"] for each in marked
        ):
            verdict.unmarked.append(payment_id)
    verdict.gaps = _gaps(evidence.rows)
    for letter in evidence.dead_letters:
        verdict.dead[letter.error_class or "without a reason"] += 1
        if not (letter.error_class and letter.reason):
            verdict.unexplained.append(letter.body)
    return verdict


def _holds(mail: Mapping[str, Any], row: Row) -> bool:
    records = [each["json"] for each in mail["attachments"] if each["filename"].endswith(".json")]
    return [canonical_json(each) for each in records] == [canonical_json(record_of(row))]


def _gaps(rows: Sequence[Row]) -> list[str]:
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row["event_id"], []).append(int(row["seq"]))
    return [
        event for event, found in numbers.items() if sorted(found) != list(range(1, len(found) + 1))
    ]
