"""Ops records about mails, as scc writes them, for tests to vary."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ops.rules.mails.deeds import Deeds
from ops.stack.ops_record import Deed
from shared.audit.findings import MailFinding
from shared.ledger import canonical_json
from tests.builders import NOW

GRACE = "arn:aws:iam::123456789012:user/grace"
HOUR = 3_600_000


def deed(run: str, **changes: Any) -> dict[str, Any]:
    """The first part of an ops record."""
    fields: dict[str, Any] = {
        "run": run,
        "action": "ack",
        "phase": "done",
        "who": GRACE,
        "at": NOW,
        "stack": "shipcaptaincrew",
        "filter": "pay_1",
        "reason": "ticket 12",
        "counts": {},
        "messages": [],
    }
    return Deed(**(fields | changes)).parts()[0]


def ack(finding: MailFinding, **changes: Any) -> dict[str, Any]:
    return deed(finding.run, **({"filter": finding.own_id} | changes))


def planned(run: str, payment_id: str, **changes: Any) -> dict[str, Any]:
    more = {"action": "reissue", "phase": "planned", "filter": payment_id}
    return deed(run, **(more | changes))


def mailed(record: dict[str, Any]) -> dict[str, Any]:
    """The delivery of the mail about a record."""
    digest = hashlib.sha256(canonical_json(record)).hexdigest()
    return {"payment_id": record["ops_id"], "state": "sent", "record_sha256": digest}


def deeds(
    *records: dict[str, Any],
    heard: bool = True,
    now: int = NOW + 2 * HOUR,
    deliveries: Mapping[str, dict[str, Any]] = MappingProxyType({}),
) -> Deeds:
    """heard: whether the mails about these records were sent. deliveries: more, by id."""
    sent = {each["ops_id"]: mailed(each) for each in records} if heard else {}
    return Deeds({each["ops_id"]: each for each in records}, {**sent, **deliveries}, now)
