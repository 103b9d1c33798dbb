"""Gmail's real quota, shared: the watch and `scc reconcile` read while payments are mailed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from benchmarks.rig.stacks import Bench
from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.quota import UNITS_PER_MINUTE
from local.running_stack import RunningStack
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import EventId, Head, LedgerEntry, PaymentId, business_day

MAILS, PAYMENTS = 1_000, 20
REAL = {"SCC_MAIL_UNITS_PER_MINUTE": str(UNITS_PER_MINUTE)}
AUDIT = "audit@shipcaptaincrew.example"
EVENT = "bench-mailbox"
EVERY_SECONDS = 15.0  # one payment is logged
RUN_SECONDS = 900  # of the watch
QUOTA_SECONDS = 61  # for as long Gmail counts what filled the inbox


def measure(say: Say) -> list[Result]:
    with RunningStack.temporary(**REAL) as stack:
        bench = Bench(stack)
        say(f"{MAILS:,} mails are put into the inbox")
        fill(bench)
        say("watch and reconciliation begin")
        began = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            watch = pool.submit(timed, began, lambda: watched(stack))
            reconciliation = pool.submit(timed, began, lambda: reconciled(stack))
            mails = pool.submit(lambda: mailed(bench))
            finished = [_done(each) for each in (watch, reconciliation)]
            latencies, tries = mails.result()
    return [
        Result(
            row=f"the watch over {MAILS:,} mails, real quota, beside a reconciliation",
            unit="s", ours=[finished[0]],
        ),
        Result(
            row=f"scc reconcile --mailbox over {MAILS:,} mails, beside the watch",
            unit="s", ours=[finished[1]],
        ),
        Result(
            row=f"from logged to mailed meanwhile, {PAYMENTS} payments",
            unit="s", ours=latencies, goal=Goal("value", "≤", 15),
        ),
        Result(
            row="tries of these mails that Gmail refused", unit="tries",
            ours=[tries - PAYMENTS], goal=Goal("value", "≤", 0),
        ),
    ]  # fmt: skip


def fill(bench: Bench) -> None:
    """Entries that were mailed an hour ago, and their mails. Gmail's quota is lifted meanwhile."""
    stack, dynamodb = bench.stack, bench.stack.aws.client("dynamodb")
    mailer = _mapping(stack, "MailerFunctionName")
    _switch(stack, mailer, is_on=False)
    bench.faults({"kind": "quota", "units_per_minute": 10**9})
    key = json.loads((stack.settings.state / "service-account.json").read_text())
    addresses = Addresses(AUDIT, AUDIT)
    with closing(Gmail(lambda: key, AUDIT, "import", stack.mail_url)) as gmail:
        for entry in voyage():
            receipt = gmail.send_audit_email_via_gmail(compose(entry.to_row(), addresses).content)
            sent = {"payment_id": entry.payment_id, "state": "sent", "attempts": 1}
            sent |= {"sent_at": entry.logged_at, "gmail_id": receipt.gmail_id}
            put = {"Deliveries": sent, "Payments": entry.to_row(), "Ledger": keys.pointer(
                entry.payment_id) | {"row_pk": entry.pk, "row_sk": entry.timestamp}}  # fmt: skip
            for table, item in put.items():
                name = stack.outputs[f"{table}TableName"]
                dynamodb.put_item(TableName=name, Item=to_attributes(item))
    head = keys.head(EVENT) | {"seq": MAILS, "hash": entry.hash, "last_logged_at": entry.logged_at}
    dynamodb.put_item(TableName=stack.outputs["LedgerTableName"], Item=to_attributes(head))
    bench.faults()
    forget_messages(stack)
    time.sleep(QUOTA_SECONDS)
    _switch(stack, mailer, is_on=True)


def forget_messages(stack: RunningStack) -> None:
    """Those about the entries above, which are mailed: each would take a slot of the quota."""
    sqs, url = stack.aws.client("sqs"), stack.outputs["AuditQueueUrl"]
    names = ["ApproximateNumberOfMessages"]
    while True:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        if int(found[names[0]]) >= MAILS:
            break
        time.sleep(1)
    sqs.purge_queue(QueueUrl=url)


def voyage() -> Iterator[LedgerEntry]:
    head, began = Head(), time.time_ns() // 1_000_000 - 3_600_000
    for number in range(1, MAILS + 1):
        at = began + number
        made = replace(
            world.entry(),
            event_id=EventId(EVENT),
            payment_id=PaymentId(f"pay_{number:016x}{number:016x}"),
            logged_day=business_day(at, world.ZONE),
            logged_at=at,
            timestamp=at,
        ).sealed(head, world.ZONE)
        head = made.as_head
        yield made


def watched(stack: RunningStack) -> None:
    """Until every mail was seen. A run lasts a quarter of an hour; then the next one goes on."""
    client, name = stack.aws.client("lambda"), stack.outputs["WatchFunctionName"]
    began = -float(RUN_SECONDS)
    while seen(stack) < MAILS:
        if time.monotonic() - began >= RUN_SECONDS:
            client.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
            began = time.monotonic()
        time.sleep(2)


def seen(stack: RunningStack) -> int:
    pages = (
        stack.aws.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=stack.outputs["DeliveriesTableName"], ProjectionExpression="seen_at")
    )
    return sum("seen_at" in item for page in pages for item in page["Items"])


def reconciled(stack: RunningStack) -> None:
    command = [
        *(sys.executable, "-m", "ops.cli", "--endpoint-url", stack.settings.engine_url),
        *("reconcile", "--event", EVENT, "--mailbox"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the reconciliation found something: {done.stdout}{done.stderr}")


def mailed(bench: Bench) -> tuple[list[float], int]:
    """Seconds until each mail, and how many tries all took together."""
    logged = {}
    for _ in range(PAYMENTS):
        payment_id, at = bench.post()
        logged[payment_id] = at
        time.sleep(EVERY_SECONDS)
    while not logged.keys() <= (sent := bench.sent()).keys():
        time.sleep(1)
    pages = bench.stack.aws.client("dynamodb").get_paginator("scan").paginate(
        TableName=bench.stack.outputs["DeliveriesTableName"]
    )  # fmt: skip
    items = [item for page in pages for item in page["Items"]]
    tries = sum(int(each["attempts"]["N"]) for each in items if each["payment_id"]["S"] in logged)
    return [sent[each] - at for each, at in logged.items()], tries


def timed(began: float, work: Any) -> float:
    work()
    return time.monotonic() - began


def _done(future: Future[float]) -> float:
    return future.result()


def _mapping(stack: RunningStack, output: str) -> str:
    client = stack.aws.client("lambda")
    found = client.list_event_source_mappings(FunctionName=stack.outputs[output])
    return str(found["EventSourceMappings"][0]["UUID"])


def _switch(stack: RunningStack, mapping: str, *, is_on: bool) -> None:
    stack.aws.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=is_on)
