"""What operators decided about mails, and which of it counts. Pure rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.audit.delivery import moment_of
from shared.audit.findings import MailFinding, was_heard
from shared.audit.messages import ReissueMessage

Record = Mapping[str, Any]

UNHEARD = "settled by a record nobody was mailed about"
_ACK = re.compile(r"ops_ack_(missing|duplicate|altered|orphan)_[0-9a-f]+_done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """A person's word that a finding is explained. at: epoch ms, None when nothing says.

    is_heard: compliance was mailed this very record, or its mail may still be on its way.
    """

    ops_id: str
    own_id: str
    kind: str
    who: str
    reason: str
    at: int | None
    is_heard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reissue:
    """A mail that a person had issued again. at: epoch ms, None when nothing says.

    is_queued: the record of its end says so. delivery: its item of AuditDeliveries.
    """

    run: str
    who: str
    reason: str
    at: int | None
    is_queued: bool
    delivery: Record


@dataclass(frozen=True, slots=True)
class Deeds:
    """records: ops records of findings settled and mails issued again, by ops id.

    deliveries: AuditDeliveries of the mails about them, and of the reissued mails. now: epoch ms.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    deliveries: Mapping[str, Record] = field(default_factory=dict)
    now: int = 0

    def knows(self, run: str) -> bool:
        """Whether the record that a reissue needs was looked for."""
        return ReissueMessage(run=run).planned in self.records

    def joined(self, records: Mapping[str, Record]) -> Deeds:
        """With records that were looked for later; empty ones are not there."""
        return replace(self, records={**self.records, **records})

    def is_reissue(self, run: str, payment_id: str) -> bool:
        """Whether operators had this payment's mail issued again under this name."""
        record = self.records.get(ReissueMessage(run=run).planned, {})
        return record.get("action") == "reissue" and record.get("filter") == payment_id

    def is_settled(self, finding: MailFinding) -> bool:
        """Whether a person explained it, and compliance heard of that."""
        record = self.records.get(finding.ops_id, {})
        ack = self._ack(finding.ops_id, record) if record.get("action") == "ack" else None
        return ack is not None and ack.own_id == finding.own_id and ack.is_heard

    def acks(self, own_id: str) -> Iterator[Ack]:
        """Of a mail's findings, those that a record settles, heard of or not."""
        return (each for each in self._all_acks() if each.own_id == own_id)

    def unheard(self) -> list[Ack]:
        """What a record settles without anybody having been mailed about it."""
        return [each for each in self._all_acks() if not each.is_heard]

    def reissues(self, payment_id: str) -> Iterator[Reissue]:
        for ops_id, record in self.records.items():
            run = ops_id.removesuffix("_planned")
            if run == ops_id or not self.is_reissue(run, payment_id):
                continue
            done = self.records.get(f"{run}_done", {})
            yield Reissue(
                run=run,
                who=str(record.get("who")),
                reason=str(record.get("reason")),
                at=moment_of(record, "at"),
                is_queued=bool(done),
                delivery=self.deliveries.get(run, {}),
            )

    def _all_acks(self) -> Iterator[Ack]:
        for ops_id, record in self.records.items():
            if record.get("action") == "ack":
                yield self._ack(ops_id, record)

    def _ack(self, ops_id: str, record: Record) -> Ack:
        named = _ACK.fullmatch(ops_id)
        return Ack(
            ops_id=ops_id,
            own_id=str(record.get("filter")),
            kind=named[1] if named else "unknown",
            who=str(record.get("who")),
            reason=str(record.get("reason")),
            at=moment_of(record, "at"),
            is_heard=was_heard(record, self.deliveries.get(ops_id, {}), self.now),
        )
