"""Reading back what operators decided about mails, and what they have not decided yet."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from ops.clock import now_ms
from ops.rules.mails.deeds import Deeds
from ops.rules.mails.watched import OpenFinding, open_findings
from ops.session import Session
from ops.stack.entries import LedgerReader
from shared.attributes import from_attributes, to_attributes
from shared.audit.messages import ReissueMessage

_RUN = re.compile(r"[A-Za-z0-9_]{1,200}\Z")


def deeds_of(session: Session) -> Deeds:
    """All findings that were settled and all mails that were issued again: a small table."""
    records = OpsRecordReader.of(session).about_mails()
    runs = {str(each.get("run")) for each in records.values() if each.get("action") == "reissue"}
    deliveries = LedgerReader.of(session).deliveries([*records, *runs])
    return Deeds(records, deliveries, now_ms())


def findings_of(session: Session) -> list[OpenFinding]:
    """What the watch found and nobody has settled, and what is settled unheard."""
    ledger = LedgerReader.of(session)
    return open_findings(ledger.deliveries(ledger.unsettled()), deeds_of(session))


class OpsRecordReader:
    """The first part of each record, which holds who did what and why."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    @classmethod
    def of(cls, session: Session) -> OpsRecordReader:
        return cls(session.aws.client("dynamodb"), session.aws.output("OpsRecordTableName"))

    def about_mails(self) -> dict[str, dict[str, Any]]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="part = :first AND #action IN (:ack, :reissue)",
            ExpressionAttributeNames={"#action": "action"},
            ExpressionAttributeValues=to_attributes(
                {":first": 0, ":ack": "ack", ":reissue": "reissue"}
            ),
        )
        rows = (from_attributes(item) for page in pages for item in page["Items"])
        return {str(each["ops_id"]): each for each in rows}

    def record(self, ops_id: str) -> dict[str, Any]:
        """Empty without one."""
        key = to_attributes({"ops_id": ops_id, "part": 0})
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_attributes(answer.get("Item", {}))

    def joined(self, deeds: Deeds, runs: Collection[str]) -> Deeds:
        """With what may have been issued again since the deeds were read.

        A mail can claim any name: one that no record has is not asked for.
        """
        unknown = [ReissueMessage(run=each) for each in runs if each and not deeds.knows(each)]
        return deeds.joined(
            {each.planned: self.record(each.planned) for each in unknown if _RUN.match(each.run)}
        )
