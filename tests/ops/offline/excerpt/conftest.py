from __future__ import annotations

import pytest

from tests.ops.excerpts import corrected_payment, excerpt, sealed


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    entries, own = corrected_payment()
    return excerpt(own, sealed(entries))
