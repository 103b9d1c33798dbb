"""A deployed stack for rows that need one, and its functions' environment for a probe."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from local.engine.batch_writes import put_all
from local.running_stack import RunningStack
from shared import keys
from shared.attributes import from_attributes

# Otherwise we would measure the sandbox's quota: a mail costs 100 units.
ROOM = {"SCC_MAIL_UNITS_PER_MINUTE": "100000000", "SCC_MAIL_SENDS_PER_DAY": "1000000"}
EVENTS, PATRONS = 24, 40


@contextmanager
def some_stack() -> Iterator[Bench]:
    with RunningStack.temporary(**ROOM) as stack:
        yield Bench(stack)


class Bench:
    """Logs payments on several events, as admins do, and reads the inbox."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self._numbers = count(1)  # next() is atomic: many threads ask
        self.cookie = self._sign_in()
        self._make_events()

    def payment(self) -> dict[str, str]:
        """The body of a new, unique payment; events take turns."""
        number = next(self._numbers)
        return {
            "event_id": f"bench-{number % EVENTS}",
            "patron_email": f"patron-{number // EVENTS % PATRONS}@example.com",
            "amount": f"{number // 100 + 1}.{number % 100:02d}",
            "method": "cash",
        }

    def post(self) -> tuple[str, float]:
        """Log a payment at the front door; return its id and when it was sent (epoch seconds)."""
        headers = {
            "Content-Type": "application/json",
            "Cookie": self.cookie,
            "Idempotency-Key": str(uuid.uuid4()),
        }
        body = json.dumps(self.payment()).encode()
        began = time.time()
        request = urllib.request.Request(f"{self.stack.url}/api/payments", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(json.load(answer)["payment"]["payment_id"]), began

    def event(self) -> dict[str, Any]:
        """The same as a Function URL event, for a handler in a separate process."""
        return {
            "version": "2.0",
            "rawPath": "/api/payments",
            "rawQueryString": "",
            "headers": {
                "content-type": "application/json",
                "idempotency-key": str(uuid.uuid4()),
                "sec-fetch-site": "same-origin",
            },
            "cookies": [self.cookie],
            "requestContext": {
                "http": {"method": "POST", "path": "/api/payments", "sourceIp": "127.0.0.1"},
                "stage": "$default",
                "requestId": "request-1",
            },
            "isBase64Encoded": False,
            "body": json.dumps(self.payment()),
        }

    def environment(self) -> dict[str, str]:
        """The environments of API and mailer together, usable from outside the emulator."""
        client = self.stack.aws.client("lambda")
        found: dict[str, str] = {}
        for output in ("ApiFunctionName", "MailerFunctionName"):
            name = self.stack.outputs[output]
            configuration = client.get_function_configuration(FunctionName=name)
            found |= configuration["Environment"]["Variables"]
        return found | {
            "AWS_ENDPOINT_URL": self.stack.settings.engine_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
        }

    def sent(self) -> dict[str, float]:
        """When Gmail had accepted each payment's mail (epoch seconds), as the mailer marked it."""
        pages = (
            self.stack.aws.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.stack.outputs["DeliveriesTableName"])
        )
        rows = (from_attributes(item) for page in pages for item in page["Items"])
        return {row["payment_id"]: row["sent_at"] / 1000 for row in rows if "sent_at" in row}

    def faults(self, *faults: dict[str, Any]) -> None:
        """Replace the faults with these."""
        url = f"{self.stack.mail_url}/sandbox/faults"
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE"), timeout=10).close()
        if faults:
            body, headers = json.dumps(faults).encode(), {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10).close()

    def _sign_in(self) -> str:
        body = {
            "email": "admin@shipcaptaincrew.example",
            "password": self.stack.settings.demo_password,
        }
        headers = {"Content-Type": "application/json"}
        url = f"{self.stack.url}/api/session"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.headers["Set-Cookie"]).split(";")[0]

    def _make_events(self) -> None:
        items: list[Any] = [
            item
            for number in range(EVENTS)
            for item in (
                {
                    **keys.event_meta(f"bench-{number}"), "listing": "event",
                    "name": f"Bench {number}", "event_date": "2026-11-28",
                    "timezone": "America/New_York", "location": "Long Wharf",
                    "roster_size": PATRONS,
                },
                *(
                    {
                        **keys.patron(f"bench-{number}", f"patron-{each}@example.com"),
                        "email": f"patron-{each}@example.com",
                        "name": f"Patron {each}",
                    }
                    for each in range(PATRONS)
                ),
            )
        ]  # fmt: skip
        put_all(self.stack.aws.client("dynamodb"), self.stack.outputs["EventsTableName"], items)
