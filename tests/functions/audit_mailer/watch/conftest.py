from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from tests.functions.audit_mailer.watch.watching import Watching
from tests.functions.audit_mailer.world import World


@pytest.fixture
def watching(world: World, gmail: Callable[..., Gmail]) -> Watching:
    assert world.deliver() == "sent"
    return Watching(world, gmail())
