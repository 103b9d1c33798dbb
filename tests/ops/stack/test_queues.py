from __future__ import annotations

import signal
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


class StandardSqs:
    """Says yes to every receipt, as a standard queue does, and acts on those that count."""

    def __init__(self) -> None:
        self.clock = 0.0
        self.deleted: list[str] = []
        self.shown: list[str] = []
        self._waiting = ["one", "two"]

    def receive_message(self, VisibilityTimeout: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._waiting, found = [], self._waiting
        self.clock += 1  # of the long poll
        return {"Messages": [{"ReceiptHandle": each} for each in found]}

    def delete_message(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        self.deleted.append(ReceiptHandle)

    def change_message_visibility_batch(self, **call: Any) -> dict[str, Any]:
        self.shown += [each["ReceiptHandle"] for each in call["Entries"]]
        return {}

    class exceptions:  # noqa: N801 - as botocore's clients have it
        OverLimit = RuntimeError


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("InvalidParameterValue", "The receipt handle has expired"),
        ("ReceiptHandleIsInvalid", "The input receipt handle is not a valid one"),
    ],
)
def test_a_receipt_that_sqs_takes_for_expired_deletes_nothing(code: str, says: str) -> None:
    class Strict(StandardSqs):
        def delete_message(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
            raise ClientError({"Error": {"Code": code, "Message": says}}, "DeleteMessage")

    sqs = Strict()
    with queues.DeadLetterQueue(sqs, "u", lambda: sqs.clock).looking(10) as look:
        list(look.pages())
        assert not look.delete("one")


def test_a_delete_that_is_denied_is_no_expired_receipt() -> None:
    class Denied(StandardSqs):
        def delete_message(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteMessage")

    sqs = Denied()
    with queues.DeadLetterQueue(sqs, "u", lambda: sqs.clock).looking(10) as look:
        list(look.pages())
        with pytest.raises(ClientError):
            look.delete("one")


def test_a_delete_is_believed_only_while_the_message_is_held() -> None:
    sqs = StandardSqs()
    with queues.DeadLetterQueue(sqs, "u", lambda: sqs.clock).looking(10) as look:
        list(look.pages())
        sqs.clock = 9.9
        assert look.delete("one")
        sqs.clock = 10.0  # SQS itself began to count later
        assert not look.delete("two")
    assert sqs.deleted == ["one"]


def test_a_delete_that_outlasts_the_hold_is_not_believed() -> None:
    class Slow(StandardSqs):
        def delete_message(self, ReceiptHandle: str, **more: Any) -> None:  # noqa: N803
            super().delete_message(ReceiptHandle, **more)
            self.clock += 5

    sqs = Slow()
    with queues.DeadLetterQueue(sqs, "u", lambda: sqs.clock).looking(10) as look:
        list(look.pages())
        sqs.clock = 9.0
        assert not look.delete("one")


@pytest.mark.parametrize(("clock", "shown"), [(9.9, ["one", "two"]), (10.0, [])])
def test_what_another_reader_may_hold_by_now_is_not_shown_again(
    clock: float, shown: list[str]
) -> None:
    sqs = StandardSqs()
    with queues.DeadLetterQueue(sqs, "u", lambda: sqs.clock).looking(10) as look:
        list(look.pages())
        sqs.clock = clock
    assert (sqs.shown, look.unreleased) == (shown, 0)


def dead_letters(client: Any) -> queues.DeadLetterQueue:
    return queues.DeadLetterQueue(client, "https://sqs.example/dlq")
