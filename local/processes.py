"""Child processes of a local stack: started in order, watched, stopped in reverse order."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.settings import REPOSITORY

LOG_TAIL_LINES = 15
STOP_PATIENCE_SECONDS = 20.0
OURS_ALONE = ("AWS_", "BOTO_", "PYTHON", "VIRTUAL_ENV", "SAM_CLI_", "UV_PROJECT")


class ChildFailedError(Exception):
    """A process or command of the stack failed; the message ends with the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A started process and its log file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def refuse_death(self) -> None:
        """Raise with the end of the log if the process ended on its own."""
        code = self.process.poll()
        if code is not None:
            raise _failure(f"The {self.name} stopped unexpectedly ({_ending(code)})", self.log)

    def finish(self) -> None:
        """Wait for a command to end; raise with the end of the log if it failed."""
        code = self.process.wait()
        if code != 0:
            raise _failure(f"The {self.name} failed ({_ending(code)})", self.log)

    def stop(self, patience: float = STOP_PATIENCE_SECONDS) -> None:
        """Ask the process to stop, give it `patience` seconds to save its state, then kill it."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        # The processes it started (function workers) are in its process group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


def clean_environment(**more: str) -> dict[str, str]:
    """Return this environment without the developer's own AWS and Python settings, plus `more`.

    A stack must behave the same on every machine: no profile, endpoint or PYTHONPATH of the shell
    may reach the emulator or the functions that it runs.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS_ALONE)}
    return kept | more


def start(name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> Child:
    """Start a process in its own group: Ctrl-C then reaches only us, and we stop the process."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name.replace(' ', '-')}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_tied_to_us(), *command],
            cwd=REPOSITORY,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log)


def run(name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> None:
    """Run a command, with its output in the log, and wait for it; raise if it fails."""
    child = start(name, command, environment, logs)
    try:
        child.finish()
    finally:
        child.stop(patience=2)


def wait_until_answering(child: Child, url: str, seconds: float) -> None:
    """Poll `url` until it answers successfully. Raise if the child dies or time runs out."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    if not wait_until(answers, seconds, child.refuse_death):
        raise _failure(
            f"The {child.name} did not answer at {url} within {seconds:.0f} s", child.log
        )


def wait_until(
    condition: Callable[[], bool], seconds: float, on_each_try: Callable[[], None] = lambda: None
) -> bool:
    """Poll until the condition holds; return False if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        on_each_try()
        if condition():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def _tied_to_us() -> list[str]:
    """On Linux, have the kernel send a child SIGTERM if we are killed and cannot stop it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _failure(what: str, log: Path) -> ChildFailedError:
    lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:] if log.exists() else []
    tail = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
    return ChildFailedError(f"{what}. The end of {log}:\n{tail}")


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
