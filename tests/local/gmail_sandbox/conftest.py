from collections.abc import Iterator

import pytest

from local.gmail_sandbox.process import GmailSandbox
from tests.local.gmail_sandbox.client import close_clients


@pytest.fixture(scope="session")
def sandbox() -> Iterator[GmailSandbox]:
    with GmailSandbox.start(flags=["--search-lag-ms", "0"]) as running:
        yield running


@pytest.fixture
def gmail(sandbox: GmailSandbox) -> Iterator[GmailSandbox]:
    """The shared sandbox, emptied and without faults."""
    sandbox.clear_messages()
    yield sandbox
    sandbox.clear_faults()


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    close_clients()
