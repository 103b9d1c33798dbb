"""The router on AWS's own sample of a DynamoDB stream event, and on entries written like it."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import DynamoDBStreamModel

from functions.stream_router import handler
from functions.stream_router.changes import BY_TTL
from functions.stream_router.router import Router
from functions.stream_router.routing import Tampered, Unroutable
from shared.attributes import to_attributes
from shared.audit.messages import AuditMessage
from shared.ledger import expiry_of
from tests.builders import entry
from tests.contracts import sam
from tests.functions.lambda_context import Context


class Sent(list[AuditMessage]):
    def send(self, messages: Any) -> set[int]:
        self.extend(messages)
        return set()


class Kept(list[str]):
    def keep(self, record: Unroutable | Tampered) -> None:
        self.append(f"{record.folder}/{record.sequence_number}")


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> tuple[Sent, Kept]:
    sent, kept = Sent(), Kept()
    monkeypatch.setattr(handler, "router", lambda: Router(sent, kept))
    return sent, kept


@cache
def written_by_sam() -> dict[str, Any]:
    return sam.sample("dynamodb", "update")


def run(event: dict[str, Any]) -> list[Any]:
    DynamoDBStreamModel.model_validate(event)
    failures: list[Any] = handler.lambda_handler(event, Context())["batchItemFailures"]
    return failures


def entry_records() -> dict[str, Any]:
    """The sample's INSERT, MODIFY and REMOVE with an entry's images."""
    event = copy.deepcopy(written_by_sam())
    row = entry().to_row()
    for record in event["Records"]:
        changed = record["dynamodb"]
        changed["Keys"] = to_attributes({name: row[name] for name in ("PK", "SK")})
        for image in changed.keys() & {"NewImage", "OldImage"}:
            changed[image] = to_attributes(row)
    return event


def test_rows_of_another_table_are_kept_and_not_mailed(routed: tuple[Sent, Kept]) -> None:
    sent, kept = routed
    assert run(copy.deepcopy(written_by_sam())) == []
    assert sent == []
    assert [each.partition("/")[0] for each in kept] == ["tampered", "tampered", "unroutable"]


def test_an_inserted_entry_is_mailed_and_a_removed_one_kept(routed: tuple[Sent, Kept]) -> None:
    sent, kept = routed
    event = entry_records()
    event["Records"][1]["dynamodb"]["NewImage"] |= to_attributes({"amount_cents": 1})
    assert run(event) == []
    assert [each.payment_id for each in sent] == [entry().payment_id]
    numbers = [each["dynamodb"]["SequenceNumber"] for each in event["Records"]]
    assert kept == [f"tampered/{each}" for each in numbers[1:]]


@pytest.mark.parametrize("days", [0, -1])
def test_a_removal_by_ttl_is_told_from_any_other(routed: tuple[Sent, Kept], days: int) -> None:
    """Powertools' model allows no other userIdentity; the time is in seconds, whole or not."""
    _, kept = routed
    event = entry_records()
    record = event["Records"][2] | {"userIdentity": BY_TTL}
    record["dynamodb"]["ApproximateCreationDateTime"] = (
        expiry_of(entry().logged_at) + days * 86_400 + 0.5
    )
    assert run({"Records": [record]}) == []
    assert len(kept) == -days


def test_the_samples_are_amazons() -> None:
    assert [each["eventName"] for each in written_by_sam()["Records"]] == [
        "INSERT",
        "MODIFY",
        "REMOVE",
    ]
    assert json.dumps(written_by_sam()).count("stream/2015-06-27") == 3
