"""Ctrl-C and SIGTERM as KeyboardInterrupt, which a short step can put off until it is complete."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Interrupts:
    is_held_back = False
    has_come = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_held_back and not self.has_come:
            self.has_come = True  # a second one gets through: somebody is in a hurry
        else:
            raise KeyboardInterrupt


_INTERRUPTS = _Interrupts()


def listen() -> None:
    """Both signals interrupt, even where a shell started us in the background with one ignored."""
    signal.signal(signal.SIGTERM, _INTERRUPTS.handle)
    signal.signal(signal.SIGINT, _INTERRUPTS.handle)


@contextmanager
def held_back() -> Iterator[None]:
    """An interrupt in this block is raised at its end."""
    _INTERRUPTS.is_held_back = True
    try:
        yield
    finally:
        _INTERRUPTS.is_held_back = False
        has_come, _INTERRUPTS.has_come = _INTERRUPTS.has_come, False
        if has_come:
            raise KeyboardInterrupt
