from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from ops.terminal.interrupts import held_back, listen

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in SIGNALS}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts background jobs
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a test run under nohup ignores it
    listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_every_signal_interrupts_at_once(number: signal.Signals) -> None:
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


@pytest.mark.parametrize("number", SIGNALS)
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


def test_a_closed_terminal_counts_once_however_many_tell_of_it() -> None:
    steps = step(signal.SIGHUP, signal.SIGHUP)
    assert next(steps) == "completed"
    with pytest.raises(KeyboardInterrupt):
        next(steps)


def test_nohup_outlives_its_terminal() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    listen()
    signal.raise_signal(signal.SIGHUP)


def test_what_interrupted_one_step_does_not_interrupt_the_next() -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            list(step(signal.SIGINT))
    assert list(step()) == ["completed"]


def outer_step() -> Iterator[str]:
    with held_back():
        yield from step(signal.SIGINT)
        yield "went on"


def test_a_step_within_a_step_does_not_end_the_outer_one() -> None:
    steps = outer_step()
    assert [next(steps), next(steps)] == ["completed", "went on"]
    with pytest.raises(KeyboardInterrupt):
        next(steps)
