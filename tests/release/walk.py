"""An account with nothing in it, and a clone of this repository to deploy it from."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.engine import ministack as engine
from local.engine.aws import LocalAws
from local.gmail_sandbox.process import GmailSandbox
from local.settings import Settings, free_port
from tests.shells import environment

ROOT = Path(__file__).resolve().parents[2]
WALK = ROOT / "docs" / "deploy.md"
AUTHOR = ("-c", "user.name=walker", "-c", "user.email=walker@example.com")
# Waits that are minutes in production are seconds here; the code is the same.
HASTE = "RetryCapSeconds=5 GmailSearchSettleSeconds=2"


def blocks() -> list[str]:
    """The walk's shell blocks in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", WALK.read_text(), re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Account:
    """endpoint: the emulator's. clone: the files of this repository as they are now, committed."""

    endpoint: str
    sandbox: GmailSandbox
    clone: Path

    @property
    def aws(self) -> LocalAws:
        return LocalAws(self.endpoint)

    @property
    def environment(self) -> dict[str, str]:
        """A shell's: no make above it, credentials, and the addresses of AWS and Google."""
        kept = {
            name: value
            for name, value in environment().items()
            if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "ARGS", "UV"}
        }
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SCC_EMULATOR_PARAMETERS": f"GmailApiEndpoint={self.sandbox.url}/ {HASTE}",
            "SAM_CLI_POLL_DELAY": "0.5",
            "SCC_STACK": "shipcaptaincrew-staging",
        }

    def shell(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run it in the clone, as at a prompt whose first failing command ends it."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.clone,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def commit(self, message: str) -> None:
        """Commit the changes, and record their tests as passed: they are running right now."""
        git(self.clone, "add", "--all")
        git(self.clone, *AUTHOR, "commit", "--quiet", "--allow-empty", "--message", message)
        subprocess.run(
            [sys.executable, "-m", "release.tested"],
            cwd=self.clone,
            check=True,
            capture_output=True,
        )

    def mails(self) -> list[dict[str, Any]]:
        """Those about payments."""
        return [each for each in self.sandbox.messages() if "X-SCC-Payment-Id" in each["headers"]]


@contextlib.contextmanager
def empty_account(folder: Path) -> Iterator[Account]:
    """An emulator and a Gmail sandbox of their own, and a clone with the sandbox's key in it."""
    settings = Settings.from_environment(
        {
            "SCC_PORT": str(free_port()),
            "SCC_MAIL_PORT": str(free_port()),
            "SCC_AWS_PORT": str(free_port()),
            "SCC_STATE": str(folder / "state"),
        }
    )
    with contextlib.ExitStack() as stack:
        emulator = engine.start_engine(settings)
        stack.callback(emulator.stop)
        # A state that outlives `stop`: a test gives it a different key and starts it again.
        sandbox = stack.enter_context(
            GmailSandbox.start(port=settings.mail_port, state=folder / "gmail")
        )
        engine.wait_for_engine(settings, emulator)
        account = Account(settings.engine_url, sandbox, clone_of(ROOT, folder / "clone"))
        put_key(account)
        yield account


def put_key(account: Account) -> None:
    """The sandbox's key as Google would issue it, where the walk says to save it."""
    text = json.dumps(account.sandbox.service_account_info, indent=2)
    (account.clone / "service-account.json").write_text(text)


def clone_of(repository: Path, clone: Path) -> Path:
    """A commit of the files as they are, and what `make install` brought, which git ignores."""
    listed = git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    git(clone.parent, "init", "--quiet", str(clone))
    for name in filter(None, listed.split("\0")):
        if (repository / name).is_file() and not name.startswith("docs/screens/"):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, clone / name)
    for name in (".venv", ".tools"):
        (clone / name).symlink_to(repository / name)
    (clone / ".git" / "info" / "exclude").write_text("/.venv\n/.tools\n")
    Account("", None, clone).commit("The files of the repository")  # type: ignore[arg-type]
    return clone


def git(folder: Path, *arguments: str) -> str:
    # Inside a hook or a rebase git points its children at the repository it works on.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=clean,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
