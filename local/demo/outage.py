"""`make demo-outage`: Gmail breaks, payments go on, and `scc` explains, mends and proves it.

Takes about two minutes, on a stack of its own. At a terminal every chapter waits for Enter. Exits
with 1 when the show did not end as it should.
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
# What Gmail says of a mail that it will never take: no retry can help.
REFUSED = [{"kind": "status", "code": 400, "message": "Invalid From header", "reason": "failed"}]


class ShowError(Exception):
    """Something did not go as the show tells it."""


class Show:
    """The dock, the outage and the operator, one after the other."""

    def __init__(self, stack: RunningStack, event_id: str = "sunset-charter") -> None:
        self._stack = stack
        self._event_id = event_id
        self._cookie = ""
        self._chapters = 0

    def run(self) -> None:
        self._sandbox("DELETE", "/sandbox/faults")
        self._sign_in()
        self._chapter("A calm evening: a payment, and its mail")
        (first,) = self._log(1)
        self._await(f"the mail of {first}", lambda: self._mailed([first]))

        self._chapter("Gmail is down. The dock does not notice")
        self._sandbox("POST", "/sandbox/faults", DOWN)
        waiting = self._log(2)
        self._scc("status", expect=(0, 1))
        self._say("Nobody does anything. Gmail comes back, and the mails arrive by themselves.")
        self._sandbox("DELETE", "/sandbox/faults")
        self._await("their mails", lambda: self._mailed(waiting))

        self._chapter("Worse: Gmail refuses our mails for good. They come to rest")
        self._sandbox("POST", "/sandbox/faults", REFUSED)
        refused = self._log(3)
        self._await("three dead letters", lambda: self._dead_letters() == 3)
        self._scc("status", expect=(1,))
        self._scc("dlq", "groups", expect=(1,))
        self._scc("payment", refused[0], expect=(1,))

        self._chapter("What would a replay do? And what does one message say, while it is broken?")
        self._scc("dlq", "replay", "--all", "--dry-run", expect=(0,))
        self._scc("dlq", "replay", "--all", "--yes", "--reason", "too early", expect=(1,))
        self._say("The first died again, so the others were not touched. The two mails about this")
        self._say("replay itself, to compliance, lie with them now.")

        self._chapter("The cause is mended: replay, at five a second")
        self._sandbox("DELETE", "/sandbox/faults")
        replay = ("dlq", "replay", "--all", "--yes", "--rate", "5", "--reason", "From is right now")
        self._scc(*replay, expect=(0,))
        self._await("every mail", lambda: self._mailed([first, *waiting, *refused]))

        self._chapter("Proof: ledger and mailbox agree")
        self._scc("reconcile", "--event", self._event_id, "--mailbox", expect=(0,))
        self._scc("dlq", "ls", expect=(0,))
        self._say("Six payments, six mails, and a record of who replayed what in the same inbox.")

    # ── what is said

    def _chapter(self, title: str) -> None:
        self._chapters += 1
        if self._chapters > 1 and sys.stdin.isatty() and sys.stdout.isatty():
            with contextlib.suppress(EOFError):
                input("\n  Enter goes on ")
        print(f"\n── {self._chapters}. {title}", flush=True)

    def _say(self, text: str) -> None:
        print(f"   {text}", flush=True)

    def _await(self, what: str, is_there: Any) -> None:
        began = time.monotonic()
        if not wait_until(is_there, PATIENCE_SECONDS):
            raise ShowError(f"{what}: not there after {PATIENCE_SECONDS:.0f} s")
        self._say(f"{what}: there after {time.monotonic() - began:.1f} s")

    # ── what is done

    def _scc(self, *arguments: str, expect: tuple[int, ...]) -> None:
        print(f"\n   $ scc {' '.join(arguments)}", flush=True)
        command = [str(ROOT / "ops" / "scc"), *arguments]
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = theirs | {"AWS_ENDPOINT_URL": self._stack.settings.engine_url}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
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
        """Log payments as the app does; returns their ids."""
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
                f"#{entry['seq']:06d} ${entry['amount']} of {patron}, logged in {took:.0f} ms"
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
    print("Starting a stack for the show (half a minute or so).", flush=True)
    with RunningStack.temporary() as stack:
        try:
            Show(stack).run()
        except ShowError as error:
            sys.exit(f"The show stopped: {error}.")
    print("\nThat was it. docs/runbook.md has the rest.")


if __name__ == "__main__":
    main()
