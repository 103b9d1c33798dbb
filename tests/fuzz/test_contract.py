"""The running API matches its own document, for every caller and every request."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.running_stack import RunningStack
from release.openapi.operations import OPERATIONS, Operation
from tests.dock import Dock
from tests.suites import LONG, later

ROOT = Path(__file__).resolve().parents[2]
REFUSED_SOME = ("auditor", "crew", "nobody")
# The admin may make every call; what the others may not is in the role matrix, for every call, too.
THOROUGH = "admin, thoroughly"  # each field with each kind of wrong value
WHO = ("admin", *map(later, (THOROUGH, *REFUSED_SOME)))
EXAMPLES = 4  # per call; with SCC_FUZZ_SECONDS as many as fit, from another seed every time


@dataclass
class Run:
    exit_code: int
    folder: Path

    @property
    def report(self) -> str:
        return (self.folder / "report").read_text()

    def succeeded(self) -> set[str]:
        """The calls that were answered with success at least once, such as GET /api/events."""
        lines = (self.folder / "answers").read_text().splitlines()
        return {line.partition(" ")[2] for line in lines if line.startswith("2")}


@LONG
@pytest.mark.parametrize("who", WHO)
def test_the_api_matches_its_document(stack: RunningStack, tmp_path: Path, who: str) -> None:
    run = ask(stack, who, tmp_path)
    assert run.exit_code == 0, run.report
    allowed = {f"{each.method} {each.path}" for each in OPERATIONS if may(who, each)}
    read_at_its_start = {"GET /api/openapi.json"}
    assert run.succeeded() == allowed - read_at_its_start, "theirs and nothing else worked"


def may(who: str, operation: Operation) -> bool:
    who = who.partition(",")[0]
    if operation.name == "showPaymentByKey" and who != "admin":
        return False  # they have no payment of their own
    return (
        operation.is_public
        or operation.takes_nobody
        or (who in operation.who or ("signed-in" in operation.who and who != "nobody"))
    )


def ask(stack: RunningStack, who: str, folder: Path) -> Run:
    seconds = os.environ.get("SCC_FUZZ_SECONDS")
    budget = ["--max-time", seconds] if seconds else ["--generation-deterministic"]
    if who != THOROUGH and not seconds:
        budget += ["--phases", "examples,fuzzing"]
    who = who.partition(",")[0]
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
        *("run", f"{stack.url}/api/openapi.json", "--checks", "all", "--no-color"),
        *("--request-timeout", "60"),  # other tests run at the same time on few cores
        *("--max-examples", str(EXAMPLES), "--continue-on-failure", *budget),
    ]
    key = str(uuid.uuid4())
    payment = Dock(stack).sign_in().logged(key=key)["payment_id"]
    cookie = "nobody" if who == "nobody" else Dock(stack).sign_in(who).cookie.partition("=")[2]
    environment = os.environ | {
        "SCC_FUZZ_COOKIE": cookie,
        "SCC_FUZZ_PAYMENT": payment,
        "SCC_FUZZ_KEY": key,
        "SCC_FUZZ_ANSWERS": str(folder / "answers"),
    }
    with (folder / "report").open("w") as report:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=report, stderr=subprocess.STDOUT, check=False
        )
    return Run(done.returncode, folder)
