"""What the release tests start from: an account that a newcomer has just deployed into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dock import until
from tests.release.walk import Account, blocks, empty_account


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A formerly empty account, after a newcomer followed docs/deploy.md."""
    with empty_account(tmp_path_factory.mktemp("walk")) as account:
        done = account.shell("\n".join(blocks()))
        assert done.returncode == 0, done.stdout[-6000:]
        until(account.mails)
        today = '"$(TZ=America/New_York date +%F)"'
        done = account.shell(f".venv/bin/scc reconcile --from {today} --mailbox")
        assert done.returncode == 0, done.stdout  # ledger, deliveries and mailbox agree
        yield account
