"""A look through the dead-letter queue: each message joined with its delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ops.rules.dead_letters import (
    Cause,
    DeadLetter,
    Selection,
    Verdict,
    cause_of,
    read_letter,
    verdict_of,
)
from shared.audit.messages import Message

JOINED = 100  # messages whose deliveries are read in one call


class Pages(Protocol):
    def pages(self) -> Iterator[Sequence[Mapping[str, Any]]]: ...


class Ledger(Protocol):
    def deliveries(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class Originals(Ledger, Protocol):
    """What mails are made from. lacking: messages of which none can be made, and why."""

    def lacking(self, messages: Sequence[Message]) -> Mapping[Message, Verdict]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """raw: the message as SQS returned it, only when asked for: bodies may be large."""

    letter: DeadLetter
    receipt: str
    delivery: Mapping[str, Any] | None
    raw: Mapping[str, Any] | None = None

    @property
    def cause(self) -> Cause:
        return cause_of(self.letter, self.delivery)


def survey(
    look: Pages,
    ledger: Ledger,
    advance: Callable[[int], None],
    keep: Callable[[DeadLetter], bool] = lambda _: False,
) -> Iterator[Examined]:
    """Every message that the look shows, once. keep: for which ones to keep `raw`."""
    seen: set[str] = set()
    some: list[tuple[DeadLetter, str, Mapping[str, Any] | None]] = []
    for page in look.pages():
        for raw in page:
            letter = read_letter(raw)
            if letter.message_id in seen:
                continue  # its hold ended, and it came back
            seen.add(letter.message_id)
            some.append((letter, str(raw["ReceiptHandle"]), raw if keep(letter) else None))
        advance(len(page))
        if len(some) >= JOINED:
            yield from _joined(some, ledger)
            some = []
    yield from _joined(some, ledger)


def judged(
    examined: Sequence[Examined], originals: Originals, selection: Selection
) -> Iterator[tuple[Examined, Verdict]]:
    """What a replay would do with each of these."""
    messages = [each.letter.message for each in examined if each.letter.message]
    lacking = originals.lacking(list(dict.fromkeys(messages)))
    for each in examined:
        message = each.letter.message
        verdict = verdict_of(
            each.letter,
            each.delivery,
            lack=lacking.get(message) if message else None,
            is_named=bool(selection.ids),
        )
        yield each, verdict


def _joined(
    some: Sequence[tuple[DeadLetter, str, Mapping[str, Any] | None]], ledger: Ledger
) -> Iterator[Examined]:
    deliveries = ledger.deliveries([letter.subject_id for letter, _, _ in some])
    for letter, receipt, raw in some:
        delivery = deliveries.get(letter.subject_id)
        yield Examined(letter=letter, receipt=receipt, delivery=delivery, raw=raw)
