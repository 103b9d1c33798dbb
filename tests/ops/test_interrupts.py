from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from ops.interrupts import held_back, listen


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts background jobs
    listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_interrupt_at_once(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def step(*signals: signal.Signals, fails: bool = False) -> Iterator[str]:
    """Is interrupted, and goes on to its end."""
    with held_back():
        for number in signals:
            signal.raise_signal(number)
        yield "completed"
        if fails:
            raise ValueError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("fails", [False, True])
def test_a_step_that_holds_it_back_is_completed_first(
    number: signal.Signals,
    fails: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    steps = step(number, fails=fails)
    assert next(steps) == "completed"
    with pytest.raises(KeyboardInterrupt):
        next(steps)


def test_a_second_signal_does_not_wait() -> None:
    steps = step(signal.SIGINT, signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        next(steps)


def test_what_interrupted_one_step_does_not_interrupt_the_next() -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            list(step(signal.SIGINT))
    assert list(step()) == ["completed"]
