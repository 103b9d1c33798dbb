"""The table at the end of a run, in Markdown that reads well in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.report.result import Figure, Goal, Result

HEAD = ("what", "ours", "baseline", "", "goal", "")
VERDICTS = {True: "met", False: "**missed**", None: "–"}


def table(results: Iterable[Result]) -> str:
    """Medians of ours and of the baseline, the goal's figure, and the verdict."""
    rows = [HEAD, *(_cells(each) for each in results)]
    widths = [max(3, *(len(row[n]) for row in rows)) for n in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines) + "\n"


def _cells(result: Result) -> tuple[str, ...]:
    baseline = _amount(median(result.baseline), result.unit) if result.baseline else "–"
    if result.baseline and result.baseline_is:
        baseline += f" ({result.baseline_is})"
    return (
        f"{result.row} ({result.note})" if result.note else result.row,
        _amount(median(result.ours), result.unit),
        baseline,
        _figure(result),
        _bound(result.goal, result.unit) if result.goal else "report",
        VERDICTS[result.is_met],
    )


def _figure(result: Result) -> str:
    if result.goal is not None:
        name = result.goal.figure
    elif result.baseline and min(median(result.ours), median(result.baseline)) > 0:
        name = "ratio"
    else:
        return ""
    return "" if name == "value" else _of(name, result.figure(name), result.unit)


def _bound(goal: Goal, unit: str) -> str:
    return f"{goal.sign} {_of(goal.figure, goal.limit, unit)}"


def _of(figure: Figure, number: float, unit: str) -> str:
    if figure == "ratio":
        return f"{_plain(number)}×"
    if figure == "speedup":
        return f"{_plain(number)}× faster"
    return _amount(number, unit)


def _amount(number: float, unit: str) -> str:
    return f"{_plain(number)} {unit}".rstrip()


def _plain(number: float) -> str:
    """About three digits: nobody needs more, and the measurement has no more."""
    if number == int(number) or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.2f}" if abs(number) < 10 else f"{number:.1f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - len(cell)) for cell, width in zip(cells, widths, strict=True))
    return "| " + " | ".join(padded) + " |"
