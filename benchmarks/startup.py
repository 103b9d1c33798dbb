"""`make run` from a fresh clone, and again on what it left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.families import Say
from benchmarks.result import Goal, Result
from local.processes import wait_until
from local.settings import REPOSITORY, free_port

PATIENCE = 300.0


def measure(say: Say) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="scc-startup-") as folder:
        clone = Path(folder) / "scc"
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
        say("make run in a fresh clone")
        cold = _seconds_to_ready(clone)
        say("and again")
        warm = _seconds_to_ready(clone)
    return [
        Result(row="make run, fresh clone", unit="s", ours=[cold], goal=Goal("value", "≤", 120)),
        Result(row="make run, again", unit="s", ours=[warm], goal=Goal("value", "≤", 30)),
    ]


def _seconds_to_ready(clone: Path) -> float:
    """From the command until the app answers; packages may be in the package manager's cache."""
    ports = {name: str(free_port()) for name in ("SCC_PORT", "SCC_MAIL_PORT", "SCC_AWS_PORT")}
    kept = {each: os.environ[each] for each in os.environ if not re.match("SCC_|VIRTUAL", each)}
    began = time.monotonic()
    with (clone / "run.log").open("w") as log:
        running = subprocess.Popen(
            ["make", "run"], cwd=clone, env=kept | ports, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        ready = clone / ".local" / "stack.json"
        try:
            if not wait_until(lambda: ready.exists() or running.poll() is not None, PATIENCE):
                raise RuntimeError(f"make run was not ready after {PATIENCE:.0f} s")
            if not ready.exists():
                raise RuntimeError((clone / "run.log").read_text()[-2000:])
            return time.monotonic() - began
        finally:
            os.killpg(running.pid, signal.SIGINT)
            running.wait(60)
            ready.unlink(missing_ok=True)
