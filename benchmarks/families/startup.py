"""`make run` from a fresh clone, and once more on top of that."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from local.processes import wait_until
from local.settings import REPOSITORY, free_port

PATIENCE = 300.0
READY = "is ready after"
SHOWN = 1.0  # seconds; shorter phases get no row


def measure(say: Say) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="scc-startup-") as folder:
        clone = Path(folder) / "scc"
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
        ports = {name: str(free_port()) for name in ("SCC_PORT", "SCC_MAIL_PORT", "SCC_AWS_PORT")}
        say("make run in a fresh clone")
        cold = _phases_to_ready(clone, ports)
        say("and again")
        warm = _phases_to_ready(clone, ports)
    return [
        row
        for name, phases, limit in (("fresh clone", cold, 120), ("again", warm, 30))
        for row in _rows(f"make run, {name}", phases, limit)
    ]


def _rows(row: str, phases: dict[str, float], limit: float) -> list[Result]:
    total = Result(row=row, unit="s", ours=[sum(phases.values())], goal=Goal("value", "≤", limit))
    shown = [(name, each) for name, each in phases.items() if each >= SHOWN]
    return [total, *(Result(row=f"{row}: {name}", unit="s", ours=[each]) for name, each in shown)]


def phases_of(log: str, total: float) -> dict[str, float]:
    """Seconds for each step that `make run` prints; the rest of the total is make's own work."""
    said = re.findall(r"^  (\S.*?) {2,}([\d.]+) s\b", log, re.MULTILINE)
    phases = {name: float(seconds) for name, seconds in said}
    return {"packages and tools": total - sum(phases.values()), **phases}


def _phases_to_ready(clone: Path, ports: dict[str, str]) -> dict[str, float]:
    """From the command until the app answers. Packages may come from the cache."""
    kept = {each: os.environ[each] for each in os.environ if not re.match("SCC_|VIRTUAL", each)}
    began = time.monotonic()
    with (clone / "run.log").open("w") as log:
        running = subprocess.Popen(
            ["make", "run"], cwd=clone, env=kept | ports, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        output = clone / "run.log"
        try:
            if not wait_until(
                lambda: READY in output.read_text() or running.poll() is not None, PATIENCE
            ):
                raise RuntimeError(f"make run was not ready after {PATIENCE:.0f} s")
            if READY not in output.read_text():
                raise RuntimeError(output.read_text()[-2000:])
            return phases_of(output.read_text(), time.monotonic() - began)
        finally:
            os.killpg(running.pid, signal.SIGINT)
            running.wait(60)
