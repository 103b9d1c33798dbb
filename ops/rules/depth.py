"""How many messages a queue has, and how long a look through them takes."""

from __future__ import annotations

from dataclasses import dataclass

SLOWEST_PAGING = 20  # messages a second, to estimate how long a look takes


@dataclass(frozen=True, slots=True)
class Depth:
    """SQS's own approximate counts: waiting to be received, in flight, delayed."""

    waiting: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight + self.delayed


def hold_seconds(depth: int) -> int:
    """How long messages must stay hidden during a look through a queue this deep."""
    return 10 + depth // SLOWEST_PAGING
