"""The daily statement on the deployed template: today's entries, one mail, the gap named."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from local.running_stack import RunningStack
from shared.attributes import from_attributes, to_attributes
from shared.ledger import business_day
from tests.builders import ZONE
from tests.dock import Dock


def invoke(dock: Dock, event: Any) -> dict[str, Any]:
    answer = dock.stack.aws.client("lambda").invoke(
        FunctionName=dock.stack.outputs["StatementFunctionName"], Payload=json.dumps(event)
    )
    content: dict[str, Any] = json.load(answer["Payload"])
    assert ("FunctionError" in answer) == ("errorMessage" in content), content
    return content


def statements(dock: Dock, day: str) -> list[dict[str, Any]]:
    """The inbox's statements of a day, those made before it was over."""
    with urllib.request.urlopen(f"{dock.stack.mail_url}/sandbox/messages") as answer:
        found = json.load(answer)
    return [
        each for each in found if each["headers"].get("X-SCC-Statement") in (day, f"{day} so far")
    ]


def today() -> str:
    """The business day."""
    return business_day(time.time_ns() // 1_000_000, ZONE)


def logged_today(dock: Dock) -> list[dict[str, Any]]:
    """Today's rows as the ledger has them."""
    pages = (
        dock.stack.aws.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=dock.stack.outputs["PaymentsTableName"],
            IndexName="GSI3",
            KeyConditionExpression="logged_day = :day",
            ExpressionAttributeValues=to_attributes({":day": today()}),
        )
    )
    return [from_attributes(item) for page in pages for item in page["Items"]]


@pytest.fixture
def forgotten(dock: Dock) -> Iterator[str]:
    """Today, without a statement yet, so tests can run again on the same stack."""
    day = today()
    dynamodb, table = dock.stack.aws.client("dynamodb"), dock.stack.outputs["DeliveriesTableName"]

    def forget() -> None:
        key = to_attributes({"payment_id": f"statement_{day}_so_far"})
        dynamodb.delete_item(TableName=table, Key=key)

    forget()
    yield day
    forget()


def test_the_stack_starts_with_yesterdays_statement(stack: RunningStack) -> None:
    dock = Dock(stack)
    yesterday = date.fromordinal(date.fromisoformat(today()).toordinal() - 1).isoformat()
    (mail,) = statements(dock, yesterday)
    assert f"[SCC Audit] Statement {yesterday} - " in mail["subject"]
    assert "X-SCC-Payment-Id" not in mail["headers"]
    assert invoke(dock, {"day": yesterday})["statements"] == {yesterday: "already_sent"}


def test_todays_entries_are_one_statement_with_the_right_sums(dock: Dock, forgotten: str) -> None:
    before = len(statements(dock, forgotten))
    for event_id in ("sunset-charter", "captains-supper"):
        patron = "jane.doe@example.com" if event_id == "sunset-charter" else _patron(dock, event_id)
        payment = dock.logged(event_id=event_id, patron_email=patron)
        if event_id == "sunset-charter":
            dock.await_mail(payment["payment_id"])
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: invoke(dock, {"day": forgotten}), range(2)))
    assert sorted(each["statements"][forgotten] for each in both)[1] == "sent", both
    assert invoke(dock, {"day": forgotten})["statements"] == {forgotten: "already_sent"}
    mails = statements(dock, forgotten)
    assert len(mails) == before + 1
    records = [each["attachments"][0]["json"] for each in mails]
    record = max(records, key=lambda each: int(each["made_at"]))
    rows = logged_today(dock)
    paid = [row for row in rows if row["kind"] == "payment"]
    voided = [row for row in rows if row["kind"] == "void"]
    assert record["payments"]["count"] == len(paid)
    assert record["payments"]["cents"] == sum(row["amount_cents"] for row in paid)
    assert record["voids"]["count"] == len(voided)
    assert record["net_cents"] == record["payments"]["cents"] - record["voids"]["cents"]
    assert {each["event_id"] for each in record["events"]} == {row["event_id"] for row in rows}


def test_a_row_deleted_by_root_is_named_in_the_subject(dock: Dock, forgotten: str) -> None:
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])
    dock.logged()
    dynamodb, table = dock.stack.aws.client("dynamodb"), dock.stack.outputs["PaymentsTableName"]
    key = to_attributes({"PK": "sunset-charter#jane.doe@example.com", "SK": payment["timestamp"]})
    row = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.delete_item(TableName=table, Key=key)
    try:
        assert invoke(dock, {"day": forgotten})["statements"] == {forgotten: "sent"}
    finally:  # as it was: its payment_id is marked sent, so the stream mails nothing
        dynamodb.put_item(TableName=table, Item=row)
    gap = f"GAP in sunset-charter #{payment['seq']:06d}"
    assert [each for each in statements(dock, forgotten) if gap in each["subject"]]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({"day": "yesterday"}, "day must be a date such as 2026-11-24"),
        ({"day": "2999-01-01"}, "has not begun yet"),
        ([], "must be a JSON object"),
    ],
)
def test_a_day_that_can_have_no_statement_is_refused_with_the_reason(
    dock: Dock, event: Any, why: str
) -> None:
    assert why in invoke(dock, event)["errorMessage"]


def _patron(dock: Dock, event_id: str) -> str:
    email: str = dock.call("GET", f"/api/events/{event_id}").json["roster"][0]["email"]
    return email
