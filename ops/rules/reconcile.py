"""Compare ledger, deliveries and mailbox. Pure rules."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ops.verify_mbox import Link, Mailbox, read_mailbox
from shared.delivery import mail_state
from shared.ledger import canonical_json

AILING = ("missing", "duplicate", "altered", "orphan")  # exit code 1; "late" is history


@dataclass(slots=True)
class Tally:
    """One event's entries. payments, voids: [count, cents] by method."""

    entries: int = 0
    mailed: int = 0
    pending: int = 0
    payments: dict[str, list[int]] = field(default_factory=dict)
    voids: dict[str, list[int]] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        self.entries += 1
        sums = self.voids if row.get("kind") == "void" else self.payments
        one = sums.setdefault(str(row.get("method")), [0, 0])
        one[0] += 1
        one[1] += int(row.get("amount_cents", 0))

    def join(self, other: Tally) -> None:
        self.entries += other.entries
        self.mailed += other.mailed
        self.pending += other.pending
        for mine, theirs in ((self.payments, other.payments), (self.voids, other.voids)):
            for method, (count, cents) in theirs.items():
                one = mine.setdefault(method, [0, 0])
                one[0] += count
                one[1] += cents
        for kind, count in other.found.items():
            self.found[kind] = self.found.get(kind, 0) + count


@dataclass(slots=True)
class Reconciliation:
    """Everything found so far; JSON can store it to resume later.

    unit, after: the current event or day, and where its next page starts. mails_after: the next
    page of the mailbox. repaired: payments that were queued again.
    """

    scope: list[str]
    done: list[str] = field(default_factory=list)
    unit: str = ""
    after: dict[str, Any] | None = None
    mails_after: str = ""
    mails_done: bool = False
    mails: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Reconciliation:
        tallies = {name: Tally(**each) for name, each in content["tallies"].items()}
        return cls(**{**content, "tallies": tallies})

    def tally(self, event_id: str) -> Tally:
        return self.tallies.setdefault(event_id, Tally())

    def found(self, kind: str, row: Mapping[str, Any], detail: str, **more: Any) -> None:
        event_id = str(row.get("event_id", ""))
        self.findings.append(
            {
                "kind": kind,
                "event_id": event_id,
                "seq": row.get("seq", 0),
                "payment_id": row.get("payment_id", ""),
                "detail": detail,
            }
            | more
        )
        counts = self.tally(event_id).found
        counts[kind] = counts.get(kind, 0) + 1

    def count(self, kind: str) -> int:
        return sum(each["kind"] == kind for each in self.findings)

    @property
    def is_fine(self) -> bool:
        return not any(each["kind"] in AILING for each in self.findings)

    def take_row(
        self,
        row: Mapping[str, Any],
        delivery: Mapping[str, Any],
        *,
        mails: int | None,
        now: int,
        late_ms: int,
    ) -> None:
        """One ledger row. mails: how many the mailbox has for it, None without a search."""
        tally = self.tally(str(row["event_id"]))
        tally.add(row)
        state = mail_state(delivery)
        if state == "sent" and mails == 0:
            self.found("missing", row, "was sent but is not in the mailbox", queue=False)
            return
        age = now - int(row["logged_at"])
        if state == "sent":
            tally.mailed += 1
            delay = int(delivery.get("sent_at", 0)) - int(row["logged_at"])
            if delay > late_ms:
                self.found("late", row, f"mailed after {delay // 60_000} minutes")
        elif age > late_ms and not mails:
            error = (delivery.get("last_error") or {}).get("message", "")
            told = "no delivery has started" if state == "queued" else state
            self.found("missing", row, f"{told}: {error}" if error else told, queue=True)
        else:
            tally.pending += 1
        if mails is not None and mails > 1:
            self.found("duplicate", row, f"{mails} mails")

    def take_mail(self, link: Link, row: Mapping[str, Any], problems: Sequence[str]) -> None:
        """One mail that looks genuine. row: the ledger's row for it, or empty."""
        self.mails += 1
        if not row or row.get("payment_id") != link.payment_id:
            claimed = {"event_id": link.event_id, "seq": link.seq, "payment_id": link.payment_id}
            self.found("orphan", claimed, "the ledger has no such entry")
        elif hashlib.sha256(canonical_json(row)).hexdigest() != link.sha256:
            self.found("altered", row, "its record.json differs from the ledger's row")
        elif problems:
            self.found("altered", row, "; ".join(problems))


def read_mail(raw: bytes) -> Mailbox:
    """One mail as the offline verifier reads it."""
    lines = raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
    return read_mailbox(io.BytesIO(b"From gmail\n" + lines))
