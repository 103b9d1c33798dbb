"""Causes the faults of a plan: on Gmail's side, on the queues, on processes."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from functions.audit_mailer.delivery.courier import LEASE_MS
from local.processes import wait_until
from local.running_stack import RunningStack
from shared.attributes import from_attributes, to_attributes
from shared.audit.messages import AuditMessage
from tests.chaos.evidence import Inbox
from tests.chaos.plan import DELETED, KILL, RESTART, RESTORED, Trouble
from tests.dock import Dock
from tests.shells import scc_here

HIT_SECONDS = 40.0
IN_FLIGHT_MS = 2_000
LONG_AGO_MS = 12_000  # longer than the stack's search may lag
POISON = ("not JSON at all", '{"schema":"scc.audit/99"}', "{}")


def wait_until_some(look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def looked() -> bool:
        found[:] = look()
        return bool(found)

    assert wait_until(looked, HIT_SECONDS), "no mail was sent long ago"
    return found


class Saboteur:
    """done: how often each fault was caused. notes: what else is worth knowing.

    hasten: end a killed mailer's lease early. A lease outlives the longest invocation, 90 s; a
    short run sets it to just after the kill, a long run waits for it.
    """

    def __init__(self, stack: RunningStack, dock: Dock, inbox: Inbox, *, hasten: bool) -> None:
        self._stack = stack
        self._dock = dock
        self._inbox = inbox
        self._reissues: dict[str, str] = {}  # their runs, by the payment that lost its mail
        self.hasten = hasten
        self.done: Counter[str] = Counter()
        self.notes: list[str] = []

    def begin(self, trouble: Trouble) -> None:
        """Set the sandbox's traps before the payments that will hit them."""
        self.done[trouble.name] += 1
        if trouble.faults:
            self._dock.sandbox("POST", "/sandbox/faults", [dict(each) for each in trouble.faults])

    def act(self, trouble: Trouble, logged: Sequence[dict[str, Any]]) -> None:
        """Do what a fault does on its own. logged: the entries to choose from."""
        picked = [logged[int(pick * len(logged))] for pick in trouble.picks if logged]
        if trouble is KILL:
            self._kill_mailer()
        elif trouble is RESTART:
            self._restart()
        elif trouble is RESTORED:
            self._restore_deliveries()
        elif trouble is DELETED:
            self._delete_mail({each["payment_id"] for each in logged})
        elif trouble.name == "stream again":
            self._stream_again(picked)
        elif trouble.name == "queue again":
            self._queue_again(picked)
        elif trouble.name == "two sweeps":
            self.sweep(twice=True)
        elif trouble.name == "poison":
            self._poison(len(trouble.picks))

    def end(self, trouble: Trouble) -> None:
        if trouble.lasting:
            for fault in trouble.faults:
                self._dock.sandbox("DELETE", f"/sandbox/faults?kind={fault['kind']}")

    def end_all(self) -> None:
        self._dock.sandbox("DELETE", "/sandbox/faults")

    def sweep(self, *, twice: bool = False) -> None:
        """Invoke the sweep, without the grace that the stream gets in production."""

        def invoke(_: int) -> None:
            answer = self._stack.aws.client("lambda").invoke(
                FunctionName=self._stack.outputs["SweepFunctionName"],
                Payload=json.dumps({"grace_seconds": 0}),
            )
            assert "FunctionError" not in answer, answer["Payload"].read()

        with ThreadPoolExecutor() as pool:
            list(pool.map(invoke, range(2 if twice else 1)))

    def _restart(self) -> None:
        """Like Ctrl-C and `make run`. If the emulator is killed for being slow, data is lost."""
        began = time.monotonic()
        self._stack.stop()
        stopped = [line for line in self._stack.output().splitlines() if " stop the " in line]
        self._stack.start()
        self.notes.append(f"restarted in {time.monotonic() - began:.0f} s: {'; '.join(stopped)}")

    def _restore_deliveries(self) -> None:
        """The table as it was before its last mails: without them, or with a try that failed.

        But for what was just issued again: a search may not show that yet.
        """
        dynamodb, table = self._deliveries
        sent = {each["payment_id"]: each for each in self._long_sent()}
        restored = [
            each
            for name, each in sent.items()
            if name.startswith("pay_") and self._reissues.get(name, name) in sent
        ]
        for number, delivery in enumerate(restored):
            key = {"payment_id": delivery["payment_id"]}
            if number % 2:
                dynamodb.delete_item(TableName=table, Key=to_attributes(key))
            else:
                failed = {"state": "failed", "retry_at": delivery["sent_at"], "attempts": 1}
                dynamodb.put_item(TableName=table, Item=to_attributes(key | failed))
        self.sweep()

    def _delete_mail(self, logged: Collection[str]) -> None:
        """Somebody deletes a mail; the watch misses it, and an operator has it issued again."""
        chosen = wait_until_some(lambda: [
            each for each in self._long_sent()
            if each["payment_id"] in logged and self._dock.mails_of(each["payment_id"])
        ])  # fmt: skip
        payment_id = chosen[0]["payment_id"]
        (mail,) = self._dock.mails_of(payment_id)
        self._dock.sandbox("DELETE", f"/sandbox/messages/{mail['id']}")
        self._inbox.read_anew()
        assert self._watched().get("missing") == 1
        done = scc_here(
            ("--endpoint-url", self._stack.settings.engine_url, "payment", "reissue", payment_id,
             "--reason", "deleted on purpose", "--json"),
            self._stack.settings.state, {},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self._reissues[payment_id] = json.loads(done.stdout)["run"]

    def _watched(self) -> dict[str, int]:
        answer = self._stack.aws.client("lambda").invoke(
            FunctionName=self._stack.outputs["WatchFunctionName"], Payload="{}"
        )
        found: dict[str, int] = json.load(answer["Payload"])["found"]
        return found

    def _long_sent(self) -> list[dict[str, Any]]:
        """The deliveries that have been sent for so long that a search must find them."""
        dynamodb, table = self._deliveries
        long_ago = time.time_ns() // 1_000_000 - LONG_AGO_MS
        pages = dynamodb.get_paginator("scan").paginate(TableName=table)
        found = [from_attributes(item) for page in pages for item in page["Items"]]
        return [
            each for each in found if each.get("state") == "sent" and each["sent_at"] < long_ago
        ]

    @property
    def _deliveries(self) -> tuple[Any, str]:
        return self._stack.aws.client("dynamodb"), self._stack.outputs["DeliveriesTableName"]

    def _stream_again(self, entries: Sequence[dict[str, Any]]) -> None:
        """Deliver stream records again, as the stream may after a failed batch."""
        records = [
            {
                "eventID": f"again-{number}",
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "NewImage": to_attributes(self._row(entry)),
                },
            }
            for number, entry in enumerate(entries)
        ]
        answer = self._stack.aws.client("lambda").invoke(
            FunctionName=self._stack.outputs["RouterFunctionName"],
            Payload=json.dumps({"Records": records}),
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def _queue_again(self, entries: Sequence[dict[str, Any]]) -> None:
        for entry in entries:
            body = AuditMessage.from_row(self._row(entry)).to_json()
            for _ in range(2):
                self._send(body)

    def _poison(self, count: int) -> None:
        for number in range(count):
            self._send(POISON[number % len(POISON)])

    def _send(self, body: str) -> None:
        url = self._stack.outputs["AuditQueueUrl"]
        self._stack.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body)

    def _row(self, entry: dict[str, Any]) -> dict[str, Any]:
        key = {
            "PK": f"{entry['event_id']}#{entry['patron_email']}",
            "SK": entry["timestamp"],
        }
        return from_attributes(
            self._stack.aws.client("dynamodb").get_item(
                TableName=self._stack.outputs["PaymentsTableName"],
                Key=to_attributes(key),
                ConsistentRead=True,
            )["Item"]
        )

    def _kill_mailer(self) -> None:
        """SIGKILL every mailer once one of them has delivered a mail and awaits the answer."""
        hit = wait_until(lambda: "hold" not in self._active(), HIT_SECONDS)
        killed_at = time.time_ns() // 1_000_000
        for pid in self._stack.workers(self._stack.outputs["MailerFunctionName"]):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.done["… between send and mark"] += hit
        if self.hasten:
            self._let_leases_lapse(killed_at)

    def _active(self) -> set[str]:
        with urllib.request.urlopen(f"{self._stack.mail_url}/sandbox/faults", timeout=10) as answer:
            return {fault["kind"] for fault in json.load(answer)}

    def _let_leases_lapse(self, killed_at: int) -> None:
        dynamodb, table = self._deliveries
        for item in dynamodb.scan(TableName=table)["Items"]:
            delivery = from_attributes(item)
            until = int(delivery.get("lease_until", 0))
            if delivery.get("state") != "sending" or until - LEASE_MS > killed_at:
                continue  # claimed by a mailer that started after the kill
            with suppress(ClientError):
                dynamodb.update_item(
                    TableName=table,
                    Key=to_attributes({"payment_id": delivery["payment_id"]}),
                    UpdateExpression="SET lease_until = :soon",
                    ConditionExpression="lease_until = :seen",
                    ExpressionAttributeValues=to_attributes(
                        {":soon": killed_at + IN_FLIGHT_MS, ":seen": until}
                    ),
                )
