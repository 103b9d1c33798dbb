"""What `make deploy` refuses, in words; what it does after a yes is in the walk."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release.deploy import StepFailedError as StepFailed
from release.deploy import chosen_parameters, main, prove, refuse_uncommitted
from release.stages import RefusedError, Stage
from release.tested import is_recorded, record
from tests.release.walk import AUTHOR, Account, git

EMULATOR = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, with checks that pass and tests that leave a trace."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("ran\n")
    (tmp_path / "Makefile").write_text("check:\n\t@true\ntest:\n\t@echo test >>ran\n")
    commit(tmp_path)
    return tmp_path


def commit(repository: Path) -> None:
    git(repository, "add", "--all")
    git(repository, *AUTHOR, "commit", "--quiet", "--message", "One")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--stage", ""], "say STAGE=staging or STAGE=prod"),
        (["--stage", "production"], "STAGE is 'production'"),
        (["--stage", "local"], "say STAGE=staging or STAGE=prod"),
        (["--stage", "staging", "--confirm", "YES!"], "say CONFIRM=yes"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    arguments: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", EMULATOR)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("Not deployed: ")
    assert complaint in error


def test_an_endpoint_that_is_neither_aws_nor_this_machine_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://aws.example.net")
    assert main(["--stage", "staging"]) == 2
    assert "unset it" in capsys.readouterr().err


def test_without_credentials_it_says_how_to_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(RefusedError, match=r"Sign in .*AWS_PROFILE"):
        Stage.chosen("staging").caller()


def test_what_is_not_committed_is_refused_by_name(repository: Path) -> None:
    refuse_uncommitted(repository)
    (repository / "new.py").touch()
    (repository / "Makefile").write_text("check:\n")
    with pytest.raises(RefusedError, match=r"Makefile, new\.py not committed"):
        refuse_uncommitted(repository)
    commit(repository)
    refuse_uncommitted(repository)


def test_a_commit_is_tested_once_and_the_next_one_again(repository: Path) -> None:
    prove(repository)
    prove(repository)
    assert (repository / "ran").read_text() == "test\n"
    (repository / "new.py").touch()
    commit(repository)
    prove(repository)
    assert (repository / "ran").read_text() == "test\ntest\n"


@pytest.mark.parametrize("broken", ["check", "test"])
def test_what_fails_its_checks_or_tests_is_not_deployed(repository: Path, broken: str) -> None:
    (repository / "Makefile").write_text(
        "".join(f"{name}:\n\t@{name != broken}\n".lower() for name in ("check", "test"))
    )
    commit(repository)
    with pytest.raises(StepFailed, match=f"`make {broken}` failed"):
        prove(repository)
    assert not is_recorded(repository)


def test_a_pass_with_uncommitted_files_counts_for_no_commit(repository: Path) -> None:
    (repository / "new.py").touch()
    assert not record(repository)
    (repository / "new.py").unlink()
    assert not is_recorded(repository)
    assert record(repository)
    assert is_recorded(repository)


def test_given_parameters_replace_the_files_one_by_one() -> None:
    chosen = chosen_parameters(Stage("staging"), ["LogRetentionDays=30", "GmailSender=a@b.c"], {})
    assert chosen["LogRetentionDays"] == "30"
    assert chosen["GmailSender"] == "a@b.c"
    assert chosen["AppName"] == "shipcaptaincrew-staging"
    with pytest.raises(RefusedError, match="write Name=value"):
        chosen_parameters(Stage("staging"), ["LogRetentionDays"], {})


@pytest.mark.parametrize("stage", ["staging", "prod"])
def test_aws_never_gets_what_only_the_emulator_may_have(stage: str) -> None:
    environment = {"SCC_EMULATOR_PARAMETERS": "GmailApiEndpoint=http://127.0.0.1:1/"}
    chosen = chosen_parameters(Stage(stage), [], environment)
    assert chosen["Stage"] == stage
    assert not chosen.keys() & {"ApiUrlAuthType", "GmailApiEndpoint"}
    assert chosen_parameters(Stage(stage, EMULATOR), [], environment)["Stage"] == "local"


def test_a_change_set_is_shown_and_carried_out_after_a_yes_only(walked: Account) -> None:
    logs = walked.aws.client("logs")
    group = "/aws/lambda/shipcaptaincrew-staging-api"

    def retention() -> int:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        days: int = found["retentionInDays"]
        return days

    deploy = "make deploy STAGE=staging PARAMETERS=LogRetentionDays=30"
    before = retention()
    done = walked.shell(f"echo no | {deploy}")
    assert done.returncode == 2, done.stdout[-3000:]
    assert "ApiLogGroup" in done.stdout
    assert "Not deployed: the change set above was only shown" in done.stdout
    assert retention() == before != 30
    done = walked.shell(f"echo yes | {deploy}")
    assert done.returncode == 0, done.stdout[-3000:]
    assert retention() == 30


def test_uncommitted_files_stop_it_before_anything_is_built(walked: Account) -> None:
    stray = walked.clone / "stray.py"
    stray.touch()
    done = walked.shell("make deploy STAGE=staging CONFIRM=yes")
    stray.unlink()
    assert done.returncode == 2, done.stdout[-3000:]
    assert "Not deployed: stray.py not committed" in done.stdout
    assert "sam build" not in done.stdout


def test_sam_is_told_the_region_where_cloudfront_takes_certificates_from() -> None:
    assert {Stage(name).region for name in ("staging", "prod")} == {"us-east-1"}


def test_the_app_is_at_its_own_domain_where_it_has_one() -> None:
    outputs = {"DistributionDomainName": "d123.cloudfront.net"}
    assert Stage("prod").url(outputs) == "https://d123.cloudfront.net"
    own = outputs | {"SiteUrl": "https://pay.example.com/"}
    assert Stage("prod").url(own) == "https://pay.example.com"
    here = Stage("prod", "http://127.0.0.1:4566").url(own)
    assert here == "http://d123.cloudfront.localhost:4566"


def test_the_help_names_the_variables() -> None:
    done = subprocess.run(
        ["make", "help"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "STAGE=staging|prod CONFIRM=yes" in done.stdout
