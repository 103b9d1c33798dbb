"""Which suite a test is in: `make test` runs all but the long ones, `make test-long` the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

LONG = pytest.mark.long


def one_in(count: int, sets: Iterable[Sequence[Any]]) -> list[Any]:
    """Every so many-th of these sets of parameters; only the long suite tries the others."""
    return [later(*each) if number % count else each for number, each in enumerate(sets)]


def later(*values: Any) -> Any:
    """A set of parameters that only the long suite tries: another one stands for its kind."""
    return pytest.param(*values, marks=LONG)
