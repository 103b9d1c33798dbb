"""Which suite a test is in: `make test` runs all but the long ones, `make test-long` the others."""

from __future__ import annotations

from typing import Any

import pytest

LONG = pytest.mark.long


def later(*values: Any) -> Any:
    """A set of parameters that only the long suite tries: another one stands for its kind."""
    return pytest.param(*values, marks=LONG)
