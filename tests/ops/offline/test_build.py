"""The one file that auditors get is the parts that the tests test, and nothing else."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

import pytest

from ops.offline.build import BUILT, PARTS, ROOT, NotOneFileError, built


def test_the_committed_verifier_is_built_from_the_committed_parts() -> None:
    assert BUILT.read_text() == built(), "run `make verifier`"


def test_it_imports_the_standard_library_alone() -> None:
    modules = set()
    for node in ast.walk(ast.parse(built())):
        if isinstance(node, ast.Import):
            modules |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
    assert {each.split(".")[0] for each in modules} <= sys.stdlib_module_names


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    for each in PARTS:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / each, tmp_path / each)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("from shared.reads import batch_get", "shared.reads is not a part"),
        ("import shared.text", "by its own names"),
        ("from typing import Any as Thing", "by its own names"),
        ("def link_of() -> None: ...", "link_of is in"),
    ],
)
def test_what_does_not_fit_into_one_file_is_refused(parts: Path, line: str, says: str) -> None:
    part = parts / "ops/offline/report.py"
    part.write_text(part.read_text().replace("\nNotes = ", f"\n{line}\nNotes = "))
    with pytest.raises(NotOneFileError, match=says):
        built(parts)
