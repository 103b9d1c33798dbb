"""Who looks: every check that people and schedules have, asked after an attack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.scene import Scene
from tests.shells import Scc

OFFLINE = Path(__file__).parents[2] / "ops" / "verify_mbox.py"


@dataclass(frozen=True, slots=True)
class Checks:
    """scc: runs it in this process, for the attacked stack."""

    scc: Scc
    scene: Scene

    def all(self) -> dict[str, Callable[[], int]]:
        """Each check by its name; it returns how many findings it has."""
        event = self.scene.voyage.event_id
        export = str(self.scene.export)
        return {
            "scc verify": lambda: self._scc("verify"),
            "scc verify --mbox": lambda: self._scc("verify", "--mbox", export),
            "scc reconcile --mailbox": lambda: self._scc(
                "reconcile", "--event", event, "--mailbox"
            ),
            "verify_mbox.py": self._offline,
        }

    def that_find(self) -> Iterator[str]:
        """The names of the checks that find something."""
        yield from (name for name, look in self.all().items() if look())

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
