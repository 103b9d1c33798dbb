"""How commands print: whole when piped, safe always."""

from __future__ import annotations

import re

import pytest

from ops.terminal.console import Console


def test_a_piped_table_is_never_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    wide = [("x" * 500, "1234567", "李小龍 " + "y" * 300), ("\x1b[2J", "0", "")]
    Console(as_json=False).table(("first", "second", "third"), wide)
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["first", "second", "third"]
    assert first.split() == ["x" * 500, "1234567", "李小龍", "y" * 300]
    assert second.split() == ["\\x1b[2J", "0"]


def test_a_sentence_that_names_a_file_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Console(as_json=False).say("Saved to a\x1b[2J.json\nand kept.")
    assert capsys.readouterr().err.splitlines() == ["Saved to a\\x1b[2J.json", "and kept."]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_a_table_that_is_too_wide_for_the_terminal_is_a_block_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    found = ("missing", "sunset-charter", "#000003-#000009", "", "its mail was sent " * 3)
    columns = ("finding", "event", "entry", "payment", "detail")
    Console(as_json=False).table(columns, [found, found])
    shown = capsys.readouterr().out
    words = re.sub(r"\x1b\[[0-9;]*m", "", shown).split()
    for cell in found:
        assert all(words.count(word) >= 2 for word in cell.split() if len(word) < width - 12)
    assert "\u2026" not in shown
    assert ("payment" in words) is (width == 200), "an empty cell is no line of a block"
