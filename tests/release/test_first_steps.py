"""`make gmail-key` and `make roster`: bad files are refused by name, and no key is ever shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.gmail_sandbox.accounts import new_service_account
from ops.errors import OpsError
from release.gmail_key import read_key
from release.roster import read_event
from tests.release.walk import Account, put_key

EVENT = json.loads((Path(__file__).parents[2] / "docs" / "first-event.json").read_text())


def written(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"private_key": None}, "no private_key"),
        ({"client_email": ""}, "no client_email"),
        ({"token_uri": 7}, "no token_uri"),
        ({"private_key": "s3cr3t words"}, "private_key is not a private key"),
    ],
)
def test_a_file_that_is_not_a_key_is_refused_without_showing_it(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    key = new_service_account("http://localhost/token")
    with pytest.raises(OpsError, match=complaint) as refused:
        read_key(written(tmp_path, key | change))
    assert "BEGIN" not in str(refused.value)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "[]", "not json", '"text"'])
def test_a_file_that_is_not_an_object_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(OpsError):
        read_key(written(tmp_path, content))


@pytest.mark.parametrize("file", ["", "/nowhere/key.json"])
def test_a_missing_file_is_refused(file: str) -> None:
    with pytest.raises(OpsError, match=r"FILE is missing|No such file"):
        read_key(file)
    with pytest.raises(OpsError, match=r"FILE is missing|No such file"):
        read_event(file)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"event_id": "Not An Id"}, "event_id"),
        ({"event_date": "5 December"}, "event_date"),
        ({"event_date": "20261205"}, "event_date"),
        ({"event_date": "2026-W49-6"}, "event_date"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "America"}, "timezone"),
        ({"timezone": "America/" + "x" * 5_000}, "timezone"),
        ({"name": None}, "name must be text"),
        ({"patrons": "jane"}, "patrons"),
        ({"patrons": [{"email": "jane", "name": "Jane"}]}, "patrons"),
        ({"patrons": [{"email": "jane@example.com", "name": " "}]}, "patrons"),
        ({"patrons": [{"email": "jane@example.com", "name": "\u200b"}]}, "patrons"),
    ],
)
def test_an_invalid_event_is_refused_by_its_field(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    assert read_event(written(tmp_path, EVENT))["event_id"] == "first-sail"
    with pytest.raises(OpsError, match=complaint):
        read_event(written(tmp_path, EVENT | change))


def test_the_key_is_stored_whole_and_shown_nowhere(walked: Account) -> None:
    put_key(walked)
    done = walked.shell("make gmail-key STAGE=staging FILE=service-account.json")
    assert done.returncode == 0, done.stdout
    assert "PRIVATE KEY" not in done.stdout
    stored = walked.aws.client("secretsmanager").get_secret_value(
        SecretId="shipcaptaincrew-staging/gmail-service-account"
    )["SecretString"]
    assert json.loads(stored) == walked.sandbox.service_account_info


def test_writing_a_roster_again_keeps_signatures(walked: Account) -> None:
    dynamodb = walked.aws.client("dynamodb")
    key = {"event_id": {"S": "first-sail"}, "SK": {"S": "PATRON#jane.doe@example.com"}}
    table = "shipcaptaincrew-staging-Events"
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET waiver_signed_at = :now",
        ExpressionAttributeValues={":now": {"N": "1"}},
    )
    done = walked.shell("make roster STAGE=staging FILE=docs/first-event.json")
    assert done.returncode == 0, done.stdout
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    assert (item["waiver_signed_at"], item["name"]) == ({"N": "1"}, {"S": "Jane Doe"})
