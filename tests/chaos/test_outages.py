"""When Google breaks for a while, mails recover on their own: no sweep, no replay, no human."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from shared.attributes import from_attributes, to_attributes
from tests.chaos.harness import Harness
from tests.dock import until

RECEIVES_ALLOWED = 8
"""The audit queue's maxReceiveCount: a message that is only received runs out of them."""


def test_mails_of_an_outage_arrive_after_it_without_a_human(
    harness: Harness, report: Callable[[str], None]
) -> None:
    """With waits of at most 900 s instead of 2, as many tries as here take more than 30 minutes."""
    harness.deliver_by("send")
    for number in range(12):
        log(harness, number)  # the outage begins in the middle of work, with valid tokens
    until(harness.is_settled)
    before = harness.verdict()
    assert before.wrong == {}
    harness.dock.sandbox("POST", "/sandbox/faults", [{"kind": "down"}])
    began = time.monotonic()
    entries = [log(harness, number) for number in range(10)]

    until(lambda: all(tries(harness, each) > RECEIVES_ALLOWED for each in entries))
    lasted = time.monotonic() - began
    harness.dock.sandbox("DELETE", "/sandbox/faults")
    ended = time.monotonic()
    until(harness.is_settled)

    after = harness.verdict()
    assert after.wrong == {}
    assert after.dead == before.dead
    report(
        f"outage: {len(entries)} payments in {lasted:.1f} s without Gmail, each tried more than "
        f"{RECEIVES_ALLOWED} times; the last mail arrived {time.monotonic() - ended:.1f} s after"
    )


def test_payments_continue_while_the_credential_is_revoked_and_mails_follow(
    harness: Harness, report: Callable[[str], None]
) -> None:
    harness.deliver_by("send")
    before = harness.verdict()
    usual = [seconds_to_log(harness, number) for number in range(20)]
    until(harness.is_settled)
    since = time.time_ns() // 1_000_000
    harness.dock.sandbox("POST", "/sandbox/faults", [{"kind": "revoke_delegation"}])
    revoked = [seconds_to_log(harness, number) for number in range(20)]
    entries = harness.client.logged[-20:]

    assert until(lambda: credential_failures(harness, since)) >= 1
    (error, *_) = until(lambda: last_errors(harness, entries))
    assert (error["class"], error["code"]) == ("systemic", "unauthorized_client")
    assert not any(is_mailed(harness, each) for each in entries)
    harness.dock.sandbox("DELETE", "/sandbox/faults")
    ended = time.monotonic()
    until(harness.is_settled)

    after = harness.verdict()
    assert after.wrong == {}
    assert after.dead == before.dead
    report(
        f"revoked credential: POST took {median(usual) * 1000:.0f} ms before, "
        f"{median(revoked) * 1000:.0f} ms meanwhile (medians of 20); "
        f"the last mail arrived {time.monotonic() - ended:.1f} s after"
    )


def log(harness: Harness, number: int) -> dict[str, Any]:
    cents = time.time_ns() // 1_000_000 % 8_000_000 + 100 + number
    return harness.client.log(
        event_id="sunset-charter",
        patron_email="jane.doe@example.com",
        amount=f"{cents // 100}.{cents % 100:02d}",
        method="cash",
    )


def seconds_to_log(harness: Harness, number: int) -> float:
    began = time.monotonic()
    log(harness, number)
    return time.monotonic() - began


def last_errors(harness: Harness, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The states in AuditDeliveries; entries that were not tried yet have none."""
    deliveries = [delivery_of(harness, each["payment_id"]) for each in entries]
    return [each["last_error"] for each in deliveries if "last_error" in each]


def is_mailed(harness: Harness, entry: dict[str, Any]) -> bool:
    mails = harness.inbox.read()
    return entry["payment_id"] in {each["headers"]["X-SCC-Payment-Id"] for each in mails}


def tries(harness: Harness, entry: dict[str, Any]) -> int:
    return int(delivery_of(harness, entry["payment_id"]).get("attempts", 0))


def delivery_of(harness: Harness, payment_id: str) -> dict[str, Any]:
    answer = harness.stack.aws.client("dynamodb").get_item(
        TableName=harness.stack.outputs["DeliveriesTableName"],
        Key=to_attributes({"payment_id": payment_id}),
    )
    return from_attributes(answer.get("Item", {}))


def credential_failures(harness: Harness, since: int) -> int:
    """Sum the metric that the alarm watches, from the mailer's log lines (EMF)."""
    events = harness.stack.aws.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{harness.stack.outputs['MailerFunctionName']}",
        startTime=since,
        filterPattern="CredentialFailures",
    )["events"]
    lines = [each["message"] for each in events if each["message"].startswith('{"_aws"')]
    return int(sum(sum(json.loads(line)["CredentialFailures"]) for line in lines))
