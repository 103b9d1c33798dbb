"""What `make deploy` refuses, and how; what it does after a yes is in the walk."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli import scc
from ops.errors import OpsError
from ops.samconfig import settings_of
from release.deployment.deploy import (
    Deployment,
    chosen_parameters,
    parameter_overrides,
    refuse_uncommitted,
)
from release.deployment.deploy import StepFailedError as StepFailed
from release.stages import Stage, StageName
from release.tested import head, is_recorded, record
from tests.release.walk import AUTHOR, Account, git
from tests.shells import environment
from tests.suites import LONG
from tests.template.transformed import SAM_PYTHON

EMULATOR = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, with checks that pass and tests that leave a trace."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("ran\n")
    (tmp_path / "Makefile").write_text(
        "check:\n\t@true\ntest:\n\t@echo test >>ran\ntest-long:\n\t@echo long >>ran\n"
    )
    commit(tmp_path)
    return tmp_path


def stage(name: StageName = "staging", endpoint: str = "") -> Stage:
    return Stage.chosen(name, {"endpoint_url": endpoint}, {})


def prove(repository: Path) -> None:
    Deployment(stage(), repository).prove()


def commit(repository: Path) -> None:
    git(repository, "add", "--all")
    git(repository, *AUTHOR, "commit", "--quiet", "--message", "One")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--stage", ""], "STAGE must be staging or prod, not ''"),
        (["--stage", "production"], "STAGE must be staging or prod, not 'production'"),
        (["--stage", "local"], "STAGE must be staging or prod"),
        (["--stage", "staging", "--confirm", "YES!"], "Not deployed: use CONFIRM=yes"),
        (["--stage", "staging", "--stack", "other"], "leave out --stack"),
        (["--stage", "staging", "--region", "eu-west-1"], "leave out --region"),
        (["--stage", "staging", "--local"], "leave out --local"),
    ],
)
def test_invalid_arguments_are_refused_by_name(arguments: list[str], complaint: str) -> None:
    answer = CliRunner().invoke(
        scc, ["release", "deploy", *arguments], env={"AWS_ENDPOINT_URL": EMULATOR}
    )
    assert answer.exit_code == 2
    assert complaint in answer.output


@pytest.mark.parametrize("given", ["--help", "--confirm yes", "--stage prod"])
def test_make_takes_no_option_for_a_parameter(given: str) -> None:
    answer = subprocess.run(
        ["make", "--old-file=install", "deploy", "STAGE=staging", f"PARAMETERS={given}"],
        cwd=Path(__file__).parents[3],
        env=environment(MAKEFLAGS="", AWS_ENDPOINT_URL=EMULATOR),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert f"PARAMETERS has {given.split(maxsplit=1)[0]!r}: write Name=value" in answer.stderr


def test_an_endpoint_that_is_neither_aws_nor_this_machine_is_refused() -> None:
    with pytest.raises(OpsError, match="unset AWS_ENDPOINT_URL"):
        stage("staging", "https://aws.example.net")


def test_no_environment_variable_chooses_another_stack_or_region() -> None:
    environ = {"SCC_STACK": "shipcaptaincrew", "AWS_REGION": "eu-west-1"}
    target = Stage.chosen("staging", {}, environ).aws.target
    assert (target.stack, target.region) == ("shipcaptaincrew-staging", "us-east-1")


def test_uncommitted_files_are_refused_by_name(repository: Path) -> None:
    refuse_uncommitted(repository)
    (repository / "new.py").touch()
    (repository / "Makefile").write_text("check:\n")
    with pytest.raises(OpsError, match=r"Makefile, new\.py not committed"):
        refuse_uncommitted(repository)
    commit(repository)
    refuse_uncommitted(repository)


def test_a_commit_is_tested_once_and_the_next_one_again(repository: Path) -> None:
    prove(repository)
    prove(repository)
    assert (repository / "ran").read_text() == "test\nlong\n"
    (repository / "new.py").touch()
    commit(repository)
    prove(repository)
    assert (repository / "ran").read_text() == "test\nlong\n" * 2


def test_only_the_suite_that_has_not_passed_runs(repository: Path) -> None:
    record("test", repository)
    prove(repository)
    assert (repository / "ran").read_text() == "long\n"


@pytest.mark.parametrize("broken", ["check", "test", "test-long"])
def test_a_commit_that_fails_its_checks_or_tests_is_not_deployed(
    repository: Path, broken: str
) -> None:
    (repository / "Makefile").write_text(
        "".join(
            f"{name}:\n\t@{name != broken}\n".lower() for name in ("check", "test", "test-long")
        )
    )
    commit(repository)
    with pytest.raises(StepFailed, match=f"`make {broken}` failed"):
        prove(repository)
    assert not is_recorded("test", repository)
    assert not is_recorded("test-long", repository)


def test_a_pass_with_uncommitted_files_counts_for_no_commit(repository: Path) -> None:
    (repository / "new.py").touch()
    assert not record("test", repository)
    (repository / "new.py").unlink()
    assert not is_recorded("test", repository)
    assert record("test", repository)
    assert is_recorded("test", repository)


def test_given_parameters_replace_the_files_one_by_one() -> None:
    chosen = chosen_parameters(stage(), ["LogRetentionDays=30", "GmailSender=a@b.c"], {})
    assert chosen["LogRetentionDays"] == "30"
    assert chosen["GmailSender"] == "a@b.c"
    assert chosen["AppName"] == "shipcaptaincrew-staging"
    with pytest.raises(OpsError, match="write Name=value"):
        chosen_parameters(stage(), ["LogRetentionDays"], {})


def test_an_earlier_choice_is_undone_by_an_empty_value() -> None:
    """`sam deploy` refuses Name= and keeps the earlier value without it."""
    given = chosen_parameters(stage(), ["EventsTableName=", "GmailSender=a@b.c"], {})
    assert given["EventsTableName"] == ""
    code = (
        "import json, sys; from samcli.cli.types import CfnParameterOverridesType as Type; "
        "print(json.dumps(Type().convert(tuple(sys.argv[1:]), None, None)))"
    )
    done = subprocess.run(
        [str(SAM_PYTHON), "-c", code, *parameter_overrides(given)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == given


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_aws_never_gets_what_only_the_emulator_may_have(name: StageName) -> None:
    environment = {"SCC_EMULATOR_PARAMETERS": "GmailApiEndpoint=http://127.0.0.1:1/"}
    chosen = chosen_parameters(stage(name), [], environment)
    assert chosen["Stage"] == name
    assert not chosen.keys() & {"ApiUrlAuthType", "GmailApiEndpoint"}
    assert chosen_parameters(stage(name, EMULATOR), [], environment)["Stage"] == "local"


@dataclass
class Steps:
    """A deployment whose steps are noted, not taken. standing: the stack's own parameters."""

    standing: dict[str, str] = field(default_factory=dict)
    parameters: list[dict[str, str]] = field(default_factory=list)

    def deploy(self, name: StageName, patch: pytest.MonkeyPatch) -> None:
        def change(_: Deployment, template: Path, chosen: dict[str, str], confirm: str) -> None:
            self.parameters.append(dict(chosen))

        patch.setattr(Deployment, "prove", lambda _: None)
        patch.setattr(Deployment, "build", lambda _: Path("template.yaml"))
        patch.setattr(Deployment, "change", change)
        patch.setattr(Deployment, "_standing", lambda _: self.standing)
        patch.setattr("release.deployment.deploy.refuse_uncommitted", lambda _: None)
        patch.setattr("ops.target.Aws.caller", "arn:aws:iam::123456789012:user/ada")
        Deployment(stage(name), Path(__file__).parents[3]).run(
            "yes", ["AlarmEmail=ops@example.com"]
        )


