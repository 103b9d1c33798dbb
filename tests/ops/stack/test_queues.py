from __future__ import annotations

import signal
from typing import Any

import pytest

from ops.stack import queues
from ops.terminal.interrupts import listen


class InterruptedSqs:
    """Hides two messages, and is interrupted before its answer arrives."""

    def __init__(self) -> None:
        self.hidden: set[str] = set()

    def receive_message(self, **_: Any) -> dict[str, Any]:
        self.hidden = {"one", "two"}
        signal.raise_signal(signal.SIGTERM)
        return {"Messages": [{"ReceiptHandle": each} for each in sorted(self.hidden)]}

    def change_message_visibility_batch(self, **call: Any) -> dict[str, Any]:
        self.hidden -= {each["ReceiptHandle"] for each in call["Entries"]}
        return {}

    class exceptions:  # noqa: N801 - as botocore's clients have it
        OverLimit = RuntimeError


def test_an_interrupt_during_a_receive_leaves_no_message_hidden() -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    listen()
    sqs = InterruptedSqs()
    try:
        with pytest.raises(KeyboardInterrupt), dead_letters(sqs).looking(10) as look:
            list(look.pages())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert sqs.hidden == set()


def dead_letters(client: Any) -> queues.DeadLetterQueue:
    return queues.DeadLetterQueue(client, "https://sqs.example/dlq")
