"""Google's stand-in, started once: its quotas are lifted, its faults cleared before each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.process import GmailSandbox

AUDIT = "audit@shipcaptaincrew.example"
ADDRESSES = Addresses(AUDIT, AUDIT)


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[GmailSandbox]:
    sandbox = GmailSandbox.start(flags=["--units-per-minute", "1000000", "--search-lag-ms", "0"])
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running_sandbox: GmailSandbox) -> GmailSandbox:
    running_sandbox.clear_faults()
    running_sandbox.request("DELETE", "/sandbox/messages")
    return running_sandbox


@pytest.fixture
def gmail(sandbox: GmailSandbox) -> Iterator[Callable[..., Gmail]]:
    """Makes adapters that talk to the sandbox, and closes them."""
    made: list[Gmail] = []

    def make(method: DeliveryMethod = "send") -> Gmail:
        key = sandbox.service_account_info
        made.append(Gmail(lambda: key, AUDIT, method, sandbox.url + "/"))
        return made[-1]

    yield make
    for each in made:
        each.close()
