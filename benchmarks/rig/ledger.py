"""A ledger of any size behind the endpoint: indexes by event and day, heads, pointers, mails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.rig.endpoint import Endpoint
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import COUNTS, LedgerEntry

MOST_BYTES = 1_000_000  # of a page, as in DynamoDB
Place = tuple[str, str]  # the index's attribute, and its value


@dataclass
class LedgerEndpoint(Endpoint):
    """Answers queries of Payments by event_id and logged_day, and the scan for heads."""

    _rows: dict[Place, list[tuple[int, Any]]] = field(default_factory=dict)
    _heads: list[Any] = field(default_factory=list)

    def hold(self, entries: Iterable[LedgerEntry]) -> None:
        """All entries of one event, each with its pointer, and its mail sent."""
        totals: Counter[str] = Counter()
        for each in entries:
            item = to_attributes(each.to_row())
            sized = (len(json.dumps(item)), item)
            for name in ("event_id", "logged_day"):
                self._rows.setdefault((name, getattr(each, name)), []).append(sized)
            sent = {"payment_id": each.payment_id, "state": "sent", "sent_at": each.logged_at}
            self.put("AuditDeliveries", ["payment_id"], sent)
            place = {"row_pk": each.pk, "row_sk": each.timestamp, "fingerprint": "-"}
            self.put("Ledger", ["PK"], keys.pointer(each.payment_id) | place)
            totals["payments_count"] += COUNTS[each.kind]
            totals["total_cents"] += each.net_cents
            totals[f"{each.method}_cents"] += each.net_cents
        head = keys.head(each.event_id) | {
            "seq": each.seq,
            "hash": each.hash,
            "last_logged_at": each.logged_at,
            **totals,
        }
        self.put("Ledger", ["PK"], head)
        self._heads.append(to_attributes(head))

    def answer(self, name: str, body: bytes) -> Mapping[str, Any]:
        operation = name.rpartition(".")[2]
        if operation == "Query":
            asked = json.loads(body)
            attribute = asked["KeyConditionExpression"].split(" ")[0]
            (value,) = asked["ExpressionAttributeValues"].values()
            return _page(self._rows.get((attribute, value["S"]), []), asked)
        if operation == "Scan":
            asked = json.loads(body)
            heads = self._heads if asked["TableName"] == "Ledger" else []
            return _page([(200, each) for each in heads], asked)
        return super().answer(name, body)


def _page(rows: list[tuple[int, Any]], asked: Mapping[str, Any]) -> Mapping[str, Any]:
    start = int(asked.get("ExclusiveStartKey", {}).get("at", {}).get("N", 0))
    items: list[Any] = []
    size, limit = 0, asked.get("Limit", len(rows))
    while start < len(rows) and size < MOST_BYTES and len(items) < limit:
        size += rows[start][0]
        items.append(rows[start][1])
        start += 1
    more = {"LastEvaluatedKey": {"at": {"N": str(start)}}} if start < len(rows) else {}
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)} | more
