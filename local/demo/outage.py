"""`make demo-outage`: Gmail breaks, payments continue, and `scc` explains, repairs and proves it.

It takes about two minutes, on its own stack. In a terminal, each chapter waits for Enter. Exits
with 1 if the show does not end as it should.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.processes import wait_until
from local.running_stack import RunningStack

ROOT = Path(__file__).resolve().parents[2]
PATRONS = ("jane.doe@example.com", "a.dubois@example.net", "bjork.s@example.org")
PATIENCE_SECONDS = 60.0
DOWN = [{"kind": "down"}]
# What Gmail answers when it will never accept a mail: no retry can help.
REFUSED = [{"kind": "status", "code": 400, "message": "Invalid From header", "reason": "failed"}]


class ShowError(Exception):
    """Something did not go as planned."""


class Show:
    """The dock, the outage and the operator, in turn."""

    def __init__(self, stack: RunningStack, event_id: str = "sunset-charter") -> None:
        self._stack = stack
        self._event_id = event_id
        self._cookie = ""
        self._chapters = 0

    def run(self) -> None:
        self._sandbox("DELETE", "/sandbox/faults")
        self._sign_in()
        self._chapter("A quiet evening: one payment, one mail")
        (first,) = self._log(1)
        self._await(f"the mail for {first}", lambda: self._mailed([first]))

        self._chapter("Gmail goes down. The dock does not notice")
        self._sandbox("POST", "/sandbox/faults", DOWN)
        waiting = self._log(2)
        self._scc("status", expect=(0, 1))
        self._say("Nobody does anything. Gmail comes back, and the mails arrive by themselves.")
        self._sandbox("DELETE", "/sandbox/faults")
        self._await("their mails", lambda: self._mailed(waiting))

        self._chapter(
            "Worse: Gmail refuses our mails for good. They end up in the dead-letter queue"
        )
        self._sandbox("POST", "/sandbox/faults", REFUSED)
        refused = self._log(3)
        self._await("three dead letters", lambda: self._dead_letters() == 3)
        self._scc("status", expect=(1,))
        self._scc("dlq", "groups", expect=(1,))
        self._scc("payment", refused[0], expect=(1,))

        self._chapter(
            "What would a replay do? And what happens if we replay before fixing the cause?"
        )
        self._scc("dlq", "replay", "--all", "--dry-run", expect=(0,))
        self._scc("dlq", "replay", "--all", "--yes", "--reason", "too early", expect=(1,))
        self._say(
            "The first one failed again, so scc did not touch the others. The two mails that tell"
        )
        self._say("compliance about this replay are in the dead-letter queue now, too.")

        self._chapter("The cause is fixed: replay, five a second")
        self._sandbox("DELETE", "/sandbox/faults")
        replay = ("dlq", "replay", "--all", "--yes", "--rate", "5", "--reason", "From header fixed")
        self._scc(*replay, expect=(0,))
        self._await("every mail", lambda: self._mailed([first, *waiting, *refused]))

        self._chapter("Proof: ledger and mailbox agree")
        self._scc("reconcile", "--event", self._event_id, "--mailbox", expect=(0,))
        self._scc("dlq", "ls", expect=(0,))
        self._say("Six payments, six mails, and a record of who replayed what in the same inbox.")

    # ── what the show says

    def _chapter(self, title: str) -> None:
        self._chapters += 1
        if self._chapters > 1 and sys.stdin.isatty() and sys.stdout.isatty():
            with contextlib.suppress(EOFError):
                input("\n  Press Enter to continue ")
        print(f"\n── {self._chapters}. {title}", flush=True)

    def _say(self, text: str) -> None:
        print(f"   {text}", flush=True)

    def _await(self, what: str, is_there: Any) -> None:
        began = time.monotonic()
        if not wait_until(is_there, PATIENCE_SECONDS):
            raise ShowError(f"{what} did not arrive within {PATIENCE_SECONDS:.0f} s")
        self._say(f"{what}: arrived after {time.monotonic() - began:.1f} s")

    # ── what the show does

    def _scc(self, *arguments: str, expect: tuple[int, ...]) -> None:
        print(f"\n   $ scc {' '.join(arguments)}", flush=True)
        command = [sys.executable, "-m", "ops.cli", *arguments]
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = theirs | {"AWS_ENDPOINT_URL": self._stack.settings.engine_url}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            print(f"     {line.rstrip()}", flush=True)
        if done.returncode not in expect:
            raise ShowError(f"scc {arguments[0]} exited with {done.returncode}")

    def _sign_in(self) -> None:
        credentials = {
            "email": "admin@shipcaptaincrew.example",
            "password": self._stack.settings.demo_password,
        }
        with self._call("POST", "/api/session", credentials) as answer:
            self._cookie = answer.headers["Set-Cookie"].split(";")[0]

    def _log(self, number: int) -> list[str]:
        """Log payments as the app does; return their ids."""
        found = []
        for patron in PATRONS[:number]:
            cents = uuid.uuid4().int % 90_000 + 10_000
            payment = {
                "event_id": self._event_id, "patron_email": patron, "method": "cash",
                "amount": f"{cents // 100}.{cents % 100:02d}",
            }  # fmt: skip
            began = time.monotonic()
            with self._call("POST", "/api/payments", payment) as answer:
                entry = json.load(answer)["payment"]
            took = (time.monotonic() - began) * 1000
            self._say(
                f"#{entry['seq']:06d} ${entry['amount']} from {patron}, logged in {took:.0f} ms"
            )
            found.append(str(entry["payment_id"]))
        return found

    @contextlib.contextmanager
    def _call(self, method: str, path: str, body: Any) -> Iterator[Any]:
        headers = {
            "Content-Type": "application/json",
            "Cookie": self._cookie,
            "Idempotency-Key": str(uuid.uuid4()),
        }
        request = urllib.request.Request(
            self._stack.url + path, json.dumps(body).encode(), headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            yield answer

    def _sandbox(self, method: str, path: str, body: Any = None) -> None:
        request = urllib.request.Request(
            self._stack.mail_url + path,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        urllib.request.urlopen(request, timeout=10).close()

    def _mailed(self, payment_ids: list[str]) -> bool:
        with urllib.request.urlopen(f"{self._stack.mail_url}/sandbox/messages") as answer:
            mails = [each["headers"].get("X-SCC-Payment-Id") for each in json.load(answer)]
        return all(mails.count(each) == 1 for each in payment_ids)

    def _dead_letters(self) -> int:
        answer = self._stack.aws.client("sqs").get_queue_attributes(
            QueueUrl=self._stack.outputs["DeadLetterQueueUrl"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def main() -> None:
    print("Starting a stack for the show. This takes about half a minute.", flush=True)
    with RunningStack.temporary() as stack:
        try:
            Show(stack).run()
        except ShowError as error:
            sys.exit(f"The show stopped: {error}.")
    print("\nThat is the whole show. docs/runbook.md has the rest.")


if __name__ == "__main__":
    main()
