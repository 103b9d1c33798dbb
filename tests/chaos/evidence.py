"""What lies in the ledger, in AuditDeliveries, in the inbox and in the dead-letter queue."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from local.stack import LocalStack
from shared.attributes import from_attributes
from tests.chaos.verdict import DeadLetter, Evidence

PAGE = 200


class Inbox:
    """The sandbox's inbox, read page by page; what was seen is not asked for again."""

    def __init__(self, mail_url: str) -> None:
        self._url = f"{mail_url}/sandbox/messages?limit={PAGE}"
        self._after = ""
        self.mails: list[dict[str, Any]] = []
        """Those about a ledger entry, oldest first."""

    def read(self) -> list[dict[str, Any]]:
        while page := self._page():
            self._after = f"&after={page[-1]['id']}"
            self.mails += [each for each in page if "X-SCC-Payment-Id" in each["headers"]]
        return self.mails

    def _page(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self._url + self._after, timeout=30) as answer:
            page: list[dict[str, Any]] = json.load(answer)
        return page


def gather(stack: LocalStack, inbox: Inbox) -> Evidence:
    outputs = stack.outputs
    deliveries = _scan(stack, outputs["DeliveriesTableName"])
    return Evidence(
        rows=ledger_rows(stack),
        deliveries={each["payment_id"]: each for each in deliveries},
        mails=inbox.read(),
        dead_letters=list(dead_letters(stack)),
    )


def ledger_rows(stack: LocalStack) -> list[dict[str, Any]]:
    return _scan(stack, stack.outputs["PaymentsTableName"])


def _scan(stack: LocalStack, table: str) -> list[dict[str, Any]]:
    pages = stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [from_attributes(item) for page in pages for item in page["Items"]]


def dead_letters(stack: LocalStack) -> Iterator[DeadLetter]:
    """Look at every message once; they are visible again soon after."""
    sqs, seen = stack.aws.client("sqs"), set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=stack.outputs["DeadLetterQueueUrl"],
            MaxNumberOfMessages=10,
            VisibilityTimeout=5,
            MessageAttributeNames=["All"],
        )
        fresh = [each for each in answer.get("Messages", ()) if each["MessageId"] not in seen]
        if not fresh:
            return
        for each in fresh:
            seen.add(each["MessageId"])
            texts = {
                name: value.get("StringValue", "")
                for name, value in each.get("MessageAttributes", {}).items()
            }
            yield DeadLetter(
                each["Body"], texts.get("error_class", ""), texts.get("error_message", "")
            )
