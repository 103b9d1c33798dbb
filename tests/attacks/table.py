"""Carry out attacks one by one, each on an event as it was, and say by what each is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.attacks.checks import STREAM, Checks
from tests.attacks.plan import Attack


@dataclass(frozen=True, slots=True)
class Line:
    attack: Attack
    named_by: tuple[str, ...]

    @property
    def verdict(self) -> str:
        if self.named_by:
            return "named"
        return f"open until {self.attack.left_open}" if self.attack.left_open else "MISSED"


def carried_out(attacks: Iterable[Attack], checks: Checks) -> Iterator[Line]:
    """Named by: the checks that find more than before. In the end, all must be as it was."""
    calm = checks.found()
    for attack in attacks:
        before = calm | {STREAM: checks.told_by_the_stream()}
        with checks.scene.restored():
            attack.deed(checks.scene)
            after = checks.found()
            yield Line(attack, tuple(name for name in after if after[name] > before[name]))
    left = checks.found() | {STREAM: 0}
    assert left == calm | {STREAM: 0}, f"an attack was not undone: {left}"
