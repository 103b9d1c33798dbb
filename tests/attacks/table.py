"""Carry out attacks one by one, each on an event as it was, and say by what each is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.attacks.checks import BY_ITSELF, STREAM, Checks
from tests.attacks.plan import Attack


@dataclass(frozen=True, slots=True)
class Line:
    """named_by: the checks that name it, in the order in which they were asked.

    by_itself: the first of them that nobody has to start, empty without one. seconds: from the deed
    until that one named it; the watch and the statement were started at once.
    """

    attack: Attack
    named_by: tuple[str, ...]
    by_itself: str
    seconds: float

    @property
    def verdict(self) -> str:
        is_named = self.by_itself if self.attack.needs_a_watcher else self.named_by
        return "named" if is_named else "MISSED"


def carried_out(attacks: Iterable[Attack], checks: Checks) -> Iterator[Line]:
    """Named by: the checks that find more than before. In the end, all must be as it was."""
    calm = checks.found()
    for attack in attacks:
        before = calm | {STREAM: checks.told_by_the_stream()}
        with checks.scene.restored():
            attack.deed(checks.scene)
            told = list(checks.told())
        named = {name: seconds for name, count, seconds in told if count > before[name]}
        first = next((name for name in named if name in BY_ITSELF), "")
        yield Line(attack, tuple(named), first, named.get(first, 0.0))
    left = checks.found() | {STREAM: 0}
    assert left == calm | {STREAM: 0}, f"an attack was not undone: {left}"
