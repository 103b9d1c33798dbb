"""What mails are about: entries, what operators did, sealed statements; and how each is known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.audit.messages import ReissueMessage
from shared.ledger import canonical_json, problem_with, record_of
from shared.statements.bucket import EvidenceDamagedError, SealedStatement

_RUN = re.compile(r"[A-Za-z0-9_]{1,200}")
_STATEMENT = re.compile(r"statement_(\d{4}-\d\d-\d\d)_final_[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """own_id: its key in AuditDeliveries. header: of its mail alone. sha256: of its record."""

    own_id: str
    header: tuple[str, str]
    sha256: str


def entry_subject(row: Mapping[str, Any]) -> Subject | None:
    """None for a row that is not as it was written: that is named by others, and has no mail."""
    if problem_with(row):
        return None
    payment_id = str(row["payment_id"])
    return Subject(payment_id, ("X-SCC-Payment-Id", payment_id), _sha256(record_of(row)))


class Entries(Protocol):
    def find(self, payment_id: str) -> Mapping[str, Any] | None: ...


class Evidence(Protocol):
    def sealed(self, day: str) -> SealedStatement | None: ...


class OpsRecords:
    """The table is small: a few items whenever somebody replays, repairs or settles."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def since(self, at: int) -> Iterator[Subject]:
        """at: epoch milliseconds."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="part = :first AND #at >= :at",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=to_attributes({":first": 0, ":at": at}),
        )
        for page in pages:
            for item in page["Items"]:
                if subject := _ops_subject(from_attributes(item)):
                    yield subject

    def find(self, ops_id: str) -> Subject | None:
        record = self._record(ops_id)
        return _ops_subject(record) if record else None

    def has_reissue(self, run: str, payment_id: str) -> bool:
        if not _RUN.fullmatch(run):  # anybody writes anything into a header
            return False
        record = self._record(ReissueMessage(run=run).planned)
        return record.get("action") == "reissue" and record.get("filter") == payment_id

    def _record(self, ops_id: str) -> dict[str, Any]:
        """Empty without one."""
        if not keys.is_key(ops_id):
            return {}
        answer = self._client.get_item(
            TableName=self._table, Key=to_attributes({"ops_id": ops_id, "part": 0})
        )
        return from_attributes(answer.get("Item", {}))


@dataclass(frozen=True, slots=True)
class Subjects:
    """All that is mailed, by id and by day."""

    entries: Entries
    ops_records: OpsRecords
    evidence: Evidence

    def find(self, own_id: str) -> Subject | None:
        """None when there is nothing of this id, or not as it was written."""
        if own_id.startswith("ops_"):
            return self.ops_records.find(own_id)
        if day := _STATEMENT.fullmatch(own_id):
            return self._statement(day[1])
        row = self.entries.find(own_id)
        return entry_subject(row) if row else None

    def besides_entries(self, days: Iterable[str], since: int) -> Iterator[Subject]:
        """Statements of these days, and what operators did since then (epoch ms)."""
        for day in days:
            if statement := self._statement(day):
                yield statement
        yield from self.ops_records.since(since)

    def is_reissue(self, run: str, own_id: str) -> bool:
        """Whether operators had this mail issued again under this name."""
        return self.ops_records.has_reissue(run, own_id)

    def _statement(self, day: str) -> Subject | None:
        try:
            sealed = self.evidence.sealed(day)
        except EvidenceDamagedError:
            return None  # the statement's function says so
        if sealed is None:
            return None
        return Subject(sealed.place.delivery_id, ("X-SCC-Statement", day), sealed.sha256)


def _ops_subject(record: Mapping[str, Any]) -> Subject | None:
    """None for what no record of ours holds: the statement and `scc verify` say so."""
    ops_id = str(record["ops_id"])
    try:
        return Subject(ops_id, ("X-SCC-Ops-Id", ops_id), _sha256(record))
    except TypeError:
        return None


def _sha256(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record)).hexdigest()
