"""Carry out attacks one by one, each on an event as it was, and say by what each is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.attacks.checks import Checks
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
    for attack in attacks:
        told_before = checks.told_by_the_stream()
        with checks.scene.restored():
            attack.deed(checks.scene)
            yield Line(attack, tuple(checks.that_find(told_before)))
