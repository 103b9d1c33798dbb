"""The sandbox as a separate process, for tests, benchmarks and the local run.

with GmailSandbox.start() as gmail:
    credentials = Credentials.from_service_account_info(gmail.service_account_info, ...)
    gmail.post_fault({"kind": "status", "code": 429, "times": 5})
    ...
    assert len(gmail.messages()) == 1
"""

import json
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.gmail_sandbox.accounts import new_service_account, write_service_account
from local.gmail_sandbox.mailbox.places import Place
from local.gmail_sandbox.quota import REQUESTS_AT_ONCE, SENDS_PER_DAY, UNITS_PER_MINUTE

REAL_QUOTA = [
    *("--units-per-minute", str(UNITS_PER_MINUTE)),
    *("--sends-per-day", str(SENDS_PER_DAY)),
    *("--requests-at-once", str(REQUESTS_AT_ONCE)),
]
"""Flags for `start`: what Gmail allows one user of a project made since May 2026."""
_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30
_STOP_SECONDS = 10


class SandboxStartError(Exception):
    """The sandbox did not start; the message is its output."""


class GmailSandbox:
    """A running sandbox, made by `start`. `restart` after `kill` loses nothing."""

    def __init__(self, port: int, state: Path, flags: list[str], *, owns_state: bool) -> None:
        self._port = port
        self._state = state
        self._flags = flags
        self._owns_state = owns_state
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @classmethod
    def start(
        cls, port: int = 0, state: Path | None = None, flags: list[str] | None = None
    ) -> Self:
        """Start one. `port` 0: a free port. `state` None: a temporary folder, removed by `stop`.

        `flags`: more command-line flags, such as ["--units-per-minute", "200"].
        Raises SandboxStartError.
        """
        folder = state or Path(tempfile.mkdtemp(prefix="gmail-sandbox-"))
        sandbox = cls(port, folder, flags or [], owns_state=state is None)
        if not sandbox.service_account_file.exists():
            info = new_service_account("http://localhost/token")
            write_service_account(sandbox.service_account_file, info)
        sandbox.restart()
        return sandbox

    @property
    def service_account_file(self) -> Path:
        return self._state / "service-account.json"

    @property
    def service_account_info(self) -> dict[str, Any]:
        """The key file's content; its `token_uri` points to this sandbox."""
        info: dict[str, Any] = json.loads(self.service_account_file.read_text(encoding="utf-8"))
        return info | {"token_uri": f"{self.url}/token"}

    def forget_key_for(self, info: dict[str, Any]) -> None:
        """Accept another key from now on, as if the old one was deleted in Google's console.

        Tokens made with the old key stay valid, as Google's do. Needs a `state` folder of yours.
        """
        self.stop()
        self.service_account_file.unlink()
        write_service_account(self.service_account_file, info)
        self.restart()

    def restart(self) -> None:
        """Start again with the same state and port; after `stop`, only if `state` was yours."""
        command = [sys.executable, "-m", "local.gmail_sandbox", "--port", str(self._port)]
        command += ["--state", str(self._state)]
        command += ["--service-account", str(self.service_account_file), *self._flags]
        errors = self._state / "stderr.log"
        with errors.open("w", encoding="utf-8") as stderr:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        line = _first_line(self._process)
        if "ready on" not in line:
            self.kill()
            raise SandboxStartError(errors.read_text(encoding="utf-8").strip() or "no answer")
        self.url = line.split()[-1]
        self._port = int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        """Stop as Ctrl-C would, and remove a temporary state folder."""
        self._end(kill=False)
        if self._owns_state:
            shutil.rmtree(self._state, ignore_errors=True)

    def kill(self) -> None:
        """Kill it (SIGKILL); what it has answered is still there after `restart`."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def post_fault(self, *faults: dict[str, Any]) -> list[dict[str, Any]]:
        """Add faults, such as {"kind": "accept_then_drop", "times": 1}; return all active ones."""
        active: list[dict[str, Any]] = self.request("POST", "/sandbox/faults", list(faults))
        return active

    def clear_faults(self) -> None:
        self.request("DELETE", "/sandbox/faults")

    def messages(self, place: Place = "inbox") -> list[dict[str, Any]]:
        """Return the mails of a place, oldest first."""
        found: list[dict[str, Any]] = self.request("GET", f"/sandbox/messages?place={place}")
        return found

    def move(self, message_id: str, place: Place) -> None:
        """Move one mail, as its reader would."""
        self.request("POST", f"/sandbox/messages/{message_id}/move", {"to": place})

    def delete(self, message_id: str) -> None:
        """Delete one mail forever."""
        self.request("DELETE", f"/sandbox/messages/{message_id}")

    def clear_messages(self) -> None:
        self.request("DELETE", "/sandbox/messages")

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control interface; return the parsed JSON, or None for an empty answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _first_line(process: subprocess.Popen[str]) -> str:
    """Wait for the ready line; empty if the process ended or printed nothing in time."""
    assert process.stdout is not None
    deadline = time.monotonic() + _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if selector.select(timeout=0.5):
                return process.stdout.readline()
    return ""
