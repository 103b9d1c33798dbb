from __future__ import annotations

import pytest

from tests.template.transformed import Template, template_for


@pytest.fixture(scope="module")
def prod() -> Template:
    return template_for("prod")
