"""Who looks: every check that people and schedules have, asked after an attack."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.ledger import business_day
from shared.statements.places import SO_FAR
from tests.attacks.scene import Scene
from tests.builders import ZONE
from tests.shells import Scc

OFFLINE = Path(__file__).parents[2] / "ops" / "verify_mbox.py"


STREAM, STATEMENT, WATCH = "alarm ledger-tampered", "daily statement", "mailbox watch"
BY_ITSELF = {STREAM: "at once", WATCH: "within the hour", STATEMENT: "within a day"}
BY_HAND = ("scc verify", "scc verify --mbox", "scc reconcile --mailbox", "verify_mbox.py")
CHECKS = (WATCH, STATEMENT, *BY_HAND)
QUIET_SECONDS = 2.0  # the stream tells within a second or two


@dataclass(frozen=True, slots=True)
class Checks:
    """scc: runs it in this process, for the attacked stack. chosen: those of CHECKS to ask."""

    scc: Scc
    scene: Scene
    chosen: Collection[str]

    def all(self) -> dict[str, Callable[[], int]]:
        """Each check but the stream's, by its name; it returns how many findings it has."""
        export = str(self.scene.export)
        return {
            WATCH: self._watched,
            STATEMENT: self._stated,
            "scc verify": lambda: self._scc("verify"),
            "scc verify --mbox": lambda: self._scc("verify", "--mbox", export),
            "scc reconcile --mailbox": lambda: self._scc("reconcile", "--mailbox"),
            "verify_mbox.py": self._offline,
        }

    def found(self) -> dict[str, int]:
        """How many findings the stream's alarm and each chosen check have, in this order."""
        return {name: count for name, count, _ in self.told()}

    def told(self) -> Iterator[tuple[str, int, float]]:
        """The same, each with the seconds since the beginning."""
        began = time.monotonic()
        looks = {STREAM: self.told_by_the_stream} | self.all()
        for name, look in looks.items():
            if name == STREAM or name in self.chosen:
                count = look()
                yield name, count, time.monotonic() - began

    def told_by_the_stream(self) -> int:
        """How many changes of rows the router has kept, once no more come."""
        stack = self.scene.voyage.dock.stack
        client, bucket = stack.aws.client("s3"), stack.outputs["FailuresBucketName"]

        def kept() -> int:
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix="tampered/"
            )
            return sum(page["KeyCount"] for page in pages)

        before = -1
        while before != (now := kept()):
            before = now
            time.sleep(QUIET_SECONDS)
        return before

    def _watched(self) -> int:
        return sum(self._invoke("WatchFunctionName", {})["found"].values())

    def _stated(self) -> int:
        """As the next statement will say; one that is refused is an alarm, too."""
        stack = self.scene.voyage.dock.stack
        today = business_day(time.time_ns() // 1_000_000, ZONE)
        outcome = self._invoke("StatementFunctionName", {"day": today})["statements"]
        if outcome.get(today) != "so_far":
            return 1
        client, bucket = stack.aws.client("s3"), stack.outputs["EvidenceBucketName"]
        listed = client.list_objects_v2(Bucket=bucket, Prefix=SO_FAR)["Contents"]
        keys = [each["Key"] for each in listed if each["Key"].endswith(".json")]
        made = [json.load(client.get_object(Bucket=bucket, Key=each)["Body"]) for each in keys]
        record = max(made, key=lambda each: each["made_at"])
        found: int = len(record["extends"]["rewritten"]) + record["malformed_rows"]
        found += len(record["evidence"])
        return found + sum(map(_findings_of, record["events"]))

    def _invoke(self, output: str, event: dict[str, Any]) -> dict[str, Any]:
        stack = self.scene.voyage.dock.stack
        answer = stack.aws.client("lambda").invoke(
            FunctionName=stack.outputs[output], Payload=json.dumps(event)
        )
        told: dict[str, Any] = json.load(answer["Payload"])
        return told

    def _scc(self, *arguments: str) -> int:
        done = self.scc(*arguments, "--json")
        return _count(done.returncode, done.stdout, done.stderr)

    def _offline(self) -> int:
        command = [sys.executable, str(OFFLINE), str(self.scene.export), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return _count(done.returncode, done.stdout, done.stderr)


def _findings_of(event: dict[str, Any]) -> int:
    """event: of a statement's record."""
    lists = (event[each] for each in ("missing", "altered", "unlinked", "impossible"))
    return sum(map(len, lists)) + bool(event["totals_differ"]) + (not event["head_hash"])


def _count(code: int, text: str, complaint: str) -> int:
    if code == 2:  # it refuses to go on, and names the page that says why
        assert "docs/runbook.md#" in complaint, complaint
        return 1
    assert code in (0, 1), complaint
    found = len(json.loads(text)["findings"])
    assert (code == 1) is (found > 0), text
    return found
