"""Mails: a batch of ten with a slow Gmail, and our own cost per mail with an instant one."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from benchmarks.rig import world
from benchmarks.rig.endpoint import Endpoint
from benchmarks.rig.turns import take_turns
from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.process import GmailSandbox
from shared.ledger import LedgerEntry

BATCHES, SIZE, GMAIL_MS = 9, 10, 150
OVERHEAD_CALLS = 200
FLAGS = ["--units-per-minute", "100000000", "--sends-per-day", "100000000"]


def measure(say: Say) -> list[Result]:
    return [
        *_batches(say, "send"),
        *_batches(say, "import"),
        *_overhead(say),
    ]


def _batches(say: Say, method: str) -> list[Result]:
    say(f"{BATCHES} batches of {SIZE} by {method}, {GMAIL_MS} ms a call of Gmail")
    with Endpoint() as endpoint, GmailSandbox.start(flags=FLAGS) as gmail:
        gmail.post_fault({"kind": "latency", "ms": GMAIL_MS})
        events = [_event(endpoint, SIZE) for _ in range(2 + BATCHES)]
        runs = take_turns(
            "mail_batch",
            "audit_mailer",
            _environment(endpoint, gmail, method),
            warm=events[:2],
            events=events[2:],
        )
        mails = [each["headers"].get("X-SCC-Payment-Id") for each in gmail.messages()]
    ours = [json.loads(each["body"])["payment_id"] for one in events for each in _records(one)]
    return [
        Result(
            row=f"batch of ten mails, {method}",
            unit="ms",
            ours=runs["batch"].wall,
            baseline=runs["one_after_another"].wall,
            baseline_is="one after another",
            goal=Goal("speedup", "≥", 4),
            note=f"{GMAIL_MS} ms a call of Gmail",
        ),
        Result(
            row=f"batch of ten mails, {method}: lost or duplicate",
            unit="",
            ours=[amiss(ours, mails)],
            goal=Goal("value", "≤", 0),
            note=f"of {len(ours)}",
        ),
    ]


def amiss(wanted: Iterable[str], mails: Iterable[str]) -> int:
    """How many of these payments have no mail, plus how many mails are duplicates."""
    found = Counter(mails)
    return sum(abs(found[each] - 1) for each in wanted)


def _overhead(say: Say) -> list[Result]:
    results = []
    for size in (SIZE, 1):
        say(f"{OVERHEAD_CALLS} batches of {size}, Gmail answers at once")
        with Endpoint() as endpoint:
            events = [_event(endpoint, size) for _ in range(20 + OVERHEAD_CALLS)]
            runs = take_turns(
                "mail_batch",
                "audit_mailer",
                world.environment(endpoint, GMAIL_DELIVERY_METHOD="send"),
                warm=events[:20],
                events=events[20:],
            )
        sides = {"whole mail, in a batch of ten": "batch"}
        if size == 1:
            sides = {"whole mail, alone": "batch", "request to Gmail": "adapter"}
        results += [
            Result(
                row=f"overhead of a {what}",
                unit="ms",
                ours=[each / size for each in runs[side].wall],
                baseline=[each / size for each in runs["one_after_another"].wall],
                baseline_is="http.client",
                goal=Goal("difference", "≤", 6),
            )
            for what, side in sides.items()
        ]
    return results


def _event(endpoint: Endpoint, size: int) -> dict[str, Any]:
    """A batch for ours; requests for other payments for the baseline."""
    mails = [_raw(world.entry()) for _ in range(size)]
    return {
        "batch": world.mail_batch(endpoint, size),
        "mails": mails if size == 1 else [],
        "bodies": [json.dumps({"raw": each}) for each in mails],
    }


def _raw(entry: LedgerEntry) -> str:
    mail = compose(entry.to_row(), Addresses(world.AUDIT, world.AUDIT))
    return base64.urlsafe_b64encode(mail.content).decode()


def _records(event: dict[str, Any]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = event["batch"]["Records"]
    return records


def _environment(endpoint: Endpoint, gmail: GmailSandbox, method: str) -> dict[str, str]:
    key = json.dumps(gmail.service_account_info)
    return world.environment(
        endpoint,
        GMAIL_SERVICE_ACCOUNT_KEY=base64.b64encode(key.encode()).decode(),
        GMAIL_API_ENDPOINT=f"{gmail.url}/",
        GMAIL_DELIVERY_METHOD=method,
    )
