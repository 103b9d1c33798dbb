"""A payment's whole way on the deployed template: front door, API, stream, queue, mailer, inbox."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from shared.attributes import from_attributes, to_attributes
from shared.ledger import canonical_json, entry_hash, record_of
from tests.dock import Dock, until
from tests.suites import LONG


def rows(dock: Dock, table: str) -> list[dict[str, Any]]:
    pages = dock.stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table).search
    return [from_attributes(item) for item in pages("Items[]")]


def test_a_logged_payment_becomes_one_mail_that_says_everything(dock: Dock) -> None:
    payment = dock.logged(
        amount="125.00", method="check", reference="2042", note="paid at the dock"
    )
    mail = dock.await_mail(payment["payment_id"])
    for fact in (
        payment["event_name"],
        payment["event_date"],
        "Jane Doe",
        "jane.doe@example.com",
        "$125.00",
        "check",
        "2042",
        "paid at the dock",
        "admin@shipcaptaincrew.example",
        payment["hash"],
    ):
        assert fact in mail["text"], fact
        assert fact in mail["html"], fact
    assert f"#{payment['seq']:06d} $125.00 check - Jane Doe - " in mail["subject"]
    (record,) = mail["attachments"]
    assert record["json"]["payment_id"] == payment["payment_id"]
    assert entry_hash(record["json"]) == payment["hash"]


def test_the_record_in_the_mail_is_the_row_in_the_ledger_less_its_expiry(dock: Dock) -> None:
    payment = dock.logged(patron_email="lee@example.com")
    mail = dock.await_mail(payment["payment_id"])
    key = {"PK": "sunset-charter#lee@example.com", "SK": payment["timestamp"]}
    dynamodb = dock.stack.aws.client("dynamodb")
    item = dynamodb.get_item(
        TableName=dock.stack.outputs["PaymentsTableName"], Key=to_attributes(key)
    )["Item"]
    row = from_attributes(item)
    assert row["expiration_timestamp"] == row["logged_at"] // 1000 + 2_555 * 86_400
    assert canonical_json(mail["attachments"][0]["json"]) == canonical_json(record_of(row))


@pytest.mark.parametrize(
    ("index", "name", "value"),
    [
        ("GSI1", "patron_email", "jane.doe@example.com"),
        ("GSI2", "event_id", "sunset-charter"),
    ],
)
def test_both_indexes_answer_in_chronological_order(
    dock: Dock, index: str, name: str, value: str
) -> None:
    payment = dock.logged()
    found = dock.stack.aws.client("dynamodb").query(
        TableName=dock.stack.outputs["PaymentsTableName"],
        IndexName=index,
        KeyConditionExpression=f"{name} = :value",
        ExpressionAttributeValues=to_attributes({":value": value}),
        ScanIndexForward=False,
    )["Items"]
    timestamps = [from_attributes(item)["timestamp"] for item in found]
    assert payment["timestamp"] in timestamps
    assert timestamps == sorted(timestamps, reverse=True)


@pytest.mark.parametrize(
    ("who", "changes", "status", "fields"),
    [
        ("", {}, 401, []),
        ("crew", {}, 403, []),
        ("auditor", {}, 403, []),
        ("admin", {"event_id": "no-such-event"}, 404, ["event_id"]),
        ("admin", {"patron_email": "stranger@example.com"}, 422, ["patron_email"]),
        ("admin", {"amount": "12.345"}, 422, ["amount"]),
        ("admin", {"method": "barter"}, 422, ["method"]),
        ("admin", {"timestamp": 5}, 422, ["timestamp"]),
        ("admin", {"surprise": 1}, 422, ["surprise"]),
    ],
)
def test_a_refused_payment_writes_nothing(
    dock: Dock, who: str, changes: dict[str, Any], status: int, fields: list[str]
) -> None:
    tables = [dock.stack.outputs[f"{name}TableName"] for name in ("Payments", "Ledger")]
    before = [rows(dock, table) for table in tables]
    caller = Dock(dock.stack).sign_in(who) if who else Dock(dock.stack)
    answer = caller.log(**changes)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.fields == fields
    assert [rows(dock, table) for table in tables] == before


def test_a_retried_request_makes_one_payment_and_one_mail(dock: Dock) -> None:
    key = str(uuid.uuid4())
    first, again = dock.log(key, amount="20.00"), dock.log(key, amount="$20")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json == again.json
    dock.await_mail(first.json["payment"]["payment_id"])


def test_a_likely_duplicate_is_logged_only_when_the_admin_says_so(dock: Dock) -> None:
    first = dock.logged(amount="31.00", method="check", reference="7001")
    other = {"amount": "99.00", "method": "check", "reference": "7001"}
    answer = dock.log(patron_email="lee@example.com", **other)
    assert (answer.status, answer.json["code"]) == (409, "possible_duplicate")
    assert [each["payment_id"] for each in answer.json["payments"]] == [first["payment_id"]]
    known = [first["payment_id"]]
    payment = dock.logged(patron_email="lee@example.com", acknowledge_duplicates=known, **other)
    assert first["payment_id"] in dock.await_mail(payment["payment_id"])["text"]


def test_a_void_and_its_correction_are_two_entries_and_two_mails(dock: Dock) -> None:
    payment = dock.logged(amount="412.00")
    body = {
        "reason": "wrong_amount",
        "replacement": {
            "patron_email": "jane.doe@example.com",
            "amount": "421.00",
            "method": "cash",
        },
    }
    path = f"/api/payments/{payment['payment_id']}/void"
    answer = dock.call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status == 200, answer.content
    void, replacement = answer.json["void"], answer.json["replacement"]
    assert replacement["prev_hash"] == void["hash"]
    mail = dock.await_mail(void["payment_id"])
    for fact in (payment["payment_id"], f"#{payment['seq']:06d}", f"#{replacement['seq']:06d}"):
        assert fact in mail["html"], fact
    assert "$412.00" in mail["html"]
    assert "$421.00" in mail["html"]
    assert mail["headers"]["In-Reply-To"].startswith(f"<{payment['payment_id']}@")
    assert "$421.00" in dock.await_mail(replacement["payment_id"])["text"]
    assert dock.listed(payment["payment_id"])["voided_by"] == void["payment_id"]


@LONG
def test_a_burst_of_payments_is_mailed_once_each_under_gmails_quota(dock: Dock) -> None:
    """Thirty at once, against a quota that refuses most of them at first.

    The quota counts what other tests sent in the last minute, too, so at first it may refuse all.
    """
    dock.sandbox("POST", "/sandbox/faults", [{"kind": "quota", "units_per_minute": 1_500}])
    payments = [dock.logged() for _ in range(30)]
    until(lambda: any(dock.mails_of(each["payment_id"]) for each in payments), 90)
    dock.sandbox("DELETE", "/sandbox/faults")
    for payment in payments:
        dock.await_mail(payment["payment_id"], seconds=120)


@LONG
def test_five_rate_limits_are_waited_out(dock: Dock) -> None:
    dock.sandbox("POST", "/sandbox/faults", [{"kind": "status", "code": 429, "times": 5}])
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])


def test_a_mail_that_arrived_without_an_answer_is_not_sent_again(dock: Dock) -> None:
    dock.sandbox("POST", "/sandbox/faults", [{"kind": "accept_then_drop", "times": 1}])
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])


def test_with_gmail_down_payments_continue_and_mails_follow(dock: Dock) -> None:
    dock.sandbox("POST", "/sandbox/faults", [{"kind": "down"}])
    payment = dock.logged()
    tried = until(lambda: dock.listed(payment["payment_id"])["audit"]["attempts"])
    assert tried
    assert dock.listed(payment["payment_id"])["audit"]["state"] == "queued"
    assert dock.mails_of(payment["payment_id"]) == []
    dock.sandbox("DELETE", "/sandbox/faults")
    dock.await_mail(payment["payment_id"])


def test_poison_on_the_queue_ends_in_the_dead_letter_queue_while_others_flow(dock: Dock) -> None:
    sqs = dock.stack.aws.client("sqs")
    body = json.dumps({"schema": "scc.audit/99", "mark": str(uuid.uuid4())})
    sqs.send_message(QueueUrl=dock.stack.outputs["AuditQueueUrl"], MessageBody=body)
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])
    dead = until(lambda: _dead_letter(dock, body))
    assert dead["MessageAttributes"]["error_class"]["StringValue"] == "poison-schema"
    assert "scc.audit/1" in dead["MessageAttributes"]["error_message"]["StringValue"]


@LONG
def test_sqs_itself_gives_up_after_eight_receives(dock: Dock) -> None:
    """If a message kills the mailer every time, the queue's own redrive moves it away."""
    sqs, lambda_ = dock.stack.aws.client("sqs"), dock.stack.aws.client("lambda")
    outputs = dock.stack.outputs
    (mapping,) = lambda_.list_event_source_mappings(FunctionName=outputs["MailerFunctionName"])[
        "EventSourceMappings"
    ]
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    body = f"killer {uuid.uuid4()}"
    try:
        sqs.send_message(QueueUrl=outputs["AuditQueueUrl"], MessageBody=body)

        def moved() -> dict[str, Any] | None:
            sqs.receive_message(QueueUrl=outputs["AuditQueueUrl"], VisibilityTimeout=0)
            return _dead_letter(dock, body)

        assert until(moved)["Body"] == body
    finally:
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def test_a_record_that_cannot_be_routed_does_not_block_the_stream(dock: Dock) -> None:
    broken = {"PK": f"broken#{uuid.uuid4()}", "SK": 1}
    dock.stack.aws.client("dynamodb").put_item(
        TableName=dock.stack.outputs["PaymentsTableName"], Item=to_attributes(broken)
    )
    payment = dock.logged()
    dock.await_mail(payment["payment_id"])
    s3 = dock.stack.aws.client("s3")
    bucket = dock.stack.outputs["FailuresBucketName"]

    def kept() -> bool:
        objects = s3.list_objects_v2(Bucket=bucket, Prefix="unroutable/").get("Contents", [])
        return any(
            broken["PK"] in s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode()
            for each in objects
        )

    assert until(kept)


def test_the_waiver_page_comes_from_the_api_not_from_the_bucket(dock: Dock) -> None:
    answer = dock.call("GET", "/g/sunset-charter/waiver")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"Waiver" in answer.content
    assert dock.call("GET", "/g/no-such-event/waiver").status == 404


@pytest.mark.parametrize("path", ["/", "/g/sunset-charter", "/_staging/", "/_staging/g/x"])
def test_every_page_address_serves_the_app(dock: Dock, path: str) -> None:
    answer = dock.call("GET", path)
    assert answer.status == 200
    assert b"<dialog" in answer.content
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_an_api_error_is_never_swallowed_by_a_page(dock: Dock) -> None:
    answer = dock.call("GET", "/api/events/no-such-event")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


def _dead_letter(dock: Dock, body: str) -> dict[str, Any] | None:
    """The message with this body in the dead-letter queue, left visible for others."""
    answer = dock.stack.aws.client("sqs").receive_message(
        QueueUrl=dock.stack.outputs["DeadLetterQueueUrl"],
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
    )
    return next((each for each in answer.get("Messages", ()) if each["Body"] == body), None)
