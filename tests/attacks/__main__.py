"""`make attacks`: everything an insider can try on a deployed stack, and what names it.

Exit code 0: every attack is named, those on tables, mailbox and bucket by something that nobody has
to start. 1: one was missed, or a check shouts although nothing was done.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from local.running_stack import RunningStack
from tests.attacks.checks import BY_ITSELF, CHECKS, Checks
from tests.attacks.plan import EVERY
from tests.attacks.scene import Scene
from tests.attacks.table import Line, carried_out
from tests.dock import Dock, until
from tests.ops.voyage import set_sail
from tests.shells import Scc, scc_here

WIDTH = 58


def main() -> int:
    temporary = tempfile.TemporaryDirectory(prefix="scc-attacks-")
    with temporary as name, RunningStack.temporary() as stack:
        folder = Path(name)
        endpoint = ("--endpoint-url", stack.settings.engine_url)

        def scc(*given: str) -> subprocess.CompletedProcess[str]:
            return scc_here((*endpoint, *given), folder, {})

        dock = Dock(stack).sign_in()
        voyage = set_sail(dock)
        discard_something(dock, scc)
        deliver_nothing(stack)
        scene = Scene(voyage, voyage.export(folder / "export.mbox"))
        checks = Checks(scc, scene, CHECKS)
        shouting = [name for name, count in checks.found().items() if count]
        if shouting:
            print(f"before any attack, {', '.join(shouting)} found something", file=sys.stderr)
            return 1
        return show(carried_out(EVERY, checks))


def discard_something(dock: Dock, scc: Scc) -> None:
    """So that there is a record of what operators did, and its mail."""
    sqs, url = dock.stack.aws.client("sqs"), dock.stack.outputs["DeadLetterQueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody="no message of ours")
    done = scc("dlq", "discard", "--id", sent["MessageId"], "--reason", "a drill", "--yes")
    assert done.returncode == 0, done.stderr
    until(lambda: any("X-SCC-Ops-Id" in each["headers"] for each in dock.inbox()))
    until(dock.is_queue_empty)


def deliver_nothing(stack: RunningStack) -> None:
    """What an attack adds to the ledger must not be mailed: the next attack begins as this one."""
    client = stack.aws.client("lambda")
    found = client.list_event_source_mappings(FunctionName=stack.outputs["MailerFunctionName"])
    (mapping,) = found["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def show(lines: Iterable[Line]) -> int:
    missed = 0
    print(f"{'attack':<{WIDTH}}{'verdict':<8}{'seconds':>8}  {'by itself':<24}others")
    for line in lines:
        missed += line.verdict == "MISSED"
        seconds = f"{line.seconds:.1f}" if line.by_itself else ""
        others = ", ".join(each for each in line.named_by if each != line.by_itself)
        told = f"{line.verdict:<8}{seconds:>8}  {line.by_itself:<24}{others}"
        print(f"{line.attack.name:<{WIDTH}}{told}", flush=True)
    within = "; ".join(f"{name}: {each}" for name, each in BY_ITSELF.items())
    print(
        f"\nSeconds from the deed, with watch and statement started at once. By itself, {within}."
    )
    print(f"\n{missed} missed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
