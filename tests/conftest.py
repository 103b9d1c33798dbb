"""What every test may rely on: no network beyond loopback, and one deployed stack per run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import socket_allow_hosts

from local.stack import LocalStack

LOOPBACK = ["127.0.0.1", "::1", "localhost"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """Deploy template.yaml once for the whole run, on ports of its own.

    With SCC_TEST_STACK=<state folder> the tests use a stack that is running already.
    """
    running = os.environ.get("SCC_TEST_STACK")
    if running:
        yield LocalStack.running(Path(running).resolve())
        return
    with LocalStack.temporary() as started:
        yield started
