from __future__ import annotations

import pytest

from local.gmail_sandbox.process import GmailSandbox
from tests.functions.whole_way.told import Told, travel


@pytest.fixture(scope="session")
def told() -> Told:
    """The journey, made once; the tests read what it left."""
    sandbox = GmailSandbox.start(flags=["--units-per-minute", "1000000", "--search-lag-ms", "0"])
    try:
        return travel(sandbox)
    finally:
        sandbox.stop()
