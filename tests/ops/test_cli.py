from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from botocore import exceptions as aws
from botocore.config import Config
from click.testing import CliRunner

from local.running_stack import RunningStack
from local.settings import free_port
from ops.cli import scc as program
from ops.errors import OpsError, translate
from ops.target import choose
from shared.reads import UnreadKeysError
from tests.shells import SCC, Scc, environment

FIRST_EVENT = Path(__file__).parents[2] / "docs" / "first-event.json"


def commands(
    group: click.Command = program, path: tuple[str, ...] = ("scc",)
) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), group
    if isinstance(group, click.Group):
        for name in group.list_commands(click.Context(group)):
            yield from commands(command_of(group, name), (*path, name))


def command_of(group: click.Group, name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    assert found, name
    return found


def test_a_sentence_that_quotes_a_foreign_name_does_not_steer_the_terminal() -> None:
    told = OpsError("a\x1b[2J\u202e.mbox cannot be read.\nTry another.").format_message()
    assert told == "a\\x1b[2J\\u202e.mbox cannot be read.\nTry another."


@pytest.mark.parametrize(("path", "command"), list(commands()))
def test_every_command_has_help_with_examples_that_it_accepts(
    path: str, command: click.Command
) -> None:
    shown = CliRunner().invoke(program, [*path.split()[1:], "--help"])
    assert shown.exit_code == 0
    assert command.help, f"{path} has no help"
    examples = re.findall(r"^ {4}(scc .*)$", shown.output, re.MULTILINE)
    assert examples, f"{path} has no examples"
    for example in examples:
        words = example.split("  ")[0].split()[1:]
        leaf: click.Command = program
        for word in (word for word in words if not word.startswith("-")):
            if isinstance(leaf, click.Group):
                leaf = leaf.get_command(click.Context(leaf), word) or leaf
        assert leaf is command or command is program or isinstance(command, click.Group), example
    for option in ("--stack", "--profile", "--region", "--endpoint-url", "--local", "--json"):
        assert option in shown.output, f"{path} does not take {option}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["payment", "pay_1"],
        ["payment", "show", "pay_1"],
        ["payment", "--endpoint-url", "http://127.0.0.1:9", "pay_1", "--mailbox"],
        ["payment", "--json", "--mailbox", "pay_1"],
        ["payment", "--endpoint-url", "http://127.0.0.1:9", "reissue", "pay_1", "--reason", "x"],
    ],
)
def test_a_payment_is_shown_unless_another_verb_is_named(arguments: list[str]) -> None:
    answer = CliRunner().invoke(program, arguments)
    assert "'pay_1' is not a payment id" in answer.output


def test_make_install_brings_the_command_and_it_works_from_any_folder(tmp_path: Path) -> None:
    answer = subprocess.run(
        [SCC, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Look after Ship Captain Crew" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "env", "says"),
    [
        (["stats"], {}, "No such command 'stats'"),
        (["status", "--bogus"], {}, "No such option: --bogus"),
        (["status", "--endpoint-url", "nonsense"], {}, "--endpoint-url (or AWS_ENDPOINT_URL)"),
        (["status", "--endpoint-url", "http://x:y/"], {}, "http://localhost:4566"),
        (["status"], {"AWS_ENDPOINT_URL": "ftp://x"}, "http://localhost:4566"),
        (["status"], {"SCC_STACK": "\udcff"}, "(or SCC_STACK)"),
        (["status", "--stack", "schiffsführer"], {}, "--stack"),
        (["status", "--profile", "nobody"], {}, "(nobody) could not be found"),
        (["status"], {}, "No AWS credentials"),
        (["status", "--region", "us-east-1"], {}, "No AWS credentials"),
        (["status", "--region", "not a region"], {}, "--region"),
        (["status", "--local"], {"SCC_STATE": "/nowhere"}, "`make run`"),
    ],
)
def test_a_command_that_cannot_work_explains_why(
    scc: Scc, arguments: list[str], env: dict[str, str], says: str
) -> None:
    answer = scc(*arguments, env=env)
    assert answer.returncode == 2, answer.stderr
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


def test_an_address_where_nothing_answers_is_named(scc: Scc) -> None:
    endpoint = f"http://localhost:{free_port()}"
    answer = scc("status", "--endpoint-url", endpoint)
    assert answer.returncode == 2
    assert endpoint in answer.stderr
    assert "make run" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDenied", "may not ReceiveMessage"),
        ("ExpiredToken", "aws sso login"),
        ("SignatureDoesNotMatch", "--profile"),
        ("ThrottlingException", "wait a minute"),
        ("AWS.SimpleQueueService.NonExistentQueue", "fully deployed"),
        ("SomethingNew", "(SomethingNew): \\x1b[31mred"),
    ],
)
def test_every_refusal_of_aws_says_what_to_do(code: str, says: str) -> None:
    error = aws.ClientError({"Error": {"Code": code, "Message": "\x1b[31mred"}}, "ReceiveMessage")
    told = translate(error)
    assert told is not None
    assert told.exit_code == 2
    assert says in told.message
    assert "\x1b" not in told.message


def test_a_table_that_cannot_be_read_now_asks_for_patience() -> None:
    told = translate(UnreadKeysError(["scc-Payments"], 6))
    assert told is not None
    assert "scc-Payments" in told.message
    assert told.message.endswith("Try again in a minute.")


