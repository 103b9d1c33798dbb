"""README's table of what is known of Gmail: each row has its source, and a test that holds it."""

from __future__ import annotations

import re

from local.settings import REPOSITORY

README = REPOSITORY / "local" / "gmail_sandbox" / "README.md"
SOURCES = re.compile(r"\[([^\]]+)\]")


def known() -> tuple[list[list[str]], str]:
    """The table's rows, each as its four cells, and what follows it."""
    section = README.read_text().split("## What is known of Gmail\n")[1]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]], section


def test_each_row_names_a_test_that_exists() -> None:
    rows, _ = known()
    tests = "".join(path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py"))
    assert len(rows) > 15
    for row in rows:
        assert len(row) == 4, row
        assert f"def {row[3].strip('`')}(" in tests, row[3]


def test_each_row_says_where_it_is_from_and_each_source_has_an_address() -> None:
    rows, section = known()
    addresses = dict(re.findall(r"^\[([^\]]+)\]: (https://\S+)$", section, re.MULTILINE))
    for row in rows:
        assert "documented" in row[1] or "seen" in row[1], row[0]
        assert SOURCES.search(row[1]), row[0]
    named = {name for row in rows for name in SOURCES.findall(row[1])}
    assert named == set(addresses)
