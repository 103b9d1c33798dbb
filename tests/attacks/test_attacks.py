"""A short `make attacks`: attacks are named, and without its check one of them would not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.running_stack import RunningStack
from tests.attacks.checks import STATEMENT, STREAM, Checks
from tests.attacks.plan import EVERY, Attack
from tests.attacks.scene import Scene
from tests.attacks.table import carried_out
from tests.dock import Dock
from tests.ops.voyage import Voyage, set_sail
from tests.shells import Scc
from tests.suites import LONG, later

SHORT = {
    "rewrite an entry and all that follow it, head included": {"scc verify --mbox", STREAM},
    "store a note as bytes": {"scc verify", STREAM},
    "remove a mail and leave a forward of it": {"scc verify --mbox"},
}
OF_ROWS, OF_TEXT = "let an entry expire tomorrow", "change the method in a mail's text"


@pytest.fixture(scope="module")
def voyage(stack: RunningStack) -> Voyage:
    return set_sail(Dock(stack).sign_in())


@pytest.fixture
def checks(local: Scc, voyage: Voyage, tmp_path: Path) -> Checks:
    scene = Scene(voyage, voyage.export(tmp_path / "export.mbox"))
    return Checks(local, scene, ("scc verify", "scc verify --mbox"))


def named(name: str) -> Attack:
    (attack,) = (each for each in EVERY if each.name == name)
    return attack


@LONG
def test_attacks_are_named(checks: Checks) -> None:
    lines = list(carried_out(map(named, SHORT), checks))
    assert [(line.attack.name, line.verdict) for line in lines] == [
        (name, "named") for name in SHORT
    ]
    for line in lines:
        assert SHORT[line.attack.name] <= set(line.named_by), line


@LONG
def test_the_statement_names_what_changes_no_row(
    local: Scc, voyage: Voyage, tmp_path: Path
) -> None:
    scene = Scene(voyage, voyage.export(tmp_path / "export.mbox"))
    attacks = [
        named("change a head's totals"),
        named("delete a pointer"),
        named("write a head's number in words"),
    ]
    lines = carried_out(attacks, Checks(local, scene, (STATEMENT,)))
    assert [line.by_itself for line in lines] == [STATEMENT] * len(attacks)


@LONG
@pytest.mark.parametrize(
    ("attack", "check", "nothing"),
    [
        later(OF_ROWS, "ops.offline.ledger.links.faults_of", lambda _: []),
        (OF_TEXT, "ops.offline.mail.judged.payment_problem", lambda *_: ("", [])),
    ],
)
def test_without_its_check_an_attack_passes(
    checks: Checks, monkeypatch: pytest.MonkeyPatch, attack: str, check: str, nothing: object
) -> None:
    (line,) = carried_out([named(attack)], checks)
    assert set(line.named_by) - {STREAM}
    monkeypatch.setattr(check, nothing)
    (line,) = carried_out([named(attack)], checks)
    assert set(line.named_by) <= {STREAM}
