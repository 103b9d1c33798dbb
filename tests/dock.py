"""An admin's view of a running stack, without a browser: sign in, log, list, read the inbox."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from local.running_stack import RunningStack

Found = TypeVar("Found")
# Other tests run at the same time on few cores; a long wait costs nothing until something fails.
PATIENCE_SECONDS = 60.0


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.json["errors"]]


@dataclass
class Dock:
    """Talks to the front door like a browser tab of `who`."""

    stack: RunningStack
    cookie: str = ""
    password: str = field(default="anchors-aweigh", repr=False)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        sent = {"Origin": self.stack.url, "Sec-Fetch-Site": "same-origin"}
        if content is not None:
            sent["Content-Type"] = "application/json"
        if self.cookie:
            sent["Cookie"] = self.cookie
        request = urllib.request.Request(
            self.stack.url + path, content, sent | (headers or {}), method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def sign_in(self, name: str = "admin") -> Dock:
        credentials = {"email": f"{name}@shipcaptaincrew.example", "password": self.password}
        answer = self.call("POST", "/api/session", credentials)
        assert answer.status == 200, answer.content
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return self

    def log(self, key: str = "", **changes: Any) -> Answer:
        """A cash payment with an amount that no other test uses."""
        cents = uuid.uuid4().int % 9_000_000 + 100_000
        body = {
            "event_id": "sunset-charter",
            "patron_email": "jane.doe@example.com",
            "amount": f"{cents // 100}.{cents % 100:02d}",
            "method": "cash",
        }
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.call("POST", "/api/payments", body | changes, headers)

    def logged(self, **changes: Any) -> dict[str, Any]:
        answer = self.log(**changes)
        assert answer.status == 200, answer.content
        payment: dict[str, Any] = answer.json["payment"]
        return payment

    def listed(self, payment_id: str) -> dict[str, Any]:
        answer = self.call("GET", "/api/payments?event_id=sunset-charter&limit=100")
        return next(each for each in answer.json["payments"] if each["payment_id"] == payment_id)

    def mails_of(self, payment_id: str) -> list[dict[str, Any]]:
        """The inbox's mails about one payment."""
        found = self._mails(f"?containing={payment_id}")
        return [each for each in found if each["headers"].get("X-SCC-Payment-Id") == payment_id]

    def inbox(self) -> list[dict[str, Any]]:
        return self._mails("")

    def _mails(self, query: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.stack.mail_url}/sandbox/messages{query}") as answer:
            messages: list[dict[str, Any]] = json.load(answer)
        return messages

    def sandbox(self, method: str, path: str, body: Any = None) -> None:
        request = urllib.request.Request(
            self.stack.mail_url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10):
            pass

    def await_mail(self, payment_id: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The only mail about a payment, once AuditDeliveries also says it was sent."""

        def delivered() -> dict[str, Any] | None:
            mails = self.mails_of(payment_id)
            sent = mails and self.listed(payment_id)["audit"]["state"] == "sent"
            return mails[0] if sent else None

        mail = until(delivered, seconds)
        until(self.is_queue_empty, seconds)
        assert len(self.mails_of(payment_id)) == 1
        return mail

    def is_queue_empty(self) -> bool:
        """Whether no message is left that could send a second mail."""
        names = ["", "NotVisible", "Delayed"]
        counts = self.stack.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.stack.outputs["AuditQueueUrl"], AttributeNames=["All"]
        )["Attributes"]
        return all(counts[f"ApproximateNumberOfMessages{name}"] == "0" for name in names)


def until(look: Callable[[], Found | None], seconds: float = PATIENCE_SECONDS) -> Found:
    """Poll `look` until it finds something or the deadline passes."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
