"""A measurement: our runs, the baseline's runs, and their goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

Figure = Literal["ratio", "speedup", "difference", "value"]


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit on one figure of a result, such as Goal("ratio", "≤", 1.4).

    ratio: median of ours divided by median of the baseline; speedup: the inverse; difference: ours
    minus the baseline, in the result's unit; value: the median of ours alone.
    """

    figure: Figure
    sign: Literal["≤", "≥"]
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row of the table, with every single run.

    row: what is measured, the table's first column. ours, baseline: one number per run, taken in
    turns within the same minutes; the baseline may be empty. unit: of both, such as "ms".
    """

    row: str
    unit: str
    ours: Sequence[float]
    baseline: Sequence[float] = ()
    baseline_is: str = ""
    goal: Goal | None = None
    note: str = ""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Result:
        goal = fields["goal"]
        return cls(**{**fields, "goal": Goal(**goal) if goal else None})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def figure(self, name: Figure) -> float:
        """Raises ValueError for a comparison without a baseline."""
        if not self.ours:
            raise ValueError(f"{self.row}: nothing was measured")
        ours = median(self.ours)
        if name == "value":
            return ours
        if not self.baseline:
            raise ValueError(f"{self.row}: a {name} needs a baseline")
        baseline = median(self.baseline)
        if name == "difference":
            return ours - baseline
        return ours / baseline if name == "ratio" else baseline / ours

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None if there is no goal."""
        if self.goal is None:
            return None
        reached = self.figure(self.goal.figure)
        return reached <= self.goal.limit if self.goal.sign == "≤" else reached >= self.goal.limit
