from benchmarks.report.result import Goal, Result
from benchmarks.report.table import table


def cells(result: Result) -> list[str]:
    return [each.strip() for each in table([result]).splitlines()[2].strip("|").split("|")]


def test_a_row_shows_medians_the_figure_and_that_its_goal_is_met() -> None:
    shown = cells(
        Result(
            row="cold start, api",
            unit="ms",
            ours=[260, 250, 900],
            baseline=[200, 201, 199],
            baseline_is="ten lines",
            goal=Goal("ratio", "≤", 1.4),
        )
    )
    assert shown == ["cold start, api", "260 ms", "200 ms (ten lines)", "1.30×", "≤ 1.40×", "met"]


def test_a_missed_goal_stands_out() -> None:
    goal = Goal("speedup", "≥", 4)
    row = Result(row="batch of ten", unit="ms", ours=[500], baseline=[1500], goal=goal)
    assert cells(row)[3:] == ["3× faster", "≥ 4× faster", "**missed**"]


def test_a_difference_and_its_goal_have_the_unit() -> None:
    goal = Goal("difference", "≤", 6)
    row = Result(row="overhead", unit="ms", ours=[7.25], baseline=[2.5], goal=goal)
    assert cells(row)[3:] == ["4.75 ms", "≤ 6 ms", "met"]


def test_a_row_without_goal_and_baseline_only_reports() -> None:
    row = Result(row="gain of .pyc", unit="", ours=[1_234_567], note="lower bound")
    assert cells(row) == ["gain of .pyc (lower bound)", "1,234,567", "–", "", "report", "–"]


def test_a_row_without_goal_still_shows_how_it_compares() -> None:
    row = Result(row="all imported at once", unit="ms", ours=[30], baseline=[20])
    assert cells(row)[3:] == ["1.50×", "report", "–"]


def test_the_columns_line_up_in_a_terminal() -> None:
    rows = [Result(row="a" * length, unit="ms", ours=[length]) for length in (3, 30)]
    assert len({len(line) for line in table(rows).splitlines()}) == 1