@pytest.mark.parametrize(
    ("name", "standing", "protects"),
    [
        ("prod", {"DeletionProtection": "false"}, True),
        ("prod", {}, True),
        ("prod", {"DeletionProtection": "true"}, False),
        ("staging", {"DeletionProtection": "false"}, False),
    ],
)
def test_production_is_protected_once_it_stands_by_a_change_that_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch, name: StageName, standing: dict[str, str], *, protects: bool
) -> None:
    """While a stack is made, a protected table could not be taken back."""
    steps = Steps(standing)
    steps.deploy(name, monkeypatch)
    first, *rest = steps.parameters
    assert "DeletionProtection" not in first
    assert rest == ([first | {"DeletionProtection": "true"}] if protects else [])
    assert first["Release"].endswith(head(Path(__file__).parents[3])[:12])


@LONG
def test_a_change_set_is_shown_and_executed_only_after_a_yes(walked: Account) -> None:
    logs = walked.aws.client("logs")
    group = "/aws/lambda/shipcaptaincrew-staging-api"

    def retention() -> int:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        days: int = found["retentionInDays"]
        return days

    deploy = "make deploy STAGE=staging PARAMETERS=LogRetentionDays=30"

    def serves() -> int:
        alias = walked.aws.client("lambda").get_alias(
            FunctionName="shipcaptaincrew-staging-api", Name="live"
        )
        return int(alias["FunctionVersion"])

    before, version = retention(), serves()
    done = walked.shell(f"echo no | {deploy}")
    assert done.returncode == 2, done.stdout[-3000:]
    assert "ApiLogGroup" in done.stdout
    assert "Not deployed: the change set above was only shown" in done.stdout
    assert retention() == before != 30
    assert serves() == version
    done = walked.shell(f"echo yes | {deploy}")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Bundles: built for this commit." in done.stdout
    assert retention() == 30
    assert serves() == version + 1, "a parameter is a release, too"


def test_uncommitted_files_stop_it_before_anything_is_built(walked: Account) -> None:
    stray = walked.clone / "stray.py"
    stray.touch()
    done = walked.shell("make deploy STAGE=staging CONFIRM=yes")
    stray.unlink()
    assert done.returncode == 2, done.stdout[-3000:]
    assert "Not deployed: stray.py not committed" in done.stdout
    assert "sam build" not in done.stdout


def test_sam_is_told_the_region_where_cloudfront_takes_certificates_from() -> None:
    assert {settings_of(name).region for name in ("staging", "prod")} == {"us-east-1"}


def test_the_app_is_at_its_own_domain_if_it_has_one() -> None:
    outputs = {"DistributionDomainName": "d123.cloudfront.net"}
    assert stage("prod").url(outputs) == "https://d123.cloudfront.net"
    own = outputs | {"SiteUrl": "https://pay.example.com/"}
    assert stage("prod").url(own) == "https://pay.example.com"
    here = stage("prod", "http://127.0.0.1:4566").url(own)
    assert here == "http://d123.cloudfront.localhost:4566"


def test_the_help_names_the_variables() -> None:
    done = subprocess.run(
        ["make", "help"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "STAGE=staging|prod CONFIRM=yes" in done.stdout
