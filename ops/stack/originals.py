"""What mails are made from, as the mailer finds it: entries, ops records, sealed statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.rules.dead_letters import Verdict
from ops.session import Session
from ops.stack.deeds import OpsRecordReader
from ops.stack.entries import LedgerReader
from shared.audit.messages import (
    AuditMessage,
    Message,
    OpsMessage,
    ReissueMessage,
    StatementMessage,
)
from shared.statements.bucket import Evidence
from shared.statements.places import StatementPlace


@dataclass(frozen=True, slots=True)
class Originals:
    ledger: LedgerReader
    records: OpsRecordReader
    evidence: Evidence

    @classmethod
    def of(cls, session: Session) -> Originals:
        bucket = session.aws.output("EvidenceBucketName")
        evidence = Evidence(session.aws.client("s3"), bucket)
        return cls(LedgerReader.of(session), OpsRecordReader.of(session), evidence)

    def deliveries(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """As LedgerReader does."""
        return self.ledger.deliveries(ids)

    def lacking(self, messages: Sequence[Message]) -> dict[Message, Verdict]:
        """Messages of which no mail can be made, and why the mailer would set them aside."""
        entries = [each for each in messages if isinstance(each, AuditMessage)]
        there = self.ledger.known(entries)
        found: dict[Message, Verdict] = {}
        for each in messages:
            match each:
                case AuditMessage():
                    lack = None if each in there else Verdict.POISON_NO_PAYMENT
                case OpsMessage():
                    is_there = self.records.record(each.ops_id)
                    lack = None if is_there else Verdict.POISON_NO_RECORD
                case ReissueMessage():
                    lack = self._reissue_lacks(each)
                case StatementMessage():
                    lack = None if self._is_sealed(each.place) else Verdict.POISON_NO_STATEMENT
            if lack:
                found[each] = lack
        return found

    def _reissue_lacks(self, message: ReissueMessage) -> Verdict | None:
        record = self.records.record(message.planned)
        if record.get("action") != "reissue" or type(record.get("at")) is not int:
            return Verdict.POISON_NO_RECORD
        payment_id = str(record.get("filter"))
        is_there = self.ledger.payment(payment_id).get("payment_id") == payment_id
        return None if is_there else Verdict.POISON_NO_PAYMENT

    def _is_sealed(self, place: StatementPlace) -> bool:
        has_record = self.evidence.record(place) is not None
        return has_record and self.evidence.signature(place) is not None
