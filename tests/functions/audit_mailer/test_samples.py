"""The mailer on AWS's own sample of an SQS event."""

from __future__ import annotations

from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import SqsModel

from functions.audit_mailer import handler, wiring
from functions.audit_mailer.delivery.audit_queue import AuditQueueReceiver
from functions.audit_mailer.delivery.consumer import Consumer
from functions.audit_mailer.delivery.courier import Outcome, Try
from functions.audit_mailer.mailer import Delivered
from shared.audit.messages import AuditMessage, Message
from tests.builders import NOW, entry
from tests.contracts import sam
from tests.functions.lambda_context import Context


class Mailer(list[Message]):
    def deliver(self, message: Message, this_try: Try) -> Delivered:
        self.append(message)
        return Delivered(Outcome.SENT, logged_at=NOW)


@pytest.mark.parametrize("has_more", [False, True])
def test_a_message_is_taken_from_the_sample_that_sam_ships(
    monkeypatch: pytest.MonkeyPatch,
    has_more: bool,  # noqa: FBT001
) -> None:
    """has_more: fields that a traced message, or one that was redriven, has besides.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    message = AuditMessage.from_row(entry().to_row())
    event = sam.sample("sqs", "receive-message", body="BODY")
    (record,) = event["Records"]
    record["body"] = message.to_json()
    if has_more:
        record["attributes"] |= {
            "AWSTraceHeader": "Root=1-5e1b4151-5ac6c58239c1e5b4",
            "DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:123456789012:audit",
        }
    SqsModel.model_validate(event)
    mailer = Mailer()

    def no_client() -> Any:
        raise AssertionError("a message that was delivered needs no call: Lambda deletes it")

    consumer = Consumer(lambda: mailer, AuditQueueReceiver(no_client, "audit", "dlq"), 900)
    monkeypatch.setattr(wiring, "consumer", lambda: consumer)
    assert handler.lambda_handler(event, Context()) == {"batchItemFailures": []}
    assert mailer == [message]
