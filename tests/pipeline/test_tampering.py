"""Somebody with the account's own credentials changes the ledger: it is told, and never mailed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.attributes import to_attributes
from shared.ledger import EXPIRY
from tests.dock import Dock, until
from tests.pipeline.test_sweep import router_off, sweep

ALTERED, REMOVED = "ledger row altered", "ledger row removed"
SEEN = "StreamMappingOff"


def lines(dock: Dock, function: str) -> list[dict[str, Any]]:
    """What a function logged, its metrics included."""
    pages = dock.stack.aws.client("logs").get_paginator("filter_log_events")
    group = f"/aws/lambda/shipcaptaincrew-{function}"
    texts = pages.paginate(logGroupName=group).search("events[].message")
    written = (line for text in texts for line in text.splitlines())
    return [json.loads(line) for line in written if line.startswith("{")]


def told(dock: Dock, message: str, payment: dict[str, Any]) -> dict[str, Any] | None:
    """The router's line of this kind about this payment."""
    ours = (each for each in lines(dock, "stream-router") if each.get("message") == message)
    return next((line for line in ours if line.get("payment_id") == payment["payment_id"]), None)


def tampered(dock: Dock, line: dict[str, Any]) -> float:
    """The metric that the alarm watches, as the router's invocation that logged `line` wrote it."""
    written = lines(dock, "stream-router")
    after = written[written.index(line) :]
    return float(next(each["LedgerTampered"][0] for each in after if "LedgerTampered" in each))


def kept(dock: Dock, number: str) -> dict[str, Any]:
    answer = dock.stack.aws.client("s3").get_object(
        Bucket=dock.stack.outputs["FailuresBucketName"], Key=f"tampered/{number}.json"
    )
    content: dict[str, Any] = json.load(answer["Body"])
    return content


def key(dock: Dock, payment: dict[str, Any]) -> dict[str, Any]:
    return {
        "TableName": dock.stack.outputs["PaymentsTableName"],
        "Key": to_attributes({"PK": payment["PK"], "SK": payment["SK"]}),
    }


def update(dock: Dock, payment: dict[str, Any], expression: str, **values: int) -> None:
    named = to_attributes({f":{name}": value for name, value in values.items()})
    more = {"ExpressionAttributeValues": named} if named else {}
    dock.stack.aws.client("dynamodb").update_item(
        **key(dock, payment), UpdateExpression=expression, **more
    )


@pytest.fixture
def mailed(dock: Dock) -> Iterator[dict[str, Any]]:
    """A payment whose mail has arrived; its row is put back after the test."""
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])
    dynamodb, at = dock.stack.aws.client("dynamodb"), key(dock, payment)
    row = dynamodb.get_item(**at)["Item"]
    yield payment
    dynamodb.put_item(TableName=at["TableName"], Item=row)


@contextmanager
def only_one_mail(dock: Dock, payment: dict[str, Any]) -> Iterator[None]:
    """No second mail about this payment until one logged afterward has arrived."""
    yield
    dock.await_mail(dock.logged()["payment_id"])
    assert len(dock.mails_of(payment["payment_id"])) == 1


def test_a_row_edited_by_hand_is_told_kept_with_both_images_and_not_mailed(
    dock: Dock, mailed: dict[str, Any]
) -> None:
    with only_one_mail(dock, mailed):
        update(dock, mailed, "SET amount_cents = :one", one=1)
        line = until(lambda: told(dock, ALTERED, mailed))
    assert (line["event_id"], line["seq"]) == ("sunset-charter", mailed["seq"])
    assert "jane.doe@example.com" not in json.dumps(line)
    change = kept(dock, line["sequence_number"])["record"]["dynamodb"]
    assert change["OldImage"]["amount_cents"] == {"N": str(mailed["amount_cents"])}
    assert change["NewImage"]["amount_cents"] == {"N": "1"}
    assert tampered(dock, line) >= 1


def test_a_row_that_is_deleted_is_told_kept_and_not_mailed(
    dock: Dock, mailed: dict[str, Any]
) -> None:
    with only_one_mail(dock, mailed):
        dock.stack.aws.client("dynamodb").delete_item(**key(dock, mailed))
        line = until(lambda: told(dock, REMOVED, mailed))
    change = kept(dock, line["sequence_number"])["record"]["dynamodb"]
    assert change["OldImage"]["hash"] == {"S": mailed["hash"]}
    assert tampered(dock, line) >= 1


@pytest.mark.parametrize(
    ("expression", "values"),
    [(f"SET {EXPIRY} = {EXPIRY} + :day", {"day": 86_400}), (f"REMOVE {EXPIRY}", {})],
)
def test_a_legal_hold_is_logged_and_nothing_else(
    dock: Dock, mailed: dict[str, Any], expression: str, values: dict[str, int]
) -> None:
    with only_one_mail(dock, mailed):
        update(dock, mailed, expression, **values)
        line = until(lambda: told(dock, "legal hold", mailed))
    assert tampered(dock, line) == 0
    assert told(dock, ALTERED, mailed) is None


def test_an_expiry_that_is_moved_nearer_is_told(dock: Dock, mailed: dict[str, Any]) -> None:
    with only_one_mail(dock, mailed):
        update(dock, mailed, f"SET {EXPIRY} = {EXPIRY} - :day", day=86_400)
        until(lambda: told(dock, ALTERED, mailed))


def test_a_router_that_was_cut_off_is_counted_by_the_next_sweep(dock: Dock) -> None:
    with router_off(dock):
        sweep(dock)
    sweep(dock)
    looks = [each["StreamMappingOff"] for each in lines(dock, "sweep") if SEEN in each]
    assert looks[-2:] == [[1.0], [0.0]]
    reasons = [each for each in lines(dock, "sweep") if each.get("message") == "stream mapping off"]
    assert reasons[-1]["reason"] == "the mapping is disabled"
