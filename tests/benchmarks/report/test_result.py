import pytest

from benchmarks.report.result import Figure, Goal, Result


def result(goal: Goal | None = None, baseline: tuple[float, ...] = (10, 11, 90)) -> Result:
    return Result(
        row="cold start, api", unit="ms", ours=[22, 500, 20], baseline=baseline, goal=goal
    )


@pytest.mark.parametrize(
    ("figure", "expected"),
    [("ratio", 2.0), ("speedup", 0.5), ("difference", 11), ("value", 22)],
)
def test_a_figure_compares_medians_so_one_slow_run_does_not_skew_it(
    figure: Figure, expected: float
) -> None:
    assert result().figure(figure) == expected


@pytest.mark.parametrize(
    ("goal", "is_met"),
    [
        (Goal("ratio", "≤", 2.0), True),
        (Goal("ratio", "≤", 1.99), False),
        (Goal("value", "≥", 22), True),
        (Goal("value", "≥", 23), False),
        (None, None),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal: Goal | None, *, is_met: bool | None) -> None:
    assert result(goal).is_met is is_met


def test_a_comparison_without_a_baseline_is_refused() -> None:
    with pytest.raises(ValueError, match="cold start, api: a ratio needs a baseline"):
        result(baseline=()).figure("ratio")


@pytest.mark.parametrize("goal", [None, Goal("difference", "≤", 6)])
def test_a_result_survives_being_saved(goal: Goal | None) -> None:
    again = Result.from_json(result(goal).to_json())
    assert again.to_json() == result(goal).to_json()
    assert again.goal == goal
