"""The pages name files that exist, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks" / "README.md",
    ROOT / "local" / "gmail_sandbox" / "README.md",
]
FOLDERS = "benchmarks|docs|functions|local|ops|release|shared|tests|web"
# In text, tables and drawings alike. What follows a slash, a dot or a letter is part of a URL, an
# import or another name; `{` and `…` stand for many files.
PATH = re.compile(rf"(?<![\w/.{{$-])(?:{FOLDERS}|\.github|\.ci)/[\w./*-]*[\w/*](?![\w{{…])")
ROOT_FILE = re.compile(r"`([\w.-]+\.(?:yaml|toml|lock|md)|Makefile)`")
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

pages = pytest.mark.parametrize("page", PAGES, ids=lambda each: str(each.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub addresses them."""
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pages
def test_every_path_in_it_exists(page: Path) -> None:
    text = page.read_text()
    paths = set(PATH.findall(text)) | set(ROOT_FILE.findall(text))
    missing = [
        each
        for each in sorted(paths)
        if not (any(ROOT.glob(each.rstrip("/"))) or any(page.parent.glob(each.rstrip("/"))))
    ]
    assert missing == []


@pages
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for address, heading in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", address):
            continue
        target = page.parent / address if address else page
        assert target.exists(), address
        if heading:
            assert heading in anchors(target), f"{address}#{heading}"
