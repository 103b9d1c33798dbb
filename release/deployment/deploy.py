"""`scc release deploy`: deploy the current commit to a stage, after a look at the change set.

With AWS_ENDPOINT_URL=http://127.0.0.1:4566 it all happens in an emulator, as in the tests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ops.errors import FOUND, OpsError
from ops.shipped import repository
from ops.stack.platform import BucketPolicy, bucket_policies
from release.deployment.releases import release_of, with_release
from release.stages import Stage, pass_stage
from release.tested import SUITES, head, is_recorded, record, uncommitted

# What the emulator cannot do: TLS, ARM, signing for origin access control, CodeDeploy, snapshots.
EMULATOR = {
    "Stage": "local",
    "Architecture": "x86_64",
    "ApiUrlAuthType": "NONE",
    "ApiCanary": "false",
    "ApiSnapStart": "None",
}


class StepFailedError(OpsError):
    """A step failed and printed why; the message says what that leaves behind."""

    exit_code = FOUND


@click.command()
@pass_stage
@click.option("--confirm", default="", metavar="yes", help="Skip the prompt: `--confirm yes`.")
@click.argument("parameters", nargs=-1, metavar="[Name=value]...")
def deploy(stage: Stage, confirm: str, parameters: tuple[str, ...]) -> None:
    """Deploy the current commit: run its tests unless they passed, build, show the change set.

    Nothing changes until you say yes, at the prompt or with --confirm yes. Uncommitted files stop
    it. Parameters of template.yaml are needed once; later deployments keep them. Exit 1 when a step
    failed, 2 when nothing was changed.

    \b
    Examples:
      scc release deploy --stage staging
      scc release deploy --stage staging --confirm yes AlarmEmail=ops@example.com
    """
    try:
        Deployment(stage, repository()).run(confirm, parameters)
    except StepFailedError as error:
        raise StepFailedError(f"Not deployed: {error.message}") from error
    except OpsError as error:
        raise OpsError(f"Not deployed: {error.message}") from error
    policies = [each for each in bucket_policies(stage.aws) if not each.is_allowed]
    if stage.console.as_json:
        lacking = [{"bucket": each.bucket, "statement": each.statement} for each in policies]
        deployed = {"stack": stage.stack, "commit": head(repository())}
        stage.console.show(deployed | {"bucket_policies_lack": lacking})
    else:
        for each in policies:
            click.echo(words_about(each))


def words_about(policy: BucketPolicy) -> str:
    """What the owner of a bucket must do before anybody can open the app."""
    why = "Without this statement in its policy, CloudFront cannot read it:"
    lines = [
        f"The bucket {policy.bucket} is not the stack's. {why}",
        json.dumps(policy.statement, indent=2),
    ]
    if policy.command:
        lines += ["This command adds it to all that the policy says now:", f"  {policy.command}"]
    else:
        lines.append(f"What its policy says now could not be read: {policy.fault}.")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Deployment:
    """folder: the clone whose commit is deployed."""

    stage: Stage
    folder: Path

    def run(self, confirm: str, given: Sequence[str]) -> None:
        """Raises OpsError; StepFailedError after something may have changed."""
        stage = self.stage
        if confirm not in {"", "yes"}:
            raise OpsError(f"use CONFIRM=yes, not {confirm!r}, or leave it out to be asked.")
        parameters = chosen_parameters(stage, given, os.environ)
        who = stage.aws.caller
        refuse_uncommitted(self.folder)
        stage.console.say(
            f"{stage.name}: stack {stage.stack} in {stage.place}, "
            f"commit {head(self.folder)[:12]}, as {who}"
        )
        self.prove()
        template = self.build()
        parameters["Release"] = release_of(head(self.folder), parameters)
        self.change(template, parameters, confirm)
        if is_unprotected(stage, self._standing()):
            stage.console.say("The stack stands. From now on, its tables cannot be deleted.")
            self.change(template, parameters | {"DeletionProtection": "true"}, "yes")

    def prove(self) -> None:
        """Checks and tests must have passed for this commit; what has not runs now."""
        missing = [each for each in SUITES if not is_recorded(each, self.folder)]
        if not missing:
            self.stage.console.say("Tests: passed for this commit.")
            return
        for target in ("check", *missing):
            failed = f"`make {target}` failed. Fix that first."
            self._step(failed, "make", "-C", str(self.folder), target)
        for suite in missing:
            record(suite, self.folder)

    def build(self) -> Path:
        """Build this commit's bundles once; returns the built template's path."""
        is_emulator = self.stage.aws.target.is_local
        folder = self.folder / ".aws-sam" / ("emulator" if is_emulator else "build")
        built_for = folder / ".commit"  # `sam build` empties the folder first
        if built_for.exists() and built_for.read_text("utf-8") == head(self.folder):
            self.stage.console.say("Bundles: built for this commit.")
            return folder / "template.yaml"
        environment = {}
        if is_emulator:  # it runs functions with its own Python
            python = self.folder / ".tools" / "engine" / "bin" / "python"
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            version = subprocess.run(
                [str(python), "-c", code], check=True, capture_output=True, text=True
            ).stdout.strip()
            environment = {
                "SCC_BUILD_PYTHON": version,
                "SCC_BUILD_PLATFORM": "x86_64-manylinux2014",
            }
        self._step(
            "the bundles could not be built. The reason is above.",
            *(self._sam, "build", "--config-env", self.stage.name, "--build-dir", str(folder)),
            **environment,
        )
        self._step(
            "a bundle is too large or holds the wrong files. The reason is above.",
            *(sys.executable, "-m", "release.bundles", str(folder)),
        )
        built_for.write_text(head(self.folder))
        return folder / "template.yaml"

    def change(self, template: Path, parameters: Mapping[str, str], confirm: str) -> None:
        """Show the change set and, after a yes, execute it."""
        if self.stage.aws.target.is_local:
            name_release(template, parameters["Release"])
        command = [
            *(self._sam, "deploy", "--config-file", str(self.folder / "samconfig.toml")),
            *("--config-env", self.stage.name, "--template-file", str(template)),
            "--parameter-overrides",
            *parameter_overrides(parameters),
        ]
        failed = f"CloudFormation refused or rolled back: the events of {self.stage.stack} say why."
        if confirm != "yes":
            self._step(failed, *command, "--no-execute-changeset")
            click.echo("Deploy this change set? Type yes to go ahead: ", err=True, nl=False)
            if sys.stdin.readline().strip() != "yes":
                raise OpsError(
                    "the change set above was only shown. Answer yes, or use CONFIRM=yes."
                )
        self._step(failed, *command, "--no-confirm-changeset")

    def _standing(self) -> Mapping[str, str]:
        """The parameters that the stack has now."""
        client = self.stage.aws.client("cloudformation")
        (stack,) = client.describe_stacks(StackName=self.stage.stack)["Stacks"]
        return {
            each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())
        }

    @property
    def _sam(self) -> str:
        return str(self.folder / ".tools" / "sam" / "bin" / "sam")

    def _step(self, failed: str, *command: str, **environment: str) -> None:
        target = self.stage.aws.target
        chosen = {"AWS_PROFILE": target.profile, "AWS_ENDPOINT_URL": target.endpoint_url}
        environment |= {name: value for name, value in chosen.items() if value}
        environment |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), target.region)
        sys.stdout.flush()
        done = subprocess.run(
            command,
            cwd=self.folder,
            check=False,
            env=os.environ | environment | {"SAM_CLI_TELEMETRY": "0"},
            stdin=subprocess.DEVNULL,  # what is typed answers our question
            stdout=sys.stderr if self.stage.console.as_json else None,
        )
        if done.returncode:
            raise StepFailedError(failed)


def chosen_parameters(
    stage: Stage, given: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """samconfig.toml's with the given ones on top; CloudFormation keeps all others as they were.

    Given ones replace those of samconfig.toml one by one; `sam` itself would drop all the others.
    SCC_EMULATOR_PARAMETERS, for an emulator only, names what is elsewhere on this machine.
    """
    chosen = {**stage.settings.parameters, **_pairs(given)}
    if stage.aws.target.is_local:
        chosen |= EMULATOR | _pairs(environ.get("SCC_EMULATOR_PARAMETERS", "").split())
    return chosen


def is_unprotected(stage: Stage, standing: Mapping[str, str]) -> bool:
    """Whether a stack that keeps its data can still be deleted, as after its first deployment.

    A stack that fails while it is made must be able to take back what it made. standing: its
    parameters.
    """
    return stage.name == "prod" and standing.get("DeletionProtection") != "true"


def name_release(template: Path, release: str) -> None:
    """Write a release's name into a built template, for the emulator."""
    import yaml  # noqa: PLC0415 - a clone has it, an installed `scc` does not

    content = yaml.safe_load(template.read_text("utf-8"))
    template.write_text(yaml.safe_dump(with_release(content, release), sort_keys=False))


def parameter_overrides(parameters: Mapping[str, str]) -> list[str]:
    """As sam takes them: an empty value, which undoes an earlier choice, in quotes."""
    return [
        f"{name}={value}" if value else f'{name}=""' for name, value in sorted(parameters.items())
    ]


def _pairs(given: Sequence[str]) -> dict[str, str]:
    for pair in given:
        if not re.fullmatch(r"[A-Za-z0-9]+=.*", pair):
            raise OpsError(f"PARAMETERS has {pair!r}: write Name=value, separated by spaces.")
    return dict(pair.split("=", 1) for pair in given)


def refuse_uncommitted(folder: Path) -> None:
    """What is deployed must be a commit, so that it can be found again. Raises OpsError."""
    if files := uncommitted(folder):
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise OpsError(f"{', '.join(files[:3])}{more} not committed: commit or stash first.")
