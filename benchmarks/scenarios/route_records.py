"""A batch of stream records through the router; a bare loop that sends the same messages."""

import os
from typing import Any

import boto3

from functions.stream_router import handler

SIDES = ("route", "loop")
client: Any = boto3.client("sqs")
queue = os.environ["AUDIT_QUEUE_URL"]


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"


def route(event: dict[str, Any]) -> None:
    answer = handler.lambda_handler(event["batch"], Context())
    if answer["batchItemFailures"]:
        raise RuntimeError(answer)


def loop(event: dict[str, Any]) -> None:
    bodies = event["bodies"]
    for start in range(0, len(bodies), 10):
        entries = [
            {"Id": str(number), "MessageBody": body}
            for number, body in enumerate(bodies[start : start + 10])
        ]
        client.send_message_batch(QueueUrl=queue, Entries=entries)
