"""The API handler on moto, called as CloudFront calls it."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from moto import mock_aws

from functions.api import handler, wiring
from functions.api.people.cookie import COOKIE_NAME
from release.openapi.document import document
from shared import keys
from shared.attributes import from_attributes, to_attributes
from shared.ledger import LedgerEntry
from tests.functions.lambda_context import Context
from tests.tables import create_tables, empty, rows_in

PASSWORD = "Anchors-aweigh-1"
EVIDENCE = "evidence"
PATRONS = {"jane.doe@example.com": "Jane Doe", "lee@example.com": "李小龍"}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.json["errors"]]


@dataclass
class Client:
    """Calls the handler; `cookie` is what a browser would send."""

    tables: dict[str, str]
    dynamodb: Any
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        iam_arn: str = "",
        is_base64: bool = False,
    ) -> Answer:
        text = body if isinstance(body, str) else None if body is None else json.dumps(body)
        sent = self.headers | ({"content-type": "application/json"} if text else {})
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": sent | (headers or {}),
            "cookies": [self.cookie] if self.cookie else [],
            "queryStringParameters": query or {},
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
                "stage": "$default",
                "requestId": "request-1",
            },
            "isBase64Encoded": is_base64,
        }
        if text is not None:
            event["body"] = text
        if iam_arn:
            event["requestContext"]["authorizer"] = {"iam": {"userArn": iam_arn}}
        answer = handler.lambda_handler(event, Context())  # type: ignore[arg-type]
        return Answer(
            answer["statusCode"], answer["headers"], answer["cookies"], answer.get("body") or ""
        )

    def sign_in(self, name: str) -> Answer:
        email = f"{name}@shipcaptaincrew.example"
        answer = self.call("POST", "/api/session", {"email": email, "password": PASSWORD})
        if answer.status == 200:
            self.cookie = answer.cookies[0].split(";")[0]
        return answer

    def log(self, key: str = "", *, iam_arn: str = "", **changes: Any) -> Answer:
        """A payment of $125.00 cash; earlier payments do not count as duplicates unless asked."""
        body = {
            "event_id": "sunset-charter",
            "patron_email": "jane.doe@example.com",
            "amount": "125.00",
            "method": "cash",
            "acknowledge_duplicates": [
                from_attributes(item)["payment_id"]
                for item in self.rows("Payments")
                if "payment_id" in item
            ],
        }
        headers = {"idempotency-key": key or str(uuid.uuid4())}
        content = body | changes
        return self.call("POST", "/api/payments", content, headers=headers, iam_arn=iam_arn)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows_in(self.tables[table])

    @property
    def session_hash(self) -> str:
        return hashlib.sha256(self.cookie.removeprefix(f"{COOKIE_NAME}=").encode()).hexdigest()


_FACTORIES = (
    wiring.settings,
    wiring.business_zone,
    wiring.dynamo,
    wiring.ledger,
    wiring.payments,
    wiring.events,
    wiring.roster,
    wiring.sessions,
    wiring.directory,
    wiring.cursor_key,
)


def signing_key() -> str:
    made = boto3.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["KeyId"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Any]]:
    """Tables, an event with two patrons, and the users admin, auditor and crew: made once."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        dynamodb = boto3.client("dynamodb")
        tables = create_tables(dynamodb)
        boto3.client("s3").create_bucket(Bucket=EVIDENCE, ObjectLockEnabledForBucket=True)
        boto3.client("secretsmanager").create_secret(Name="cursor", SecretString="k" * 32)
        settings = {
            "EVENTS_TABLE": tables["Events"],
            "PAYMENTS_TABLE": tables["Payments"],
            "LEDGER_TABLE": tables["Ledger"],
            "DELIVERIES_TABLE": tables["AuditDeliveries"],
            "SESSIONS_TABLE": tables["Sessions"],
            **make_user_pool(),
            "CURSOR_KEY_SECRET_ID": "cursor",
            "EVIDENCE_BUCKET": EVIDENCE,
            "SIGNING_KEY_ID": signing_key(),
            "BUSINESS_TIMEZONE": "America/New_York",
            "ADMIN_IAM_ARNS": "arn:aws:iam::123456789012:role/scripts",
            "APP_ORIGINS": "https://pay.example.com",
        }
        for name, value in settings.items():
            patch.setenv(name, value)
        # The build writes this file; here it is made on the spot.
        patch.setattr(wiring, "openapi_document", lambda: json.dumps(document()))
        for factory in _FACTORIES:
            factory.cache_clear()
        yield tables, dynamodb
        for factory in _FACTORIES:
            factory.cache_clear()


