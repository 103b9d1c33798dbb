"""The command line as a person starts it, and a dead-letter queue with known contents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from local.running_stack import RunningStack
from ops.rules.depth import Depth
from ops.stack.queues import depth_of
from shared.audit.messages import AuditMessage
from tests.dock import Dock, until
from tests.ops.harbor import Harbor, listening, make_harbor


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead-letter queue of the running stack, as a test sees it."""

    dock: Dock

    @property
    def stack(self) -> RunningStack:
        return self.dock.stack

    @property
    def env(self) -> dict[str, str]:
        """What makes `scc` talk to this stack."""
        return {"AWS_ENDPOINT_URL": self.stack.settings.engine_url}

    def put(self, body: str, **attributes: object) -> str:
        """A dead letter with this body; returns its message id."""
        sent = self.stack.aws.client("sqs").send_message(
            QueueUrl=self.stack.outputs["DeadLetterQueueUrl"],
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": str(value)}
                for name, value in attributes.items()
            },
        )
        return str(sent["MessageId"])

    def put_many(self, bodies: list[str]) -> None:
        sqs = self.stack.aws.client("sqs")
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + 10])
            ]
            url = self.stack.outputs["DeadLetterQueueUrl"]
            assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get("Failed")

    def clear(self) -> None:
        """The next test starts with an empty queue."""
        self.stack.aws.client("sqs").purge_queue(QueueUrl=self.stack.outputs["DeadLetterQueueUrl"])

    def depth(self) -> Depth:
        client = self.stack.aws.client("sqs")
        return depth_of(client, self.stack.outputs["DeadLetterQueueUrl"])

    def messages(self) -> list[dict[str, Any]]:
        """Everything that is visible, left visible."""
        sqs, url = self.stack.aws.client("sqs"), self.stack.outputs["DeadLetterQueueUrl"]
        found = []
        while answer := sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=60,
            MessageAttributeNames=["All"],
        ).get("Messages"):
            found += answer
        for each in found:
            sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
            )
        return found

    def hide(self) -> None:
        """As another look would, from ten at most."""
        sqs, url = self.stack.aws.client("sqs"), self.stack.outputs["DeadLetterQueueUrl"]
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)

    def unmailed(self, number: int) -> list[str]:
        """Log payments whose messages end up here, untouched by the mailer; returns their ids."""
        with mailer_off(self.stack):
            payments = [self.dock.logged() for _ in range(number)]
            taken = 0
            sqs, queue = self.stack.aws.client("sqs"), self.stack.outputs["AuditQueueUrl"]

            def moved() -> bool:
                nonlocal taken
                answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
                for each in answer.get("Messages", ()):
                    self.put(each["Body"])
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
                    taken += 1
                return taken >= number

            until(moved)
        assert taken == number
        return [payment["payment_id"] for payment in payments]

    def body_of(self, payment: Mapping[str, Any]) -> str:
        return AuditMessage.from_row(payment).to_json()

    def mails_of_ops(self, ops_id: str) -> list[dict[str, Any]]:
        return [each for each in self.dock.inbox() if each["headers"].get("X-SCC-Ops-Id") == ops_id]


@contextmanager
def mailer_off(stack: RunningStack) -> Iterator[None]:
    """The mailer takes nothing from its queue meanwhile."""
    client = stack.aws.client("lambda")
    (mapping,) = client.list_event_source_mappings(
        FunctionName=stack.outputs["MailerFunctionName"]
    )["EventSourceMappings"]

    def switch(state: str, *, is_on: bool) -> None:
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=is_on)
        until(lambda: client.get_event_source_mapping(UUID=mapping["UUID"])["State"] == state)

    switch("Disabled", is_on=False)
    try:
        yield
    finally:
        switch("Enabled", is_on=True)


@pytest.fixture
def harbor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Harbor]:
    with mock_aws(), listening():
        yield make_harbor(monkeypatch)


@pytest.fixture
def dock(stack: RunningStack) -> Iterator[Dock]:
    """The admin, signed in; whatever faults a test sets are gone after it."""
    signed_in = Dock(stack).sign_in()
    signed_in.sandbox("DELETE", "/sandbox/faults")
    yield signed_in
    signed_in.sandbox("DELETE", "/sandbox/faults")


@pytest.fixture
def dead(dock: Dock) -> Iterator[DeadLetters]:
    """An empty dead-letter queue, and an idle mailer."""
    until(dock.is_queue_empty)
    letters = DeadLetters(dock)
    letters.clear()
    yield letters
    letters.clear()
