"""Every command in the runbook, run as written against the deployed stack."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.running_stack import RunningStack
from shared.ledger import business_day
from tests.builders import ZONE
from tests.dock import Dock, until
from tests.ops.conftest import DeadLetters
from tests.ops.voyage import Voyage, set_sail
from tests.shells import Scc, environment
from tests.suites import LONG

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
COMMANDS = list(dict.fromkeys(line for block in BLOCKS for line in block.splitlines()))


@dataclass
class Scene:
    """A mail that Gmail refused and an invalid message, both in the dead-letter queue."""

    dead: DeadLetters
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def set(self) -> None:
        dock, before = self.dead.dock, self.dead.depth().waiting
        dock.await_mail(dock.logged()["payment_id"])
        dock.sandbox("POST", "/sandbox/faults", [{"kind": "status", "code": 400, "times": 1}])
        payment = dock.logged()["payment_id"]
        until(lambda: self.dead.depth().waiting > before)
        self.variables = {
            "PAYMENT_ID": payment,
            "POISON_ID": self.dead.put(f"nonsense {uuid.uuid4()}"),
            "LOST_ID": self._lost(),
            "EXPLAINED_ID": self._lost(),
            "EVENT_ID": "sunset-charter",
            "FUNCTION": "sweep",
            "REASON": "a drill",
            "TODAY": business_day(time.time_ns() // 1_000_000, ZONE),
            "EXPORTED_MBOX": str(Voyage(dock, "", []).export(self.folder / "export.mbox")),
            "EMAIL": f"leaving-{uuid.uuid4().hex[:8]}@example.com",
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }
        assert self.run("scc users add $EMAIL --name Leaving --group crew").returncode == 0

    def _lost(self) -> str:
        """A payment whose mail arrived and was deleted."""
        dock = self.dead.dock
        payment: str = dock.logged()["payment_id"]
        mail = dock.await_mail(payment)
        dock.sandbox("DELETE", f"/sandbox/messages/{mail['id']}")
        return payment

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run it in its own folder, where ops/ is found as in the repository."""
        with contextlib.suppress(FileExistsError):
            (self.folder / "ops").symlink_to(ROOT / "ops")
        return subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=environment(**self.dead.env, **self.variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )


def test_commands_in_the_text_are_in_a_block_too() -> None:
    for command in re.findall(r"`(scc [a-z -]+)`", RUNBOOK):
        assert any(f"{each} ".startswith(f"{command} ") for each in COMMANDS), command


@pytest.fixture(scope="module")
def scene(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    dead = DeadLetters(Dock(stack).sign_in())
    dead.clear()
    yield Scene(dead, tmp_path_factory.mktemp("runbook"))
    dead.clear()


@LONG
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_runbook_works_as_written(scene: Scene, command: str) -> None:
    if scene.dead.depth().total < 2:
        scene.set()
    answer = scene.run(command)
    assert answer.returncode in (0, 1), answer.stderr
    assert answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


@contextlib.contextmanager
def broken_version(stack: RunningStack, output: str) -> Iterator[None]:
    """A version whose handler does not exist serves, as after a deployment that should not be."""
    client, name = stack.aws.client("lambda"), stack.outputs[output]
    before = client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    handler = client.get_function_configuration(FunctionName=name)["Handler"]
    client.update_function_configuration(FunctionName=name, Handler="nowhere.lambda_handler")
    broken = client.publish_version(FunctionName=name)["Version"]
    client.update_function_configuration(FunctionName=name, Handler=handler)
    client.update_alias(FunctionName=name, Name="live", FunctionVersion=broken)
    try:
        yield
    finally:
        client.update_alias(FunctionName=name, Name="live", FunctionVersion=before)
        client.delete_function(FunctionName=name, Qualifier=broken)


def test_a_broken_version_is_rolled_back_with_the_runbooks_own_commands(
    stack: RunningStack, scc: Scc
) -> None:
    client, name = stack.aws.client("lambda"), stack.outputs["SweepFunctionName"]
    env = {"AWS_ENDPOINT_URL": stack.settings.engine_url}
    section = RUNBOOK.partition("#### Roll a release back\n")[2].partition("\n#### ")[0]
    written = "".join(re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
    commands = [each.replace("$FUNCTION", "sweep").split()[1:] for each in written.splitlines()]
    assert ["versions", "rollback", "--function", "sweep"] in commands

    def sweeps() -> bool:
        return "FunctionError" not in client.invoke(FunctionName=name, Qualifier="live")

    assert sweeps()
    with broken_version(stack, "SweepFunctionName"):
        assert not sweeps()
        doctor = json.loads(scc("doctor", "--json", env=env).stdout)
        (told,) = [each for each in doctor if each["name"] == "versions"]
        assert "sweep: version" in told["detail"]
        assert "#roll-a-release-back" in told["remedy"]
        for command in commands:
            done = scc(*command, env=env)
            assert done.returncode == 0, done.stderr
        assert sweeps()


@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_row_is_put_back_with_what_the_router_kept(
    stack: RunningStack, scc: Scc, tmp_path: Path, *, is_deleted: bool
) -> None:
    """With the runbook's own line between `aws s3 cp` and `aws dynamodb put-item`."""
    voyage = set_sail(Dock(stack).sign_in(), 1)
    row, s3 = voyage.row(1), stack.aws.client("s3")
    bucket = stack.outputs["FailuresBucketName"]

    def kept() -> bytes | None:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="tampered/")
        for page in pages:
            for each in page.get("Contents", ()):
                body: bytes = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                if row["payment_id"].encode() in body:
                    return body
        return None

    if is_deleted:
        voyage.delete(row)
    else:
        voyage.put(row | {"amount_cents": 1})
    (tmp_path / "kept.json").write_bytes(until(kept))
    (line,) = re.findall(r"^python3 -c .*OldImage.*$", RUNBOOK, re.MULTILINE)
    subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, check=True)
    voyage.dynamodb.put_item(
        TableName=voyage.table("Payments"), Item=json.loads((tmp_path / "row.json").read_text())
    )
    assert voyage.row(1) == row
    env = {"AWS_ENDPOINT_URL": stack.settings.engine_url}
    assert scc("verify", "--event", voyage.event_id, env=env).returncode == 0
