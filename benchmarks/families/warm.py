"""A warm POST /api/payments on an endpoint that answers at once: only our own cost is left."""

from __future__ import annotations

from typing import Any

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from benchmarks.rig.endpoint import Endpoint
from benchmarks.rig.turns import Turns, take_turns
from functions.api.settings import ApiSettings
from functions.api.tables.transaction import writes_of
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import LedgerEntry

CALLS, WARM = 300, 30
TABLES = ApiSettings(
    events_table="Events",
    payments_table="Payments",
    ledger_table="Ledger",
    deliveries_table="AuditDeliveries",
    sessions_table="Sessions",
    user_pool_id="",
    user_pool_client_id="",
    cursor_key_secret_id="",
    evidence_bucket="",
    signing_key_id="",
    business_timezone=world.ZONE.key,
)


def measure(say: Say) -> list[Result]:
    with Endpoint() as endpoint:
        world.furnish(endpoint)
        say(f"{CALLS} calls of each")
        events = [_event() for _ in range(WARM + CALLS)]
        runs = take_turns(
            "post_payment",
            "api",
            world.environment(endpoint),
            warm=events[:WARM],
            events=events[WARM:],
        )
    transaction = runs["bare_transaction"]
    goal = Goal("ratio", "≤", 1.5)
    return [
        *_rows("warm POST", runs["post"], transaction, "bare transaction", goal),
        *_rows("warm POST", runs["post"], runs["bare_calls"], "its calls, bare", None),
        *_rows("ledger adapter", runs["append"], transaction, "bare transaction", goal),
    ]


def _rows(row: str, ours: Turns, baseline: Turns, name: str, goal: Goal | None) -> list[Result]:
    def result(what: str, runs: list[float], base: list[float]) -> Result:
        return Result(
            row=f"{row}, {what}",
            unit="ms",
            ours=runs,
            baseline=base,
            baseline_is=name,
            goal=goal,
        )

    return [result("CPU", ours.cpu, baseline.cpu), result("wall", ours.wall, baseline.wall)]


def _event() -> dict[str, Any]:
    entry = world.entry()
    return {"post": world.post(), "row": entry.to_row(), "calls": _calls(entry)}


def _calls(entry: LedgerEntry) -> list[tuple[str, dict[str, Any]]]:
    """A POST's calls to DynamoDB, in boto3's terms."""
    events = [keys.event_meta(entry.event_id), keys.patron(entry.event_id, world.PATRON)]
    read = {
        "Sessions": [{"session_hash": world.session_hash()}],
        "Events": events,
        "Ledger": [keys.head(entry.event_id)],
    }
    writes = writes_of([entry], "f" * 64, world.SNAPSHOT, TABLES)
    window = {":pk": entry.pk, ":since": entry.timestamp, ":until": entry.timestamp}
    return [
        (
            "batch_get_item",
            {
                "RequestItems": {
                    name: {"Keys": [to_attributes(each) for each in wanted], "ConsistentRead": True}
                    for name, wanted in read.items()
                }
            },
        ),
        (
            "query",
            {
                "TableName": "Payments",
                "KeyConditionExpression": "PK = :pk AND SK BETWEEN :since AND :until",
                "ExpressionAttributeValues": to_attributes(window),
                "ConsistentRead": True,
            },
        ),
        ("transact_write_items", {"TransactItems": [write for _, write in writes]}),
    ]
