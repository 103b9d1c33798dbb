"""A working day on the deployed stack: what people do with mails leaves every check as it was."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.dock import until
from tests.ops.commands.test_proofs import send_again
from tests.ops.conftest import DeadLetters
from tests.ops.letters import numbered
from tests.ops.office import forward_attached, forward_inline, reply
from tests.ops.voyage import Voyage, set_sail
from tests.shells import Scc
from tests.suites import LONG

VERIFIER = Path(__file__).parents[3] / "ops" / "verify_mbox.py"
Findings = list[dict[str, Any]]


def findings(answer: subprocess.CompletedProcess[str]) -> Findings:
    assert answer.stdout, answer.stderr
    told: Findings = json.loads(answer.stdout)["findings"]
    return told


def checks(local: Scc, voyage: Voyage, folder: Path) -> dict[str, Findings]:
    """Everything that can be proved, of all events: other tests' findings are there, too."""
    export = voyage.export(folder / "export.mbox")
    takeout = folder / "takeout.zip"
    with zipfile.ZipFile(takeout, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(export, "Takeout/Mail/All mail Including Spam and Trash.mbox")
    alone = [sys.executable, "-I", "-S", str(VERIFIER), str(takeout), "--json"]
    return {
        "the offline verifier": findings(
            subprocess.run(alone, capture_output=True, text=True, check=False)
        ),
        "verify": findings(local("verify", "--json")),
        "verify --mbox": findings(local("verify", "--mbox", str(takeout), "--json")),
        "reconcile --mailbox": findings(local("reconcile", "--mailbox", "--json")),
    }


@LONG
def test_forwards_replies_and_operators_mails_change_no_verdict(
    local: Scc, dead: DeadLetters, tmp_path: Path
) -> None:
    voyage = set_sail(dead.dock, 3)
    before = checks(local, voyage, tmp_path)
    kept = voyage.mail(2)
    for made in (forward_inline(kept), forward_attached(kept), reply(kept)):
        send_again(voyage, made)
    (payment,) = dead.unmailed(1)
    local("dlq", "replay", "--id", payment, "--yes", "--rate", "20")
    dead.dock.await_mail(payment)
    poison = dead.put(numbered(1).to_json())
    answer = local(
        "dlq", "discard", "--id", poison, "--reason", "a drill", "--yes", "--json",
        "--export-to", str(tmp_path),
    )  # fmt: skip
    ops_id = json.loads(answer.stdout)["ops_id"]
    until(lambda: dead.mails_of_ops(ops_id))
    until(dead.dock.is_queue_empty)
    assert checks(local, voyage, tmp_path) == before
    for mine in ("verify", "reconcile"):
        answer = local(mine, "--event", voyage.event_id)
        assert answer.returncode == 0, answer.stdout
    answer = local("reconcile", "--event", voyage.event_id, "--mailbox")
    assert answer.returncode == 0, answer.stdout
