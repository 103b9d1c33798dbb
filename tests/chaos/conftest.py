from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.running_stack import RunningStack
from tests.chaos.harness import ROOM, Harness

FAST = ROOM | {"SCC_MAIL_RETRY_CAP_SECONDS": "2", "SCC_MAIL_SETTLE_SECONDS": "2"}
"""Half an hour of outage in ten seconds: the same tries, closer together."""
_FIGURES: list[str] = []


@pytest.fixture(scope="session")
def harness() -> Iterator[Harness]:
    """A stack only for these tests: every verdict covers its whole ledger.

    With SCC_TEST_STACK=<state folder> it is a stack that is already running with FAST's settings.
    """
    running = os.environ.get("SCC_TEST_STACK")
    if running:
        yield from _harness(RunningStack.running(Path(running).resolve()))
        return
    with RunningStack.temporary(**FAST) as stack:
        yield from _harness(stack)


def _harness(stack: RunningStack) -> Iterator[Harness]:
    started = Harness(stack)
    yield started
    started.close()


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "harness" in request.fixturenames:
        request.getfixturevalue("harness").dock.sandbox("DELETE", "/sandbox/faults")


@pytest.fixture
def report() -> Callable[[str], None]:
    """Keep a figure to print at the end of the run: measured, not asserted."""
    return _FIGURES.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section("figures")
        for figure in _FIGURES:
            terminalreporter.write_line(figure)
