"""One order of regions, however a command is started."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from ops.cli import scc
from ops.errors import OpsError
from ops.region import region_of
from ops.samconfig import settings_of
from ops.target import Target, choose
from release.deployment.deploy import Deployment
from release.stages import STAGES, Stage
from release.transform import REGION
from tests.ops.test_cli import MINIMAL, commands
from tests.shells import environment

ROOT = Path(__file__).parents[2]
SHELL = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
STRANGER = "not-in-samconfig"


@pytest.mark.parametrize(
    ("stack", "given", "environ", "region"),
    [
        ("shipcaptaincrew", "ap-south-1", SHELL, "ap-south-1"),
        ("shipcaptaincrew", None, SHELL, "us-east-1"),
        ("shipcaptaincrew-staging", None, SHELL, "us-east-1"),
        ("shipcaptaincrew-local", None, SHELL, "us-east-1"),
        (STRANGER, "ap-south-1", SHELL, "ap-south-1"),
        (STRANGER, None, SHELL, "eu-west-1"),
        (STRANGER, None, {"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        (STRANGER, None, {"AWS_REGION": ""}, "us-west-2"),
    ],
)
def test_the_option_is_first_then_samconfig_then_the_shell(
    stack: str, given: str | None, environ: dict[str, str], region: str
) -> None:
    assert region_of(stack, given, environ, "us-west-2") == region


def test_a_stack_that_is_deployed_to_two_regions_is_the_shells_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/operations.md describes a second installation."""
    text = (ROOT / "samconfig.toml").read_text()
    west = text[text.index("[prod.deploy.parameters]") :].replace("us-east-1", "us-west-2")
    file = tmp_path / "samconfig.toml"
    file.write_text(text + west.replace("[prod.", "[west."))
    monkeypatch.setattr("ops.samconfig.SAMCONFIG", file)
    assert choose({}, {"AWS_REGION": "us-west-2"}).region == "us-west-2"
    assert choose({}, {}).region == "us-east-1"
    assert choose({"region": "us-west-2"}, {"AWS_REGION": "us-east-1"}).region == "us-west-2"


@pytest.mark.parametrize(
    "path", [path for path, command in commands() if not isinstance(command, click.Group)]
)
def test_no_command_follows_the_shell_to_another_region(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(target: Target, _: Mapping[str, Any]) -> None:
        raise OpsError(f"region={target.region}")

    monkeypatch.setattr("ops.session.session_for", show)
    monkeypatch.setattr("release.stages.session_for", show)
    arguments = [*path.split()[1:], *MINIMAL.get(path, [])]
    answer = CliRunner().invoke(scc, arguments, env=SHELL)
    assert "region=us-east-1" in answer.output


@pytest.mark.parametrize("target", ["deploy", "smoke", "gmail-key", "roster"])
def test_make_leaves_the_region_to_scc(target: str) -> None:
    answer = subprocess.run(
        ["make", "--old-file=install", "--dry-run", target, "STAGE=staging", "FILE=key.json"],
        cwd=ROOT,
        env=environment(MAKEFLAGS="", **SHELL),
        capture_output=True,
        text=True,
        check=True,
    )
    (command,) = [each for each in answer.stdout.splitlines() if "ops.cli" in each]
    assert f'ops.cli release {target} --stage "staging"' in command
    assert "region" not in command.lower()


def test_what_a_deployment_starts_is_told_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value)
    told = tmp_path / "told"
    stage = Stage.chosen("staging", {}, SHELL)
    code = 'printf "%s %s" "$AWS_REGION" "$AWS_DEFAULT_REGION" >"$0"'
    Deployment(stage, tmp_path)._step("failed", "sh", "-c", code, str(told))
    assert told.read_text() == "us-east-1 us-east-1"


def test_the_region_is_the_same_wherever_it_must_be_written_again() -> None:
    regions = {settings_of(each).region for each in STAGES}
    workflow = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert regions == {REGION} == set(re.findall(r"aws-region: (\S+)", workflow))
