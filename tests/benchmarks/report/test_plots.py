from pathlib import Path

from benchmarks.report.plots import draw
from benchmarks.report.result import Result


def test_a_plot_is_drawn_for_the_rows_that_are_there(tmp_path: Path) -> None:
    rows = [
        Result(row="cold start, api", unit="ms", ours=[3, 4], baseline=[2, 2.5]),
        Result(row="memory peak, api", unit="MB", ours=[60], baseline=[40]),
    ]
    (file,) = draw(rows, tmp_path)
    assert file == tmp_path / "cold.png"
    assert file.read_bytes().startswith(b"\x89PNG")


def test_without_rows_nothing_is_drawn(tmp_path: Path) -> None:
    assert draw([], tmp_path) == []
