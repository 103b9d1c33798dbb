"""The README's plots, drawn from the saved runs: cold starts, and latency under load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report.result import Result

mpl.use("agg")  # works without a display
OURS, BASELINE = "#0b5394", "#b7b7b7"


def draw(results: Sequence[Result], folder: Path) -> list[Path]:
    """A bar for the median, a dot for every run; no plot if its rows are missing.

    The beginning of a row's name decides which plot it belongs on.
    """
    plots = {
        "cold.png": "cold start",
        "latency.png": "POST latency",
        "load.png": "POST to mail p50",
    }
    return [
        _draw([each for each in results if each.row.startswith(begin)], folder / name)
        for name, begin in plots.items()
        if any(each.row.startswith(begin) for each in results)
    ]


def _draw(results: Sequence[Result], file: Path) -> Path:
    figure = Figure(figsize=(9, 0.9 + 0.62 * len(results)), layout="constrained")
    axes = figure.subplots()
    for place, result in enumerate(results):
        _bar(axes, place - 0.2, result.ours, OURS)
        _bar(axes, place + 0.2, result.baseline, BASELINE)
    axes.set_yticks(range(len(results)), [each.row for each in results])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{results[0].unit}: ours blue, the baseline gray; a bar is the median")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
    return file


def _bar(axes: Axes, place: float, samples: Sequence[float], color: str) -> None:
    if samples:
        axes.barh(place, median(samples), height=0.36, color=color)
        axes.plot(samples, [place] * len(samples), ".", color="black", alpha=0.35, markersize=4)
