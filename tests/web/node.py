"""The Node.js that the project installs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def node() -> str:
    bundled = ROOT / ".tools" / "engine" / "bin" / "node"
    found = str(bundled) if bundled.exists() else shutil.which("node")
    if found is None:
        pytest.fail("node is missing: run `make install`, which puts one into .tools/engine.")
    return found
