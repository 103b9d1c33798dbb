"""Who looks: every check that people and schedules have, asked after an attack."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.scene import Scene
from tests.shells import Scc

OFFLINE = Path(__file__).parents[2] / "ops" / "verify_mbox.py"


STREAM = "alarm ledger-tampered"
CHECKS = ("scc verify", "scc verify --mbox", "scc reconcile --mailbox", "verify_mbox.py")
QUIET_SECONDS = 2.0  # the stream tells within a second or two


@dataclass(frozen=True, slots=True)
class Checks:
    """scc: runs it in this process, for the attacked stack. chosen: those of CHECKS to ask."""

    scc: Scc
    scene: Scene
    chosen: Collection[str]

    def all(self) -> dict[str, Callable[[], int]]:
        """Each check that somebody starts, by its name; it returns how many findings it has."""
        export = str(self.scene.export)
        return {
            "scc verify": lambda: self._scc("verify"),
            "scc verify --mbox": lambda: self._scc("verify", "--mbox", export),
            "scc reconcile --mailbox": lambda: self._scc("reconcile", "--mailbox"),
            "verify_mbox.py": self._offline,
        }

    def found(self) -> dict[str, int]:
        """How many findings each of the chosen checks has, and the stream's alarm."""
        counts = {name: look() for name, look in self.all().items() if name in self.chosen}
        return counts | {STREAM: self.told_by_the_stream()}

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

    def _scc(self, *arguments: str) -> int:
        done = self.scc(*arguments, "--json")
        return _count(done.returncode, done.stdout, done.stderr)

    def _offline(self) -> int:
        command = [sys.executable, str(OFFLINE), str(self.scene.export), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return _count(done.returncode, done.stdout, done.stderr)


def _count(code: int, text: str, complaint: str) -> int:
    assert code in (0, 1), complaint
    found = len(json.loads(text)["findings"])
    assert (code == 1) is (found > 0), text
    return found
