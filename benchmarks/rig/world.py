"""What a benchmark gives the functions: environment, rows to read, events."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.rig.endpoint import Endpoint
from functions.api.payments.appending import Snapshot
from local.gmail_sandbox.accounts import CLIENT_EMAIL, new_service_account
from shared import keys
from shared.attributes import to_attributes
from shared.audit.messages import AuditMessage
from shared.ledger import EventId, Head, LedgerEntry, PaymentId

AUDIT = "audit@shipcaptaincrew.example"
TOKEN = "a-session's-token"  # noqa: S105 - of a session that only the fixed endpoint knows
EVENT, PATRON = "sunset-charter", "jane.doe@example.com"
ZONE = ZoneInfo("America/New_York")
SNAPSHOT = Snapshot(
    event=None, patron=None, head=Head(seq=41, hash="a" * 64), same_number=frozenset()
)


def environment(endpoint: Endpoint, **more: str) -> dict[str, str]:
    """The variables that template.yaml gives each function, with the endpoint instead of AWS."""
    key = json.dumps(new_service_account(f"{endpoint.url}/token"))
    return {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "shipcaptaincrew",
        "EVENTS_TABLE": "Events",
        "PAYMENTS_TABLE": "Payments",
        "LEDGER_TABLE": "Ledger",
        "DELIVERIES_TABLE": "AuditDeliveries",
        "OPS_RECORD_TABLE": "OpsRecord",
        "SESSIONS_TABLE": "Sessions",
        "USER_POOL_ID": "us-east-1_bench",
        "USER_POOL_CLIENT_ID": "bench",
        "CURSOR_KEY_SECRET_ID": "cursor-key",
        "BUSINESS_TIMEZONE": ZONE.key,
        "AUDIT_QUEUE_URL": f"{endpoint.url}/queue/audit",
        "DEAD_LETTER_QUEUE_URL": f"{endpoint.url}/queue/audit-dlq",
        "FAILURES_BUCKET": "failures",
        "EVIDENCE_BUCKET": "evidence",
        "SIGNING_KEY_ID": "signing-key",
        "GMAIL_SERVICE_ACCOUNT_EMAIL": CLIENT_EMAIL,
        "GMAIL_SERVICE_ACCOUNT_KEY": base64.b64encode(key.encode()).decode(),
        "GMAIL_AUDIT_RECIPIENT": AUDIT,
        "GMAIL_API_ENDPOINT": f"{endpoint.url}/",
        **more,
    }


def furnish(endpoint: Endpoint) -> None:
    """A session, an event with a patron, and its chain's head: what the rules look at."""
    names = {"Sessions": ["session_hash"], "Events": ["event_id", "SK"], "Ledger": ["PK"]}
    for table, row in furniture():
        endpoint.put(table, names[table], row)


def furniture() -> list[tuple[str, dict[str, Any]]]:
    """The rows of `furnish`, each with its table."""
    now = time.time_ns() // 1_000_000
    session = {
        "session_hash": session_hash(),
        "sub": "4a9f",
        "email": "admin@shipcaptaincrew.example",
        "name": "Admin",
        "groups": ["admins"],
        "created_at": now,
        "checked_at": now + 3_600_000,  # asking Cognito again is not part of this row
        "expires_at": now // 1000 + 43_200,
    }
    meta = {"name": "Sunset Charter", "event_date": "2026-11-28", "timezone": "America/New_York"}
    patron = {**keys.patron(EVENT, PATRON), "email": PATRON, "name": "Jane Doe"}
    head = {**keys.head(EVENT), "seq": 41, "hash": "a" * 64, "payments_count": 41}
    head |= {"last_logged_at": 0}
    return [
        ("Sessions", session),
        ("Events", {**keys.event_meta(EVENT), **meta}),
        ("Events", patron),
        ("Ledger", head),
    ]


def session_hash() -> str:
    return hashlib.sha256(TOKEN.encode()).hexdigest()


def entry() -> LedgerEntry:
    """A payment in the ledger with a unique id."""
    now = time.time_ns() // 1_000_000
    number = uuid.uuid4()
    return LedgerEntry(
        kind="payment",
        payment_id=PaymentId(f"pay_{number.hex}"),
        event_id=EventId(EVENT),
        event_name="Sunset Charter",
        event_date="2026-11-28",
        event_timezone="America/New_York",
        patron_email=PATRON,
        patron_name="Jane Doe",
        amount_cents=12_500,
        currency="USD",
        method="check",
        reference="1042",
        note="Deposit",
        timestamp=now + number.int % 1_000_000,  # one patron's keys must differ
        logged_at=now,
        logged_day="2026-11-25",
        logged_by="admin@shipcaptaincrew.example",
        logged_by_name="Marina Castellanos",
        reference_key="1042",
    ).sealed(SNAPSHOT.head, ZONE)


def post(**changes: Any) -> dict[str, Any]:
    """The Function URL event of POST /api/payments."""
    payment = {"event_id": EVENT, "patron_email": PATRON, "amount": "125.00", "method": "cash"}
    return {
        "version": "2.0",
        "rawPath": "/api/payments",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "idempotency-key": str(uuid.uuid4()),
            "origin": "https://pay.example.com",
            "sec-fetch-site": "same-origin",
        },
        "cookies": [f"__Host-scc_session={TOKEN}"],
        "requestContext": {
            "http": {"method": "POST", "path": "/api/payments", "sourceIp": "127.0.0.1"},
            "stage": "$default",
            "requestId": "request-1",
        },
        "isBase64Encoded": False,
        "body": json.dumps(payment | changes),
    }


def stream_record(number: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"SequenceNumber": str(number), "NewImage": to_attributes(row)},
    }


def stream_batch(size: int) -> dict[str, Any]:
    return {"Records": [stream_record(number, entry().to_row()) for number in range(size)]}


def mail_batch(endpoint: Endpoint, size: int) -> dict[str, Any]:
    """An SQS event about entries, which are also put into the ledger."""
    records = []
    for number in range(size):
        row = entry().to_row()
        endpoint.put("Payments", ["PK", "SK"], row)
        records.append(
            {
                "messageId": f"message-{number}",
                "receiptHandle": f"handle-{number}",
                "body": AuditMessage.from_row(row).to_json(),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:audit",
                "awsRegion": "us-east-1",
            }
        )
    return {"Records": records}
