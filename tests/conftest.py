"""What every test can rely on: only loopback networking, one deployed stack per run, and `scc`."""

import functools
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from pytest_socket import socket_allow_hosts
from xdist.scheduler import LoadFileScheduling

from local.running_stack import RunningStack
from tests.shells import Scc, scc_here
from tests.suites import LONG

# What the Lambda environment sets before a handler is imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "test"
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "ShipCaptainCrew"

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
# Fixtures that take long to make, and the files that use them: one worker runs all of these.
MADE_ONCE = {
    "walked": (
        "release/deploy_role/test_on",
        "release/deployment/test_deploy",
        "release/test_deploy_walk",
        "release/test_first",
        "release/test_op",
        "release/test_smoke",
    ),
    "harness": ("chaos/",),
    "told": ("functions/whole_way/",),
}
TAKES_MINUTES = {"walked", "harness", "told"}  # whatever needs these fixtures is in the long suite
LONG_FIRST = ("ops", "browser", "pipeline", "fuzz", "local", "functions", "release")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


class Scheduling(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Divides the tests among the workers of `make test`: by file, or by shared fixture."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return _made_once(file) or file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on a stack come first, short ones last: no worker should end with a long one alone."""
    for item in items:
        used = MADE_ONCE.keys() & getattr(item, "fixturenames", ())
        if TAKES_MINUTES & used:
            item.add_marker(LONG)
        if used - {_made_once(item.nodeid)}:
            raise pytest.UsageError(f"{item.nodeid} uses {used}: name its file in MADE_ONCE.")
    items.sort(key=lambda item: _turn(item.nodeid))


def _made_once(nodeid: str) -> str:
    """The fixture that this file shares with others, or nothing."""
    for fixture, files in MADE_ONCE.items():
        if nodeid.startswith(tuple(f"tests/{each}" for each in files)):
            return fixture
    return ""


def _turn(nodeid: str) -> int:
    order = [*MADE_ONCE, *LONG_FIRST]
    place = _made_once(nodeid) or nodeid.split("/")[1]
    return order.index(place) if place in order else len(order)


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Deploy template.yaml once for the whole run, on ports of its own.

    With SCC_TEST_STACK=<state folder> the tests use a stack that is running already.
    """
    running = os.environ.get("SCC_TEST_STACK")
    if running:
        yield RunningStack.running(Path(running).resolve())
        return
    with RunningStack.temporary() as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def _read_the_descriptions_of_aws_once() -> None:
    """Let all boto3 sessions share what they read: one parses megabytes of JSON in 0.1 s."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)


@pytest.fixture(scope="session", autouse=True)
def _moto_works_out_each_name_once() -> None:
    """Moto tries a dozen spellings for each member of each answer: half of what a call costs.

    For a plain dict they follow from the member alone.
    """
    spellings: dict[tuple[int, str], tuple[Any, list[str]]] = {}
    work_out = XFormedAttributePicker.get_possible_keys

    def look_up(picker: XFormedAttributePicker, context: AttributePickerContext) -> Iterator[str]:
        if type(context.obj) is not dict:
            return work_out(picker, context)
        place = id(context.shape), context.key
        if place not in spellings:
            spellings[place] = context.shape, list(work_out(picker, context))
        return iter(spellings[place][1])

    XFormedAttributePicker.get_possible_keys = look_up  # type: ignore[method-assign,assignment]


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
