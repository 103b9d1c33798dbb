"""What every test can rely on: no network but loopback, one deployed stack per run, and `scc`."""

import functools
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from pytest_socket import socket_allow_hosts
from xdist.scheduler import LoadFileScheduling

from local.running_stack import RunningStack
from tests.shells import Scc, scc_here

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
# Tests that start by following docs/deploy.md in an empty account, which takes half a minute.
THE_WALK = [
    f"tests/release/test_{each}.py"
    for each in ("deploy", "deploy_walk", "first_steps", "operations", "smoke")
]
LONG_FIRST = ("ops", "release", "browser", "pipeline", "chaos", "fuzz", "local")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


class FilesAndTheWalk(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Divides the tests among the workers of `make test`: by file, with the walk in one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "the walk" if file in THE_WALK else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesAndTheWalk:
    return FilesAndTheWalk(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on a stack come first, short ones last: no worker should end with a long one alone."""
    items.sort(key=lambda item: _turn(item.nodeid.partition("::")[0]))


def _turn(file: str) -> int:
    folder = file.split("/")[1]
    if file in THE_WALK:
        return 0
    return 1 + LONG_FIRST.index(folder) if folder in LONG_FIRST else 1 + len(LONG_FIRST)


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Deploy template.yaml once for the whole run, on ports of its own.

    With SCC_TEST_STACK=<state folder> the tests use a stack that is already running.
    """
    running = os.environ.get("SCC_TEST_STACK")
    if running:
        yield RunningStack.running(Path(running).resolve())
        return
    with RunningStack.temporary() as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def _read_the_descriptions_of_aws_once() -> None:
    """Let all boto3 sessions share their loader: each parses megabytes of JSON in 0.1 s."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)


@pytest.fixture
def scc(tmp_path: Path) -> Scc:
    """Run `scc` in an empty folder, in this process."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return scc_here(arguments, tmp_path, env or {}, stdin)

    return run


@pytest.fixture
def local(scc: Scc, stack: RunningStack) -> Scc:
    """`scc` for the stack under test."""
    endpoint = ("--endpoint-url", stack.settings.engine_url)
    return lambda *arguments, **more: scc(*endpoint, *arguments, **more)
