"""Where a proof is written: a file or a folder, named by whoever asks."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ops.cli import scc

PAY = "pay_" + "0" * 32


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evidence", PAY, "--out", ""], "it is empty: name a file"),
        (["evidence", PAY, "--out", "-"], "nothing is written to stdout: name a file"),
        (["key", "--out", ""], "it is empty: name a file"),
        (["key", "--out", "-"], "nothing is written to stdout: name a file"),
        (["statement", "2026-11-24", "--into", ""], "it is empty: name a folder"),
        (["statement", "2026-11-24", "--into", "-"], "nothing is written to stdout: name a folder"),
    ],
)
def test_a_place_that_is_none_is_refused_before_anything_is_read(
    arguments: list[str], says: str
) -> None:
    answer = CliRunner().invoke(scc, [*arguments, "--endpoint-url", "http://127.0.0.1:9"])
    assert answer.exit_code == 2
    assert says in " ".join(answer.output.split())
