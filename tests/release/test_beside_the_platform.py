"""Deployed beside a platform that exists, and with named buckets of the stack's own."""

from __future__ import annotations

import http.client
import json
import shlex
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.dock import until
from tests.release.walk import Account, empty_account
from tests.suites import LONG
from tests.tables import template_tables

pytestmark = LONG

TABLE, EVENT = "ShipCaptainCrew.Events", "3F2504E0-4F89-11D3-9A0C-0305E82C3301"
UNUSABLE = "2026/sunset charter"
NAMES = {
    "WebBucketName": "shipcaptaincrew-dispatch-prod",
    "StagingWebBucketName": "shipcaptaincrew-dispatch-staging",
}
THEIRS = {
    "Sid": "TheirBackup",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::shipcaptaincrew-dispatch-prod/*",
}
ITEMS: list[dict[str, Any]] = [
    {
        "event_id": {"S": EVENT},
        "SK": {"S": "META"},
        "listing": {"S": "event"},
        "event_date": {"S": "2026-11-29T01:30:00Z"},
        "EventName": {"S": "Sunset Charter"},
        "rosterSize": {"S": "1"},
    },
    {
        "event_id": {"S": EVENT},
        "SK": {"S": "PATRON#Jane.Doe@Example.COM"},
        "firstName": {"S": "Jane"},
        "lastName": {"S": "Doe"},
    },
    {
        "event_id": {"S": UNUSABLE},
        "SK": {"S": "META"},
        "listing": {"S": "event"},
        "event_date": {"S": "2026-11-30"},
    },
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with empty_account(tmp_path_factory.mktemp("beside")) as empty:
        yield empty


@pytest.fixture(scope="module")
def beside(account: Account) -> str:
    """What `make deploy` printed, beside a table without the index and buckets with a policy."""
    dynamodb, s3 = account.aws.client("dynamodb"), account.aws.client("s3")
    table = template_tables()["Events"]
    keyed = {each["AttributeName"] for each in table["KeySchema"]}
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=table["KeySchema"],
        AttributeDefinitions=[
            each for each in table["AttributeDefinitions"] if each["AttributeName"] in keyed
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in ITEMS:
        dynamodb.put_item(TableName=TABLE, Item=item)
    for bucket in NAMES.values():
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=NAMES["WebBucketName"], Key="brochure.html", Body=b"theirs")
    policy = {"Version": "2012-10-17", "Statement": [THEIRS]}
    s3.put_bucket_policy(Bucket=NAMES["WebBucketName"], Policy=json.dumps(policy))
    return deploy(account, "staging", EventsTableName=TABLE, ExistingWebBuckets="yes", **NAMES)


def deploy(account: Account, stage: str, **parameters: str) -> str:
    given = {
        "GmailServiceAccountEmail": account.sandbox.service_account_info["client_email"],
        "GmailAuditRecipient": "compliance@shipcaptaincrew.example",
    } | parameters
    chosen = " ".join(f"{name}={value}" for name, value in given.items())
    done = account.shell(
        f"make gmail-key STAGE={stage} FILE=service-account.json\n"
        f"make deploy STAGE={stage} CONFIRM=yes PARAMETERS={shlex.quote(chosen)}"
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def made_by(account: Account, stack: str) -> dict[str, str]:
    """Physical ids by logical id."""
    pages = account.aws.client("cloudformation").get_paginator("list_stack_resources")
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for each in page["StackResourceSummaries"]
    }


def doctor(account: Account) -> dict[str, dict[str, Any]]:
    done = account.shell(".venv/bin/scc doctor --json 2>/dev/null || true")
    return {each["name"]: each for each in json.loads(done.stdout)}


def carry_out(account: Account, command: list[str]) -> None:
    """A printed command of the AWS CLI, which this machine need not have."""
    assert command[:5] == ["aws", "--region", "us-east-1", "--endpoint-url", account.endpoint]
    service, verb = command[5:7]
    given = {name: command[command.index(name) + 1] for name in command if name[:2] == "--"}
    if (service, verb) == ("s3api", "put-bucket-policy"):
        account.aws.client("s3").put_bucket_policy(
            Bucket=given["--bucket"], Policy=given["--policy"]
        )
    else:
        assert (service, verb) == ("dynamodb", "update-table")
        definitions = [
            dict(part.split("=") for part in each.split(","))
            for each in command
            if each.startswith("AttributeName=")
        ]
        account.aws.client("dynamodb").update_table(
            TableName=given["--table-name"],
            AttributeDefinitions=definitions,
            GlobalSecondaryIndexUpdates=json.loads(given["--global-secondary-index-updates"]),
        )


def test_the_stack_makes_neither_table_nor_buckets(account: Account, beside: str) -> None:
    made = made_by(account, "shipcaptaincrew-staging")
    assert "PaymentsTable" in made
    assert not made.keys() & {
        *("EventsTable", "WebBucket", "StagingWebBucket"),
        *("WebBucketPolicy", "StagingWebBucketPolicy"),
    }


def test_doctor_names_what_is_missing_and_the_printed_commands_mend_it(
    account: Account, beside: str
) -> None:
    before = doctor(account)
    for name in ("events table", "web bucket", "staging web bucket"):
        assert not before[name]["is_ok"]
    assert f"{TABLE} has no index ByDate" in before["events table"]["remedy"]
    carry_out(account, shlex.split(before["events table"]["remedy"].split("`")[1]))
    commands = [line.strip() for line in beside.splitlines() if " put-bucket-policy " in line]
    assert len(commands) == 2
    for each in commands:
        carry_out(account, shlex.split(each))
    after = doctor(account)
    for name in ("events table", "web bucket", "staging web bucket"):
        assert after[name]["is_ok"], after[name]
    policy = account.aws.client("s3").get_bucket_policy(Bucket=NAMES["WebBucketName"])["Policy"]
    kept, ours = json.loads(policy)["Statement"]
    assert kept == THEIRS
    assert json.dumps(ours, indent=2) in beside, "the statement itself is printed, too"


def test_the_app_is_published_into_the_existing_buckets_and_deletes_nothing(
    account: Account, beside: str
) -> None:
    done = account.shell(
        ".venv/bin/scc web publish --stage prod && .venv/bin/scc web publish --stage staging"
    )
    assert done.returncode == 0, done.stdout
    app = App(account)
    for path in ("/", "/_staging/"):
        status, text = app.call("GET", path)
        assert (status, "<html" in text.lower()) == (200, True)
    assert app.call("GET", "/brochure.html") == (200, "theirs")


def test_make_roster_leaves_the_platforms_table_alone(account: Account, beside: str) -> None:
    done = account.shell("make roster STAGE=staging FILE=docs/first-event.json")
    assert done.returncode != 0
    assert f"{TABLE} is the platform's: add the event there" in done.stdout


def test_a_platforms_event_is_listed_opened_paid_for_and_mailed(
    account: Account, beside: str
) -> None:
    app = App.signed_in(account)
    page = app.json("GET", "/api/events")
    (event,) = page["events"]
    assert (event["event_id"], event["name"]) == (EVENT, "Sunset Charter")
    assert (event["event_date"], event["roster_size"]) == ("2026-11-28", 1)
    (patron,) = app.json("GET", f"/api/events/{EVENT}")["roster"]
    assert (patron["email"], patron["name"]) == ("jane.doe@example.com", "Jane Doe")
    (found,) = app.json("GET", f"/api/events/{EVENT}/roster?q=DOE")["roster"]
    assert found == patron
    payment = app.log(EVENT, patron["email"])["payment"]
    assert payment["event_date"] == "2026-11-28"

    def mails() -> list[str]:
        return [each["subject"] for each in account.mails()]

    until(mails)
    (subject,) = mails()
    assert "$125.00 cash - Jane Doe - Sunset Charter" in subject
    done = account.shell(f".venv/bin/scc reconcile --event {EVENT} --mailbox")
    assert done.returncode == 0, done.stdout
    signed = app.json(
        "POST", f"/g/{EVENT}/waiver", {"name": "Jane Doe", "email": "JANE.DOE@example.com"}
    )
    (patron,) = app.json("GET", f"/api/events/{EVENT}")["roster"]
    assert patron["waiver_signed_at"] == signed["waiver"]["signed_at"]


def test_an_event_that_cannot_be_used_is_refused_by_one_sentence_everywhere(
    account: Account, beside: str
) -> None:
    app, path = App.signed_in(account), f"/api/events/{quote(UNUSABLE, safe='')}"
    (problem,) = app.json("GET", "/api/events")["problems"]
    assert problem["event_id"] == UNUSABLE
    assert problem["problem"].startswith("An event's id must have")
    for address in (path, f"{path}/roster"):
        status, text = app.call("GET", address)
        assert (status, json.loads(text)["detail"]) == (409, problem["problem"])
    refused = app.log(UNUSABLE, "jane.doe@example.com")
    assert refused["errors"][0]["message"] == problem["problem"]


def test_named_buckets_and_a_table_of_its_own_are_made_by_another_stack(account: Account) -> None:
    """Without a platform: the other way, under other names, in the same account."""
    names = {name: f"{value}-own" for name, value in NAMES.items()}
    printed = deploy(account, "prod", **names)
    assert "put-bucket-policy" not in printed
    made = made_by(account, "shipcaptaincrew")
    assert (made["WebBucket"], made["StagingWebBucket"]) == tuple(names.values())
    assert made["EventsTable"] == "shipcaptaincrew-Events"
    script = (
        "export SCC_STACK=shipcaptaincrew\n"
        ".venv/bin/scc web publish --stage prod\n.venv/bin/scc web publish --stage staging\n"
        "make roster STAGE=prod FILE=docs/first-event.json\nmake smoke STAGE=prod\n"
    )
    done = account.shell(script)
    assert done.returncode == 0, done.stdout[-3000:]


class App:
    """The staging stack's app, as a browser behind CloudFront reaches it."""

    def __init__(self, account: Account) -> None:
        done = account.shell(".venv/bin/scc release url --stage staging")
        assert done.returncode == 0, done.stdout
        self._host = done.stdout.strip().removeprefix("http://")
        self._cookie = ""

    @classmethod
    def signed_in(cls, account: Account) -> App:
        app, email = cls(account), f"ada-{uuid.uuid4().hex[:6]}@shipcaptaincrew.example"
        done = account.shell(
            f".venv/bin/scc users add {email} --name 'Ada' --group admins --json 2>/dev/null"
        )
        credentials = {"email": email, "password": json.loads(done.stdout)["password"]}
        app.json("POST", "/api/session", credentials)
        return app

    def log(self, event_id: str, email: str) -> dict[str, Any]:
        body = {"event_id": event_id, "patron_email": email, "amount": "125.00", "method": "cash"}
        answer: dict[str, Any] = json.loads(self.call("POST", "/api/payments", body)[1])
        return answer

    def json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, text = self.call(method, path, body)
        assert status == 200, text
        answer: dict[str, Any] = json.loads(text)
        return answer

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", int(self._host.split(":")[1]))
        headers = {
            "Host": self._host,
            "Cookie": self._cookie,
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            if cookie := answer.getheader("Set-Cookie"):
                self._cookie = cookie.split(";")[0]
            return answer.status, answer.read().decode()
        finally:
            connection.close()
