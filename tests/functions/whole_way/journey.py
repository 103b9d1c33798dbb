"""A payment's whole way, through every function's own handler, with hostile and secret contents.

Handlers, stores, courier and Gmail adapter are the real ones, wired by the environment that the
template gives each function; AWS is moto, Google is the sandbox. What they write is kept whole.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.audit_mailer import wiring as mailer_wiring
from functions.audit_mailer.delivery.audit_queue import MAX_RECEIVES
from functions.audit_mailer.gmail.mailbox import Gmail
from local.gmail_sandbox.process import GmailSandbox
from shared import keys
from shared.attributes import to_attributes
from shared.audit.messages import OpsMessage
from shared.ledger import EXPIRY, business_day
from shared.statements.places import record_key
from tests.builders import ZONE
from tests.functions.api.conftest import PASSWORD, Client, add_event, add_patron
from tests.functions.lambda_context import Context
from tests.functions.whole_way.aws import Account
from tests.functions.whole_way.handlers import HANDLERS, forget_wiring
from tests.template.transformed import template_for

PATRON = "zebulon+secret@quarterdeck.example"
PATRON_NAME = "Zebulon <script>alert(1)</script> Quarterdeck"
NOTE = "Ask his sister Wilhelmina\r\nBcc: thief@example.net"
REFERENCE = "CHECK-778899"
WRONG_PASSWORD = "hunter2-hunter2"
CARD = "4111 1111 1111 1111"
AUDIT = "compliance@shipcaptaincrew.example"


class Journey:
    def __init__(self, account: Account, sandbox: GmailSandbox) -> None:
        self.account = account
        self.sandbox = sandbox
        self.template = template_for(
            "prod",
            GmailServiceAccountEmail=sandbox.service_account_info["client_email"],
            GmailAuditRecipient=AUDIT,
            GmailApiEndpoint=sandbox.url + "/",
        )
        self.dynamodb, self.sqs = boto3.client("dynamodb"), boto3.client("sqs")
        self.client = Client(account.tables, self.dynamodb)
        add_event(self.client, "sunset-charter", "2026-11-28")
        add_patron(self.client, PATRON, PATRON_NAME)
        self.cookie = ""

    @contextmanager
    def as_function(self, name: str) -> Iterator[None]:
        """In a function's environment, with its calls recorded as its own."""
        with pytest.MonkeyPatch.context() as patch, self.account.noting(name):
            for variable, value in self.account.environment(self.template, name).items():
                patch.setenv(variable, value)
            yield

    def invoke(self, name: str, event: Any) -> Any:
        with self.as_function(name):
            context = Context(remaining_ms=self.template[name]["Timeout"] * 1000)
            return HANDLERS[name].lambda_handler(event, context)

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        with self.as_function("ApiFunction"):
            answer = self.client.call(method, path, body, **more)
        assert answer.status < 500, answer.text
        return answer

    def sign_in(self, password: str = PASSWORD) -> None:
        body = {"email": "admin@shipcaptaincrew.example", "password": password}
        answer = self.call("POST", "/api/session", body)
        if answer.status == 200:
            self.client.cookie = self.cookie = answer.cookies[0].split(";")[0]

    def log(self, **changes: Any) -> Any:
        body = {
            "event_id": "sunset-charter",
            "patron_email": PATRON,
            "amount": "1357.91",
            "method": "check",
            "reference": REFERENCE,
            "note": NOTE.replace("\r\n", " "),
        }
        key = {"idempotency-key": str(changes.pop("key", uuid.uuid4()))}
        return self.call("POST", "/api/payments", body | changes, headers=key)

    def log_and_void(self) -> dict[str, Any]:
        """Every page that an admin or a patron visits; returns the first payment."""
        self.sign_in(WRONG_PASSWORD)
        self.sign_in()
        key = uuid.uuid4()
        payment: dict[str, Any] = self.log(key=key).json["payment"]
        assert self.log(key=key).headers["Idempotent-Replayed"] == "true"
        assert self.log().status == 409
        assert self.log(note=CARD).status == 422
        assert self.log(amount=f"{PATRON}").status in (400, 422)
        assert self.log(**{PATRON: NOTE}).status in (400, 422)
        assert self.call("POST", "/api/payments", f'{{"note": "{PATRON_NAME}').status == 400
        again = self.log(acknowledge_duplicates=[payment["payment_id"]]).json["payment"]
        path = f"/api/payments/{again['payment_id']}/void"
        replacement = {"patron_email": PATRON, "amount": "1357.92", "method": "cash"}
        body = {"reason": "wrong_amount", "note": NOTE.replace("\r\n", " ")}
        voided = self.call(
            "POST",
            path,
            body | {"replacement": replacement},
            headers={"idempotency-key": str(uuid.uuid4())},
        )
        assert voided.status == 200, voided.text
        for address, query in (
            ("/api/session", {}),
            ("/api/events", {}),
            ("/api/events/sunset-charter", {}),
            ("/api/events/sunset-charter/roster", {"q": "Quarterdeck"}),
            ("/api/payments", {"event_id": "sunset-charter", "limit": "1"}),
            ("/api/payments", {"patron_email": PATRON}),
            ("/api/payments", {"patron_email": PATRON, "cursor": NOTE}),
            ("/api/payments.csv", {"event_id": "sunset-charter"}),
            ("/api/payments.csv", {"from": today(), "to": today()}),
            (f"/api/payments/{payment['payment_id']}", {}),
            (f"/api/payments/by-key/{key}", {}),
            (f"/api/payments/{PATRON}", {}),
            (f"/{PATRON_NAME}", {}),
            ("/g/sunset-charter/waiver", {}),
        ):
            self.call("GET", address, query=query)
        waiver = {"name": PATRON_NAME, "email": PATRON}
        assert self.call("POST", "/g/sunset-charter/waiver", waiver).status == 200
        for changes, status in (
            ({}, 200),
            ({"name": "Wilhelmina Quarterdeck"}, 409),
            ({"name": NOTE}, 422),
            ({"email": f"not-{PATRON}"}, 422),
        ):
            answer = self.call("POST", "/g/sunset-charter/waiver", waiver | changes)
            assert answer.status == status, answer.text
        assert self.call("POST", "/g/nowhere/waiver", waiver).status == 404
        self.look_at_the_account_again()
        return payment

    def look_at_the_account_again(self) -> None:
        """As after five minutes, when the API asks Cognito who the user is now."""
        key = to_attributes({"session_hash": self.client.session_hash})
        self.dynamodb.update_item(
            TableName=self.account.tables["Sessions"],
            Key=key,
            UpdateExpression="SET checked_at = :long_ago",
            ExpressionAttributeValues=to_attributes({":long_ago": 1}),
        )
        assert self.call("GET", "/api/session").status == 200

    def rows(self) -> list[dict[str, Any]]:
        return self.client.rows("Payments")

    def route(self) -> None:
        inserted = [
            {
                "eventID": str(number),
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"SequenceNumber": str(number), "NewImage": row},
            }
            for number, row in enumerate(self.rows())
        ]
        inserted.append(inserted[0] | {"dynamodb": {"SequenceNumber": "9", "NewImage": ALIEN}})
        records = [*inserted, *_changes_of(self.rows()[0])]
        assert self.invoke("RouterFunction", {"Records": records}) == {"batchItemFailures": []}

    def mail(self, *, receives: int = 1) -> list[str]:
        """Everything on the audit queue, as its mapping hands it over and deletes it."""
        url = self.account.physical["AuditQueue"]
        found = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        ).get("Messages", [])
        records = [_record(each, receives) for each in found]
        answer = self.invoke("MailerFunction", {"Records": records})
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        for each in found:
            if each["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return failed

    def state(self) -> None:
        """A statement for today, in its own environment, and a sweep for entries without a mail.

        Somebody else was in the place of the first sealed one.
        """
        self.start_anew()
        for days in (1, 2):  # until soon after midnight, yesterday is not over
            day = date.fromisoformat(today()) - timedelta(days)
            boto3.client("s3").put_object(
                Bucket=self.account.physical["EvidenceBucket"],
                Key=record_key(day.isoformat()),
                Body=b"{}",
            )
        self.invoke("StatementFunction", {"day": today()})
        self.invoke("StatementFunction", {})
        self.invoke("SweepFunction", {"grace_seconds": 0})

    def queue(self, *bodies: str, dead: bool = False) -> None:
        url = self.account.physical["DeadLetterQueue" if dead else "AuditQueue"]
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body)

    def go_wrong(self) -> None:
        """Foreign rows, messages and records; Gmail's refusals; a broken credential."""
        record = {"ops_id": "ops_1", "part": 0, "action": "replay", "at": 1_764_000_000_000}
        record |= {"messages": [], "who": PATRON, "reason": NOTE, "phase": "done"}
        self.put("OpsRecord", record)
        self.queue(
            OpsMessage(ops_id="ops_1").to_json(),
            f"{PATRON_NAME} {NOTE}",
            json.dumps({"schema": PATRON}),
            json.dumps({"schema": "scc.audit/1", "payment_id": PATRON, "pk": NOTE, "sk": 1}),
            json.dumps({"schema": "scc.audit/1", "payment_id": "pay_0", "pk": f"x#{PATRON}"}
                       | {"sk": 1, "event_id": "x", "seq": 1}),
        )  # fmt: skip
        self.mail()
        row = {"PK": f"sunset-charter#{PATRON}", "SK": 1, "event_id": "sunset-charter"}
        row |= {"timestamp": 1, "note": NOTE, "patron_email": PATRON, "payment_id": "pay_1"}
        self.put("Payments", row | {"logged_day": today(), "logged_at": now_ms()})
        self.queue(PATRON_NAME, NOTE, dead=True)
        self.call("GET", "/api/payments", query={"event_id": "sunset-charter"})
        self.call("GET", "/api/payments.csv", query={"event_id": "sunset-charter"})
        head = {"seq": 3, "hash": "0" * 64, "last_logged_at": now_ms()}
        self.put("Ledger", keys.head("all-expired") | head)
        self.call("GET", "/api/payments.csv", query={"event_id": "all-expired"})
        self.log(amount="1357.93", reference="2")
        self.state()
        for fault in (
            {"kind": "status", "code": 400, "times": 1, "message": f"Invalid To {PATRON}"},
            {"kind": "status", "code": 429, "times": 9, "message": f"Rate limit of {PATRON}"},
        ):
            self.sandbox.post_fault(fault)
            self.log(amount=f"1357.{uuid.uuid4().int % 90 + 10}", method="cash", reference="")
            self.route()
            self.mail()
            self.sandbox.clear_faults()
        self.watch()
        self.break_the_key()
        self.invoke_without_tables()
        self.call("DELETE", "/api/session")
        self.call("GET", "/api/payments", query={"patron_email": PATRON})

    def watch(self) -> None:
        """Look at the mailbox, in which the mail that Gmail refused is not."""
        table = self.account.tables["AuditDeliveries"]
        for item in self.dynamodb.scan(TableName=table)["Items"]:
            if "state" in item:
                sent = item | to_attributes({"state": "sent", "sent_at": 1})
                self.dynamodb.put_item(TableName=table, Item=sent)
        found = [self.invoke("WatchFunction", {})["found"] for _ in range(2)]
        assert found[0]["missing"] == found[1]["missing"] > 0
        for item in self.dynamodb.scan(TableName=table)["Items"]:
            if item.get("mailbox_finding") and "last_error" in item:
                failed = item | to_attributes({"state": "failed"})
                self.dynamodb.put_item(TableName=table, Item=failed)

    def put(self, table: str, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=self.account.tables[table], Item=to_attributes(item))

    def break_the_key(self) -> None:
        """The secret holds a key that is cut off, then one that Google does not know."""
        key = dict(self.sandbox.service_account_info)
        secrets = boto3.client("secretsmanager")
        for text in (json.dumps(key)[:-20], json.dumps(key | {"client_email": PATRON})):
            secrets.put_secret_value(SecretId="gmail", SecretString=text)
            self.close_connections()
            self.route()
            self.mail(receives=MAX_RECEIVES)

    def invoke_without_tables(self) -> None:
        """A failure no caller can fix: the table is gone."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(self.account.physical, "PaymentsTable", f"gone-{uuid.uuid4()}")
            self.start_anew()
            with self.as_function("ApiFunction"):
                query = {"patron_email": PATRON}
                answer = self.client.call("GET", "/api/payments", query=query)
            assert answer.status == 500
        self.start_anew()

    def start_anew(self) -> None:
        """New Lambda environments: each reads its variables again and opens its own connections."""
        if mailer_wiring.courier.cache_info().currsize:
            self.close_connections()
        forget_wiring()

    def close_connections(self) -> None:
        mailbox = mailer_wiring.courier().mailbox
        assert isinstance(mailbox, Gmail)
        mailbox.close()


ALIEN = to_attributes({"PK": f"x#{PATRON}", "note": NOTE, "payment_id": 7, "patron": PATRON_NAME})


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def today() -> str:
    return business_day(now_ms(), ZONE)


def _changes_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row that is held, altered and removed behind the API's back."""
    held = {name: value for name, value in row.items() if name != EXPIRY}
    altered = row | to_attributes({"note": NOTE, "patron_name": PATRON_NAME})
    images: list[dict[str, Any]] = [{"NewImage": held}, {"NewImage": altered}, {}]
    changes = zip(("MODIFY", "MODIFY", "REMOVE"), images, strict=True)
    return [
        {
            "eventName": name,
            "dynamodb": {"SequenceNumber": f"{number}", "OldImage": row, **image},
        }
        for number, (name, image) in enumerate(changes, 100)
    ]


def _record(message: Any, receives: int) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"] | {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {
            name: {"stringValue": each["StringValue"], "dataType": each["DataType"]}
            for name, each in attributes.items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:audit",
        "awsRegion": "us-east-1",
    }
