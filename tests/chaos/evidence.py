"""What is in the ledger, in AuditDeliveries, in the inbox and in the dead-letter queue."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

from local.running_stack import RunningStack
from shared.attributes import from_attributes
from tests.chaos.verdict import DeadLetter, Evidence

PAGE = 200


class Inbox:
    """The sandbox's inbox, read page by page, each mail only once."""

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

    def read_anew(self) -> None:
        """Forget what was read: a mail of it was deleted."""
        self._after, self.mails = "", []

    def _page(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self._url + self._after, timeout=30) as answer:
            page: list[dict[str, Any]] = json.load(answer)
        return page


def gather(stack: RunningStack, inbox: Inbox) -> Evidence:
    return Evidence(
        rows=ledger_rows(stack),
        deliveries=deliveries(stack),
        mails=inbox.read(),
        dead_letters=dead_letters(stack),
    )


def ledger_rows(stack: RunningStack) -> list[dict[str, Any]]:
    return _scan(stack, stack.outputs["PaymentsTableName"])


def deliveries(stack: RunningStack) -> dict[str, dict[str, Any]]:
    """AuditDeliveries by payment_id, without the mailer's other items."""
    rows = _scan(stack, stack.outputs["DeliveriesTableName"])
    return {each["payment_id"]: each for each in rows}


def _scan(stack: RunningStack, table: str) -> list[dict[str, Any]]:
    pages = stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [from_attributes(item) for page in pages for item in page["Items"]]


def dead_letters(stack: RunningStack) -> list[DeadLetter]:
    """Look without receiving, which would hide the messages from the next reader."""
    query = urllib.parse.urlencode({"QueueUrl": stack.outputs["DeadLetterQueueUrl"]})
    url = f"{stack.settings.engine_url}/_ministack/sqs/messages?{query}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        (regions,) = json.load(answer)["messages"].values()
    ((messages,),) = [region.values() for region in regions.values()]
    return [_dead_letter(each) for each in messages]


def _dead_letter(message: dict[str, Any]) -> DeadLetter:
    attributes = message["MessageAttributes"]
    klass, reason = (
        attributes.get(name, {}).get("StringValue", "") for name in ("error_class", "error_message")
    )
    return DeadLetter(message["Body"], klass, reason)
