"""How commands print: whole when piped, safe always."""

from __future__ import annotations

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
