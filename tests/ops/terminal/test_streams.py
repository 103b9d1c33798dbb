"""`scc` in a shell with odd streams: what it cannot do is a sentence and exit 2."""

from __future__ import annotations

import os
import subprocess

import pytest

from local.running_stack import RunningStack
from tests.dock import Dock
from tests.shells import SCC, Scc, environment


def in_shell(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A shell's command line, in which $scc is the program."""
    return subprocess.run(
        ["bash", "-c", command],
        env=environment(scc=str(SCC), **env), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def refused(answer: subprocess.CompletedProcess[str], says: str) -> None:
    assert answer.returncode == 2, answer.stderr
    assert says in answer.stderr.replace("\n", " ")
    assert "Traceback" not in answer.stderr
    assert "Exception ignored" not in answer.stderr


@pytest.mark.parametrize("arguments", ["--help", "users ls", "users ls --json", "status"])
def test_a_full_disk_is_named(stack: RunningStack, arguments: str) -> None:
    endpoint = {"AWS_ENDPOINT_URL": stack.settings.engine_url}
    answer = in_shell(f"$scc {arguments} >/dev/full", **endpoint)
    refused(answer, "the output cannot be written: No space left on device")


def test_a_full_disk_for_both_streams_is_an_exit_code() -> None:
    assert in_shell("$scc --help >/dev/full 2>&1").returncode == 2


def test_a_closed_stdout_is_named() -> None:
    refused(in_shell("$scc --help >&-"), "stdout is closed")


def test_a_closed_stdin_holds_no_password(stack: RunningStack) -> None:
    endpoint = {"AWS_ENDPOINT_URL": stack.settings.engine_url}
    command = "$scc users password admin@shipcaptaincrew.example --password-stdin <&-"
    refused(in_shell(command, **endpoint), "12 to 256 characters")


def test_a_name_that_the_terminal_cannot_spell_is_shown_with_question_marks(
    local: Scc, stack: RunningStack
) -> None:
    address = f"tomas-{os.urandom(4).hex()}@example.com"
    added = local("users", "add", address, "--name", "Tomás", "--group", "crew")
    assert added.returncode == 0, added.stderr
    endpoint = {"AWS_ENDPOINT_URL": stack.settings.engine_url}
    answer = in_shell("$scc users ls", PYTHONIOENCODING="ascii", LC_ALL="C", **endpoint)
    assert answer.returncode == 0, answer.stderr
    (line,) = (each for each in answer.stdout.splitlines() if address in each)
    assert "Tom?s" in line


@pytest.mark.parametrize(
    "arguments",
    [
        r"--stack $'\xff' status",
        r"status --profile $'\xff'",
        r"users add a@b.example --name $'\xed\xa0\x80' --group crew",
        r"dlq show $'abcdef\xff'",
        r"$'\xff'",
    ],
)
def test_an_argument_that_is_not_text_is_refused(arguments: str) -> None:
    refused(in_shell(f"$scc {arguments}", AWS_REGION="us-east-1"), "An argument is not UTF-8")


def test_a_password_that_the_api_would_refuse_is_not_set(stack: RunningStack) -> None:
    endpoint = {"AWS_ENDPOINT_URL": stack.settings.engine_url}
    account = "admin@shipcaptaincrew.example"
    command = rf"printf 'Anchors-aweigh-\xff\n' | $scc users password {account} --password-stdin"
    for locale in ("C.UTF-8", "C"):
        refused(in_shell(command, LC_ALL=locale, **endpoint), "must be UTF-8")
    Dock(stack).sign_in()
