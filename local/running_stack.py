"""A whole stack for tests and benchmarks, as a child process on its own ports."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from local.engine.aws import LocalAws
from local.processes import Child, ChildFailedError, clean_environment, start, wait_until
from local.settings import Settings, free_port

READY_SECONDS = 300.0
STOP_SECONDS = 60.0


class RunningStack:
    """`python -m local` with its own folder and ports.

    `with RunningStack.temporary() as stack:` starts one, and removes it with its data at the end.
    It ends with the thread that started it (PR_SET_PDEATHSIG), so start it from one that stays.
    `RunningStack.running(state)` uses one that someone else started and will stop.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._child: Child | None = None
        self._is_temporary = False

    @classmethod
    def temporary(cls, **environment: str) -> RunningStack:
        """Return a stack, not started yet, with free ports and an empty folder.

        environment: further settings, such as SCC_MAIL_METHOD="import".
        """
        stack = cls(
            Settings.from_environment(
                {
                    "SCC_PORT": str(free_port()),
                    "SCC_MAIL_PORT": str(free_port()),
                    "SCC_AWS_PORT": str(free_port()),
                    "SCC_STATE": tempfile.mkdtemp(prefix="scc-stack-"),
                }
                | environment
            )
        )
        stack._is_temporary = True
        return stack

    @classmethod
    def running(cls, state: Path) -> RunningStack:
        """Return the ready stack whose state is in the folder `state`."""
        file = state / "stack.json"
        if not file.exists():
            raise ChildFailedError(f"{file} does not exist: no stack is running with that state.")
        ports = json.loads(file.read_text("utf-8"))["ports"]
        return cls(
            Settings.from_environment(
                {
                    "SCC_PORT": str(ports["app"]),
                    "SCC_MAIL_PORT": str(ports["mail"]),
                    "SCC_AWS_PORT": str(ports["aws"]),
                    "SCC_STATE": str(state),
                    "SCC_DEMO_PASSWORD": os.environ.get("SCC_DEMO_PASSWORD", ""),
                }
            )
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._is_temporary:
            shutil.rmtree(self.settings.state, ignore_errors=True)

    @property
    def url(self) -> str:
        return self.settings.url

    @property
    def mail_url(self) -> str:
        return self.settings.mail_url

    @cached_property
    def aws(self) -> LocalAws:
        return LocalAws(self.settings.engine_url)

    @property
    def info(self) -> dict[str, Any]:
        """What stack.json says: urls, ports, outputs, pids."""
        info: dict[str, Any] = json.loads(self.settings.stack_file.read_text("utf-8"))
        return info

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of template.yaml by name."""
        outputs: dict[str, str] = self.info["outputs"]
        return outputs

    def start(self) -> None:
        """Start, or start again with the same data; return when the stack is ready."""
        self.settings.stack_file.unlink(missing_ok=True)
        environment = clean_environment(
            SCC_PORT=str(self.settings.port),
            SCC_MAIL_PORT=str(self.settings.mail_port),
            SCC_AWS_PORT=str(self.settings.aws_port),
            SCC_STATE=str(self.settings.state),
            SCC_DEMO_PASSWORD=self.settings.demo_password,
            RESET="",
            PYTHONUNBUFFERED="1",
            **self.settings.mail.as_environment(),
        )
        child = start("stack", [sys.executable, "-m", "local"], environment, self.settings.logs)
        self._child = child
        try:
            ready = wait_until(self.settings.stack_file.exists, READY_SECONDS, child.refuse_death)
        except ChildFailedError:
            self._child = None
            raise
        if not ready:
            self.stop()
            raise ChildFailedError(f"The stack was not ready in time; see {child.log}.")

    @property
    def is_ours(self) -> bool:
        """Whether this object started the stack, and so may stop it."""
        return self._child is not None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop as Ctrl-C (SIGINT) or a service manager would; the data is kept."""
        if self._child is not None:
            self._child.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.process.wait(STOP_SECONDS)
            self._child.stop()
            self._child = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def workers(self, function: str) -> list[int]:
        """Return the ids of the processes in which the emulator is running a function (Linux)."""
        engine, wanted = self.info["pids"]["AWS emulator"], f"AWS_LAMBDA_FUNCTION_NAME={function}"
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):  # it has ended, or belongs to another user
                if folder.name.isdecimal() and _parent(folder) == engine:
                    variables = (folder / "environ").read_bytes().decode(errors="replace")
                    if wanted in variables.split("\0"):
                        found.append(int(folder.name))
        return found

    def kill_engine(self) -> None:
        """Kill the emulator before it can save. The stack then ends; start() brings it back.

        The emulator saves only when it is stopped, so everything since its last start is lost.
        """
        os.kill(self.info["pids"]["AWS emulator"], signal.SIGKILL)
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.process.wait(STOP_SECONDS)
            self.stop()

    def output(self) -> str:
        """Return what the stack printed."""
        return (self.settings.logs / "stack.log").read_text("utf-8")


def _parent(process: Path) -> int:
    """proc(5): the parent is the second field after the command, which may hold anything."""
    return int((process / "stat").read_text("utf-8").rsplit(")", 1)[1].split()[1])
