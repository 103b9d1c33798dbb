"""The show of `make demo-outage`, from the first chapter to the proof."""

from __future__ import annotations

import pytest

from local.demo.outage import PATRONS, Show
from local.running_stack import RunningStack
from tests.dock import Dock, until
from tests.ops.conftest import DeadLetters
from tests.ops.voyage import set_sail
from tests.suites import LONG


@LONG
def test_the_show_runs_from_the_outage_to_the_happy_ending(
    stack: RunningStack, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = DeadLetters(Dock(stack).sign_in())
    until(dead.dock.is_queue_empty)
    dead.clear()
    Show(stack, set_sail(dead.dock, 0, PATRONS).event_id).run()
    told = capsys.readouterr().out
    at = [
        told.index(text)
        for text in (
            "1. A quiet evening",
            "2. Gmail goes down",
            "their mails: arrived after",
            "three dead letters: arrived after",
            "$ scc dlq groups",
            "permanent  ",
            "all: 3 send",
            "Stopped: the first message failed again",
            "sent     5",
            "every mail: arrived after",
            "0 missing, 0 duplicate, 0 altered, 0 orphan",
            "0 dead letters",
        )
    ]
    assert at == sorted(at)