@pytest.fixture
def api(world: tuple[dict[str, str], Any]) -> Client:
    """Nobody is signed in, one event is there, nothing is logged."""
    return start_over(world)


def start_over(world: tuple[dict[str, str], Any]) -> Client:
    tables, dynamodb = world
    for table in tables.values():
        empty(table)
    client = Client(tables, dynamodb)
    add_event(client, "sunset-charter", "2026-11-28")
    return client


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log lines written since the test began, as the function writes them."""
    lines = io.StringIO()
    output = handler.logger.registered_handler
    assert isinstance(output, logging.StreamHandler)
    before = output.setStream(lines)
    yield lambda: [json.loads(line) for line in lines.getvalue().splitlines()]
    output.setStream(before)


@pytest.fixture
def admin(api: Client) -> Client:
    assert api.sign_in("admin").status == 200
    return api


def add_event(client: Client, event_id: str, event_date: str) -> None:
    """An event with the patrons of every other one; it is gone after the test."""
    meta = {
        "event_id": event_id,
        "SK": "META",
        "listing": "event",
        "event_date": event_date,
        "name": event_id.replace("-", " ").title(),
        "timezone": "America/New_York",
        "location": "Pier 4",
        "roster_size": len(PATRONS),
    }
    table = client.tables["Events"]
    client.dynamodb.put_item(TableName=table, Item=to_attributes(meta))
    for email, name in PATRONS.items():
        add_patron(client, email, name, event_id)


def add_patron(
    client: Client, email: str, name: str = "Someone", event_id: str = "sunset-charter"
) -> None:
    patron = {"event_id": event_id, "SK": f"PATRON#{email}", "email": email, "name": name}
    client.dynamodb.put_item(TableName=client.tables["Events"], Item=to_attributes(patron))


def make_user_pool() -> dict[str, str]:
    cognito = boto3.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="test", UsernameAttributes=["email"])["UserPool"]["Id"]
    for name, group in (("admin", "admins"), ("auditor", "auditors"), ("crew", "crew")):
        cognito.create_group(GroupName=group, UserPoolId=pool)
        add_user(pool, name, group)
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    return {"USER_POOL_ID": pool, "USER_POOL_CLIENT_ID": client["UserPoolClient"]["ClientId"]}


def add_user(pool: str, name: str, group: str) -> None:
    cognito = boto3.client("cognito-idp")
    email = f"{name}@shipcaptaincrew.example"
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=email,
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "name", "Value": name}],
    )
    cognito.admin_set_user_password(
        UserPoolId=pool, Username=email, Password=PASSWORD, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=email, GroupName=group)


def store(client: Client, entry: LedgerEntry, **changes: Any) -> None:
    """A row as the ledger has it, or changed behind its back: a value of None is left out."""
    row = {name: value for name, value in (entry.to_row() | changes).items() if value is not None}
    put(client, "Payments", row)
    where = {"row_pk": row.get("PK", entry.pk), "row_sk": row.get("SK", entry.timestamp)}
    pointer = keys.pointer(entry.payment_id) | where | {"fingerprint": "0" * 64}
    put(client, "Ledger", pointer)


def put(client: Client, table: str, row: dict[str, Any]) -> None:
    """values that rows never hold may be there: bytes and fractions."""
    item = {name: TypeSerializer().serialize(value) for name, value in row.items()}
    client.dynamodb.put_item(TableName=client.tables[table], Item=item)
