"""All of `python -m local`: what it prints, what it serves, how it stops and comes back."""

import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from functions.api.people.identity import GRANTS
from local.demo.people import USERS
from local.processes import clean_environment
from local.running_stack import RunningStack
from local.settings import REPOSITORY, free_port
from tests.dock import Dock
from tests.suites import LONG


@pytest.mark.parametrize("path", ["/", "/g/sunset-charter", "/_staging/"])
def test_the_page_comes_as_cloudfront_serves_it(stack: RunningStack, path: str) -> None:
    with urllib.request.urlopen(stack.url + path, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.read() == (REPOSITORY / "web" / "index.html").read_bytes()


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.group)
def test_every_demo_user_can_sign_in(stack: RunningStack, user: Any) -> None:
    dock = Dock(stack, password=stack.settings.demo_password).sign_in(user.email.split("@")[0])
    answer = dock.call("GET", "/api/session").json
    assert answer["business_timezone"] == "America/New_York"
    assert answer["user"].pop("sub")
    assert answer["user"] == {
        "email": user.email,
        "name": user.name,
        "groups": [user.group],
        "may": sorted(GRANTS[user.group]),
    }


def test_the_stack_file_lists_where_everything_is(stack: RunningStack) -> None:
    assert stack.info["urls"]["app"] == stack.url
    assert set(stack.info["pids"]) == {"AWS emulator", "Gmail sandbox", "front door"}
    tables = stack.aws.client("dynamodb").list_tables()["TableNames"]
    assert stack.outputs["PaymentsTableName"] in tables


def test_a_taken_port_ends_a_second_stack_with_one_line_before_anything_starts(
    stack: RunningStack, tmp_path: Path
) -> None:
    second = run_local(tmp_path / "state", SCC_MAIL_PORT=str(stack.settings.mail_port))
    assert second.returncode == 2
    assert second.stdout == ""
    assert len(second.stderr.splitlines()) == 1
    assert f"Port {stack.settings.mail_port} is in use" in second.stderr
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["lock"]


def test_a_folder_in_use_ends_a_second_stack_with_one_line(stack: RunningStack) -> None:
    second = run_local(stack.settings.state)
    assert second.returncode == 2
    assert "is in use by a running stack" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_the_screen_shows_where_to_go_and_how_to_sign_in(stack: RunningStack) -> None:
    needs_own(stack)
    screen = stack.output()
    for words in (stack.url, stack.mail_url, "admin@shipcaptaincrew.example", "anchors-aweigh"):
        assert words in screen
    assert "sam deploy" in screen


@LONG
def test_a_stack_stopped_by_ctrl_c_comes_back_within_thirty_seconds_and_deploys_nothing(
    stack: RunningStack,
) -> None:
    needs_own(stack)
    session = Dock(stack, password=stack.settings.demo_password).sign_in()
    children = stack.info["pids"].values()
    stack.stop(signal.SIGINT)
    assert not stack.settings.stack_file.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert "Your data is kept" in stack.output()

    began = time.monotonic()
    stack.start()
    assert time.monotonic() - began <= 30
    assert session.call("GET", "/api/session").status == 200
    (deploy,) = [line for line in stack.output().splitlines() if "sam deploy" in line]
    assert deploy.endswith("unchanged")


@LONG
def test_a_stack_whose_emulator_dies_shows_its_log_and_can_be_started_again(
    stack: RunningStack,
) -> None:
    needs_own(stack)
    stack.kill_engine()
    assert "The AWS emulator stopped unexpectedly (signal SIGKILL)" in stack.output()
    assert "AWS-emulator.log" in stack.output()
    stack.start()
    assert Dock(stack, password=stack.settings.demo_password).sign_in().cookie


def needs_own(stack: RunningStack) -> None:
    if not stack.is_ours:
        pytest.skip("the stack of SCC_TEST_STACK was started by another, and is theirs to stop")


def run_local(state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    ports = {name: str(free_port()) for name in ("SCC_PORT", "SCC_MAIL_PORT", "SCC_AWS_PORT")}
    return subprocess.run(
        [sys.executable, "-m", "local"],
        cwd=REPOSITORY,
        env=clean_environment(SCC_STATE=str(state), **ports | environment),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
