"""Ctrl-C, SIGTERM and a closed terminal as KeyboardInterrupt.

A short step can put it off until it is complete.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Interrupts:
    is_held_back = False
    has_come = False

    def handle(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:  # the shell and the kernel both send one: that is not a hurry
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if self.is_held_back and not self.has_come:
            self.has_come = True  # a second one gets through: somebody is in a hurry
        else:
            raise KeyboardInterrupt


_INTERRUPTS = _Interrupts()


def listen() -> None:
    """All interrupt, even where a shell started us in the background with SIGINT ignored.

    `nohup` ignores SIGHUP on purpose.
    """
    signal.signal(signal.SIGTERM, _INTERRUPTS.handle)
    signal.signal(signal.SIGINT, _INTERRUPTS.handle)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _INTERRUPTS.handle)


@contextmanager
def held_back() -> Iterator[None]:
    """An interrupt in this block is raised at its end; inside another one, at the end of that."""
    if _INTERRUPTS.is_held_back:
        yield
        return
    _INTERRUPTS.is_held_back = True
    try:
        yield
    finally:
        _INTERRUPTS.is_held_back = False
        has_come, _INTERRUPTS.has_come = _INTERRUPTS.has_come, False
        if has_come:
            raise KeyboardInterrupt