def test_our_own_bugs_are_not_reported_as_environment_errors() -> None:
    assert translate(KeyError("AuditQueueUrl")) is None


@pytest.mark.parametrize(
    ("options", "environ", "stack", "region", "is_local"),
    [
        ({}, {}, "shipcaptaincrew", "us-east-1", False),
        ({}, {"SCC_STACK": "mine"}, "mine", "us-east-1", False),
        ({"stack": "given"}, {"SCC_STACK": "mine"}, "given", "us-east-1", False),
        ({"endpoint_url": "http://localhost:4566"}, {}, "shipcaptaincrew-local", "us-east-1", True),
        ({}, {"AWS_ENDPOINT_URL": "http://[::1]:1"}, "shipcaptaincrew-local", "us-east-1", True),
        ({"endpoint_url": "https://vpce.example.com"}, {}, "shipcaptaincrew", "us-east-1", False),
        ({"endpoint_url": "http://[::1]"}, {"SCC_STACK": "mine"}, "mine", "us-east-1", True),
        ({"region": "eu-west-1"}, {"AWS_REGION": "x"}, "shipcaptaincrew", "eu-west-1", False),
    ],
)  # fmt: skip
def test_options_come_before_the_environment_and_that_before_samconfig(
    options: dict[str, str],
    environ: dict[str, str],
    stack: str,
    region: str,
    is_local: bool,  # noqa: FBT001 - a column of the table
) -> None:
    target = choose(options, environ)
    assert (target.stack, target.region, target.is_local) == (stack, region, is_local)


ANOTHER_SHELL = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_PROFILE": "nobody",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wrong",
    "AWS_SESSION_TOKEN": "stale",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "SCC_STACK": "somebody-elses",
}


def test_local_is_the_stack_of_make_run_whatever_the_shell_is_set_to(
    scc: Scc, stack: RunningStack
) -> None:
    answer = scc(
        *("--local", "users", "ls"), env={"SCC_STATE": str(stack.settings.state)} | ANOTHER_SHELL
    )
    assert answer.returncode == 0, answer.stderr
    assert "admin@shipcaptaincrew.example" in answer.stdout


@pytest.fixture
def made_run(tmp_path: Path) -> Path:
    """The state folder of a `make run`."""
    content = {"urls": {"aws": "http://localhost:4566"}}
    (tmp_path / "stack.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--stack", "shipcaptaincrew"),
        ("--profile", "production"),
        ("--region", "eu-west-1"),
        ("--endpoint-url", "http://localhost:4567"),
    ],
)
def test_an_option_that_contradicts_local_is_refused(
    scc: Scc, made_run: Path, option: str, value: str
) -> None:
    answer = scc("--local", "status", option, value, env={"SCC_STATE": str(made_run)})
    assert answer.returncode == 2, answer.stderr
    assert f"leave out {option}." in answer.stderr.replace("\n", " ")


def test_an_option_that_agrees_with_local_is_fine(made_run: Path) -> None:
    agreeing = {"local": True, "stack": "shipcaptaincrew-local", "region": "us-east-1"}
    target = choose(agreeing, {"SCC_STATE": str(made_run)})
    assert target == choose({"local": True}, {"SCC_STATE": str(made_run)})


MINIMAL = {
    "scc dlq show": ["abcdef"],
    "scc dlq replay": ["--all", "--yes"],
    "scc dlq discard": ["--id", "abcdef", "--reason", "x", "--yes"],
    "scc payment show": ["pay_" + "0" * 32],
    "scc payment reissue": ["pay_" + "0" * 32, "--reason", "x"],
    "scc findings ack": ["pay_" + "0" * 32, "--reason", "x"],
    "scc findings tell": ["ops_x_done"],
    "scc release deploy-role": ["--stage", "staging", "--repository", "crew/payments"],
    "scc evidence": ["pay_" + "0" * 32],
    "scc users add": ["a@b.example", "--name", "A", "--group", "crew"],
    "scc users password": ["a@b.example"],
    "scc users disable": ["a@b.example"],
    "scc users enable": ["a@b.example"],
    "scc web publish": ["--stage", "staging"],
    "scc release deploy": ["--stage", "staging"],
    "scc release delete": ["--stage", "staging", "--confirm", "shipcaptaincrew-staging"],
    "scc release smoke": ["--stage", "staging"],
    "scc release gmail-key": ["--stage", "staging", "--file", "key.json"],
    "scc release roster": ["--stage", "staging", "--file", str(FIRST_EVENT)],
    "scc release url": ["--stage", "staging"],
}
"""What a command needs to start."""


@pytest.mark.parametrize(
    "path", [path for path, command in commands() if not isinstance(command, click.Group)]
)
@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"AWS_REGION": "us-east-1"}, "No AWS credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS does not answer"),
        ({"AWS_REGION": "us-east-1", "AWS_PROFILE": "nobody"}, "nobody"),
    ],
)
def test_no_command_breaks_when_aws_cannot_be_reached(
    path: str, env: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    nothing = environment()
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.setenv(name, nothing[name])
    monkeypatch.setattr("ops.target.CONFIG", Config(retries={"max_attempts": 0}, connect_timeout=1))
    arguments = [*path.split()[1:], *MINIMAL.get(path, [])]
    answer = CliRunner().invoke(program, arguments, env=env)
    assert answer.exit_code == 2, answer.output
    assert says in answer.output.replace("\n", " ")
    assert isinstance(answer.exception, SystemExit)
