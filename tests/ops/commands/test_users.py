"""`scc users` on the deployed stack: added users can sign in, disabled users cannot."""

from __future__ import annotations

import json
import uuid

import pytest

from local.running_stack import RunningStack
from tests.dock import Dock
from tests.shells import Scc


@pytest.fixture
def email() -> str:
    return f"grace-{uuid.uuid4().hex[:8]}@example.com"


def sign_in(stack: RunningStack, email: str, password: str) -> int:
    return Dock(stack).call("POST", "/api/session", {"email": email, "password": password}).status


def added(local: Scc, email: str, group: str = "admins") -> str:
    answer = local("users", "add", email, "--name", "Grace Hopper", "--group", group, "--json")
    assert answer.returncode == 0, answer.stderr
    password: str = json.loads(answer.stdout)["password"]
    return password


def test_an_added_user_can_sign_in_with_the_given_name_and_group(
    local: Scc, stack: RunningStack, email: str
) -> None:
    password = added(local, email, "auditors")
    assert len(password) == 20
    dock = Dock(stack)
    answer = dock.call("POST", "/api/session", {"email": email, "password": password})
    assert answer.json["user"] == {
        "sub": answer.json["user"]["sub"], "email": email, "name": "Grace Hopper",
        "groups": ["auditors"], "may": ["read_events", "read_payments"],
    }  # fmt: skip
    listed = json.loads(local("users", "ls", "--json").stdout)
    assert {
        "email": email, "name": "Grace Hopper", "groups": ["auditors"], "is_enabled": True,
    } in listed  # fmt: skip
    assert email in local("users", "ls").stdout


def test_a_password_from_stdin_is_never_shown(local: Scc, stack: RunningStack, email: str) -> None:
    arguments = ("users", "add", email, "--name", "G", "--group", "crew", "--password-stdin")
    answer = local(*arguments, stdin="correct horse battery 1 Staple\n")
    assert answer.returncode == 0, answer.stderr
    assert "horse" not in answer.stdout + answer.stderr
    assert sign_in(stack, email, "correct horse battery 1 Staple") == 200


def test_a_disabled_user_cannot_sign_in_until_enabled_again(
    local: Scc, stack: RunningStack, email: str
) -> None:
    password = added(local, email)
    assert local("users", "disable", email).returncode == 0
    assert sign_in(stack, email, password) == 401
    assert local("users", "enable", email.upper()).returncode == 0
    assert sign_in(stack, email, password) == 200


def test_a_new_password_takes_the_place_of_the_old_one(
    local: Scc, stack: RunningStack, email: str
) -> None:
    old = added(local, email)
    new = json.loads(local("users", "password", email, "--json").stdout)["password"]
    assert sign_in(stack, email, old) == 401
    assert sign_in(stack, email, new) == 200


def test_an_existing_account_is_left_alone(local: Scc, stack: RunningStack, email: str) -> None:
    password = added(local, email)
    answer = local("users", "add", email, "--name", "Other", "--group", "crew")
    assert answer.returncode == 2
    assert "scc users password" in answer.stderr
    assert sign_in(stack, email, password) == 200


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["add", "grace", "--name", "G", "--group", "crew"], "", "not an email address"),
        (["add", "a@b.example", "--name", "\x1b", "--group", "crew"], "", "printable"),
        (["add", "a@b.example", "--name", "\u3164", "--group", "crew"], "", "printable"),
        (["add", "a@b.example", "--name", "G", "--group", "captains"], "", "captains"),
        (["add", "a@b.example", "--group", "crew"], "", "--name"),
        (
            ["add", "a@b.example", "--name", "G", "--group", "crew", "--password-stdin"],
            "short\n",
            "12 to 256",
        ),
        (["disable", "nobody@example.com"], "", "nobody@example.com has no account"),
        (["enable", "nobody@example.com"], "", "nobody@example.com has no account"),
        (["password", "nobody@example.com"], "", "nobody@example.com has no account"),
    ],
)
def test_an_invalid_account_is_refused_with_the_reason_and_not_created(
    local: Scc, arguments: list[str], stdin: str, says: str
) -> None:
    answer = local("users", *arguments, stdin=stdin)
    assert answer.returncode == 2
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "a@b.example" not in local("users", "ls").stdout
