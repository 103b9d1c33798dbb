from collections.abc import Iterator

import boto3
import pytest

from benchmarks.rig.endpoint import Endpoint


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Endpoint() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


def test_a_row_is_found_by_its_key_alone_and_in_a_batch(endpoint: Endpoint) -> None:
    endpoint.put("Ledger", ["PK"], {"PK": "EVENT#one", "seq": 41})
    client = boto3.client("dynamodb")
    item = {"PK": {"S": "EVENT#one"}, "seq": {"N": "41"}}
    keys = [{"PK": {"S": "EVENT#one"}}, {"PK": {"S": "EVENT#other"}}]
    assert client.get_item(TableName="Ledger", Key=keys[0])["Item"] == item
    assert "Item" not in client.get_item(TableName="Ledger", Key=keys[1])
    batch = client.batch_get_item(RequestItems={"Ledger": {"Keys": keys}})
    assert batch["Responses"] == {"Ledger": [item]}


def test_every_call_is_noted_with_its_name_and_times(endpoint: Endpoint) -> None:
    client = boto3.client("sqs")
    entries = [{"Id": "0", "MessageBody": "one"}, {"Id": "1", "MessageBody": "two"}]
    answer = client.send_message_batch(QueueUrl=f"{endpoint.url}/q", Entries=entries)  # type: ignore[arg-type]
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1"]
    (call,) = endpoint.calls
    assert call.name == "AmazonSQS.SendMessageBatch"
    assert call.came < call.went
