"""The daily statement on the deployed template: sealed once, signed, locked, and mailed."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.running_stack import RunningStack
from shared.attributes import from_attributes, to_attributes
from shared.ledger import business_day
from tests.builders import ZONE
from tests.dock import Dock, until


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


def so_far(dock: Dock, know: Callable[[dict[str, Any]], bool] = lambda _: True) -> Any:
    """Make a statement of today by hand, and wait until one that says what we know is mailed."""
    assert invoke(dock, {"day": today()})["statements"][today()] == "so_far"
    found: list[dict[str, Any]] = []

    def arrived() -> bool:
        found[:] = [each for each in statements(dock, today()) if know(record_of(each))]
        return bool(found)

    until(arrived)
    return found[-1]


def record_of(mail: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = mail["attachments"][0]["json"]
    return record


def contents_of(mail: dict[str, Any]) -> dict[str, bytes]:
    """The attachments by name."""
    return {
        each["filename"]: base64.b64decode(each["content_base64"]) for each in mail["attachments"]
    }


def public_key(dock: Dock) -> bytes:
    """As an auditor keeps it, in DER form."""
    answer = dock.stack.aws.client("kms").get_public_key(KeyId=dock.stack.outputs["SigningKeyId"])
    key: bytes = answer["PublicKey"]
    return key


def versions(dock: Dock) -> list[dict[str, Any]]:
    """What the evidence bucket keeps of sealed days."""
    answer = dock.stack.aws.client("s3").list_object_versions(
        Bucket=dock.stack.outputs["EvidenceBucketName"], Prefix="statements/"
    )
    assert "DeleteMarkers" not in answer
    found: list[dict[str, Any]] = answer["Versions"]
    return found


def yesterday() -> str:
    return (date.fromisoformat(today()) - timedelta(1)).isoformat()


def test_the_stack_starts_with_yesterdays_statement_and_makes_no_second_one(
    stack: RunningStack,
) -> None:
    dock = Dock(stack)
    until(lambda: statements(dock, yesterday()))
    (mail,) = statements(dock, yesterday())
    assert f"[SCC Audit] Statement {yesterday()} - " in mail["subject"]
    assert "X-SCC-Payment-Id" not in mail["headers"]
    before = {(each["Key"], each["VersionId"]) for each in versions(dock)}
    assert invoke(dock, {}) == {"statements": {}, "unmailed": []}
    assert invoke(dock, {"day": yesterday()})["statements"] == {yesterday(): "already_sealed"}
    assert {(each["Key"], each["VersionId"]) for each in versions(dock)} == before
    assert len(statements(dock, yesterday())) == 1


def test_todays_entries_are_one_statement_with_the_right_sums(dock: Dock) -> None:
    patrons = {
        "sunset-charter": "jane.doe@example.com",
        "captains-supper": _patron(dock, "captains-supper"),
    }
    paid = [
        dock.logged(event_id=event_id, patron_email=patron) for event_id, patron in patrons.items()
    ]
    until(lambda: all(dock.mails_of(each["payment_id"]) for each in paid))
    count = len(logged_today(dock))
    record = record_of(so_far(dock, lambda each: each["entries"] >= count))
    rows = logged_today(dock)
    payments = [row for row in rows if row["kind"] == "payment"]
    voids = [row for row in rows if row["kind"] == "void"]
    assert record["payments"]["count"] == len(payments)
    assert record["payments"]["cents"] == sum(row["amount_cents"] for row in payments)
    assert record["voids"]["count"] == len(voids)
    assert record["net_cents"] == record["payments"]["cents"] - record["voids"]["cents"]
    named = {each["event_id"] for each in record["events"] if each["entries"]}
    assert named == {row["event_id"] for row in rows}
    assert record["is_final"] is False
    assert record["previous"]["day"] == yesterday()


@pytest.mark.parametrize("of", [yesterday, today])
def test_a_statements_signature_verifies_with_the_public_key(
    dock: Dock, tmp_path: Path, of: Callable[[], str]
) -> None:
    """With openssl, as docs/evidence.md tells auditors; and what was changed does not."""
    mail = so_far(dock) if of is today else statements(dock, of())[0]
    contents = contents_of(mail)
    assert [*contents] == ["statement.json", "statement.sig"]
    assert record_of(mail)["key_sha256"] == hashlib.sha256(public_key(dock)).hexdigest()
    for name, content in {**contents, "key.der": public_key(dock)}.items():
        (tmp_path / name).write_bytes(content)

    def verify() -> str:
        command = ["openssl", "dgst", "-sha256", "-verify", "key.der", "-keyform", "DER"]
        command += ["-signature", "statement.sig", "statement.json"]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        ).stdout.strip()

    assert verify() == "Verified OK"
    (tmp_path / "statement.json").write_bytes(contents["statement.json"].replace(b"USD", b"EUR"))
    assert verify() != "Verified OK"


def test_nobody_can_delete_or_shorten_what_is_sealed(dock: Dock) -> None:
    """Not even root; only a right of its own goes around GOVERNANCE, and nothing COMPLIANCE."""
    s3, bucket = dock.stack.aws.client("s3"), dock.stack.outputs["EvidenceBucketName"]
    soon = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(1)}
    for each in versions(dock):
        version = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(**version)
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_object_retention(**version, Retention=soon)
        retention = s3.get_object_retention(**version)["Retention"]
        assert retention["RetainUntilDate"] > datetime.now(UTC) + timedelta(2_900)


def test_a_row_deleted_by_root_is_named_in_the_subject(dock: Dock) -> None:
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])
    dock.logged()
    dynamodb, table = dock.stack.aws.client("dynamodb"), dock.stack.outputs["PaymentsTableName"]
    key = to_attributes({"PK": "sunset-charter#jane.doe@example.com", "SK": payment["timestamp"]})
    row = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.delete_item(TableName=table, Key=key)
    gap = [payment["seq"], payment["seq"]]
    try:
        mail = so_far(dock, lambda each: any(gap in event["missing"] for event in each["events"]))
    finally:  # as it was: its payment_id is marked sent, so the stream mails nothing
        dynamodb.put_item(TableName=table, Item=row)
    assert "GAP in sunset-charter #" in mail["subject"]


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
