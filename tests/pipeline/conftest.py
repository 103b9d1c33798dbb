from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.running_stack import RunningStack
from tests.dock import Dock


@pytest.fixture
def dock(stack: RunningStack) -> Iterator[Dock]:
    """The admin, signed in; whatever faults a test sets are gone after it."""
    signed_in = Dock(stack).sign_in()
    signed_in.sandbox("DELETE", "/sandbox/faults")
    yield signed_in
    signed_in.sandbox("DELETE", "/sandbox/faults")
