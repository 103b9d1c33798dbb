from pathlib import Path

import pytest

from benchmarks.report.record import BEGIN, END, HERE, keep, kept, with_table
from benchmarks.report.result import Result


def result(row: str) -> Result:
    return Result(row=row, unit="ms", ours=[1.5, 2], baseline=[3])


def test_a_new_run_of_one_family_replaces_only_its_own_rows(tmp_path: Path) -> None:
    keep(tmp_path, "cold", {}, [result("old")])
    keep(tmp_path, "warm", {}, [result("warm")])
    keep(tmp_path, "cold", {}, [result("new")])
    assert [each.row for each in kept(tmp_path, ["warm", "never", "cold"])] == ["warm", "new"]


def test_every_single_run_is_kept_with_its_environment(tmp_path: Path) -> None:
    file = keep(tmp_path / "results", "cold", {"cores": 2}, [result("cold")])
    assert '"cores": 2' in file.read_text()
    (again,) = kept(tmp_path / "results", ["cold"])
    assert (again.ours, again.baseline) == ([1.5, 2], [3])


def test_a_new_table_replaces_the_old_one_and_nothing_else() -> None:
    page = f"before\n{BEGIN}old\n{END}after\n"
    once = with_table(page, "| new |\n")
    assert once == f"before\n{BEGIN}\n| new |\n\n{END}after\n"
    assert with_table(once, "| new |\n") == once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="has no <!-- table"):
        with_table("no marks", "| new |")


def test_the_readme_has_a_place_for_the_table() -> None:
    assert "| new |" in with_table((HERE / "README.md").read_text(), "| new |\n")
