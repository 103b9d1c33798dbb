"""`make deploy STAGE=staging|prod [CONFIRM=yes] [PARAMETERS="Name=value …"]`.

Refuses what is not committed, runs the checks and tests unless this very commit passed them,
builds, and shows the change set. It is carried out after a yes: CONFIRM=yes, or an answer at the
question. With AWS_ENDPOINT_URL=http://127.0.0.1:4566 all of it happens on an emulator, which is how
the tests know that it works.

Exit codes: 0 deployed, 1 a step failed, 2 refused: nothing was changed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.stages import REPOSITORY, RefusedError, Stage
from release.tested import head, is_recorded, record, uncommitted

SAM = REPOSITORY / ".tools" / "sam" / "bin" / "sam"
EMULATORS_PYTHON = REPOSITORY / ".tools" / "engine" / "bin" / "python"
# What the emulator cannot do: TLS, ARM, and signing for origin access control.
EMULATOR = {"Stage": "local", "Architecture": "x86_64", "ApiUrlAuthType": "NONE"}


class StepFailedError(Exception):
    """A step ended with an error that it has told; the message says what that leaves behind."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stage", default="")
    parser.add_argument("--confirm", default="")
    parser.add_argument("parameters", nargs="*", metavar="Name=value")
    options = parser.parse_args(arguments)
    try:
        deploy(Stage.chosen(options.stage), options.confirm, options.parameters)
    except RefusedError as error:
        print(f"Not deployed: {error}", file=sys.stderr)
        return 2
    except StepFailedError as error:
        print(f"Not deployed: {error}", file=sys.stderr)
        return 1
    return 0


def deploy(stage: Stage, confirm: str, given: Sequence[str]) -> None:
    """Raises RefusedError, StepFailedError."""
    if confirm not in {"", "yes"}:
        raise RefusedError(f"CONFIRM is {confirm!r}: say CONFIRM=yes, or leave it out to be asked.")
    parameters = chosen_parameters(stage, given, os.environ)
    refuse_uncommitted(REPOSITORY)
    who = stage.caller()
    place = stage.endpoint or stage.region
    print(f"{stage.name}: stack {stage.stack} in {place}, commit {head()[:12]}, as {who}")
    prove(REPOSITORY)
    template = build(stage)
    change(stage, template, parameters, confirm)


def chosen_parameters(
    stage: Stage, given: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """samconfig.toml's, then those given; what neither names, CloudFormation keeps as it was.

    SCC_EMULATOR_PARAMETERS, for an emulator only, names what is elsewhere on this machine.

    Given ones replace those of samconfig.toml one by one, where sam itself would forget all others.
    """
    chosen = stage.parameters | _pairs(given)
    if stage.endpoint:
        chosen |= EMULATOR | _pairs(environ.get("SCC_EMULATOR_PARAMETERS", "").split())
    return chosen


def _pairs(given: Sequence[str]) -> dict[str, str]:
    for pair in given:
        if not re.fullmatch(r"[A-Za-z0-9]+=.*", pair):
            raise RefusedError(f"PARAMETERS has {pair!r}: write Name=value, with blanks between.")
    return dict(pair.split("=", 1) for pair in given)


def refuse_uncommitted(repository: Path) -> None:
    """What is deployed must be a commit, so that it can be found again. Raises RefusedError."""
    if files := uncommitted(repository):
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        raise RefusedError(f"{', '.join(files[:3])}{more} not committed: commit or stash first.")


def prove(repository: Path) -> None:
    """Checks and tests must have passed for this commit; they run now if they have not."""
    if is_recorded(repository):
        print("tests: passed for this commit")
        return
    for target in ("check", "test"):
        _run(f"`make {target}` failed: mend that first.", "make", "-C", str(repository), target)
    record(repository)


def build(stage: Stage) -> Path:
    """Build the bundles of this commit, once; returns the built template's path."""
    folder = REPOSITORY / ".aws-sam" / ("emulator" if stage.endpoint else "build")
    built_for = folder / ".commit"  # `sam build` empties the folder first
    if built_for.exists() and built_for.read_text() == head():
        print("bundles: built for this commit")
        return folder / "template.yaml"
    environment = {"SAM_CLI_TELEMETRY": "0"}
    if stage.endpoint:  # it runs functions under its own Python
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run(
            [str(EMULATORS_PYTHON), "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()
        environment |= {"SCC_BUILD_PYTHON": version, "SCC_BUILD_PLATFORM": "x86_64-manylinux2014"}
    _run(
        "the bundles could not be built; the reason is above.",
        *(str(SAM), "build", "--config-env", stage.name, "--build-dir", str(folder)),
        **environment,
    )
    _run(
        "a bundle is not as it should be.",
        *(sys.executable, "-m", "release.bundles", str(folder)),
    )
    built_for.write_text(head())
    return folder / "template.yaml"


def change(stage: Stage, template: Path, parameters: Mapping[str, str], confirm: str) -> None:
    """Show the change set and, after a yes, carry it out. Raises RefusedError, StepFailedError."""
    command = [
        *(str(SAM), "deploy", "--config-file", str(REPOSITORY / "samconfig.toml")),
        *("--config-env", stage.name, "--template-file", str(template)),
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in sorted(parameters.items())),
    ]
    failed = f"CloudFormation refused or rolled back; `{stage.stack}`'s events say why."
    if confirm != "yes":
        _run(failed, *command, "--no-execute-changeset", SAM_CLI_TELEMETRY="0")
        print("Carry this change set out? Anything but yes leaves it. ", end="", flush=True)
        if sys.stdin.readline().strip() != "yes":
            raise RefusedError("the change set above was only shown. Answer yes, or CONFIRM=yes.")
    _run(failed, *command, "--no-confirm-changeset", SAM_CLI_TELEMETRY="0")


def _run(failed: str, *command: str, **environment: str) -> None:
    sys.stdout.flush()
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        check=False,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,  # what is typed is the answer to our question
    )
    if done.returncode:
        raise StepFailedError(failed)


if __name__ == "__main__":
    sys.exit(main())
