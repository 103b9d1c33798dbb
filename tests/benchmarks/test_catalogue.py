import inspect
from importlib import import_module

import pytest

from benchmarks.__main__ import main
from benchmarks.catalogue import FAMILIES, Family, UnknownFamilyError, chosen


def test_without_only_all_families_except_on_demand_ones_are_measured() -> None:
    on_demand = [each for each in FAMILIES if each.is_on_demand]
    assert [each.name for each in on_demand] == ["mailbox", "suite"]
    assert chosen("") == [each for each in FAMILIES if each not in on_demand]
    assert chosen("suite,mailbox") == on_demand


def test_only_takes_several_names_and_keeps_the_order_of_the_table() -> None:
    assert [each.name for each in chosen(" router, cold,")] == ["cold", "router"]


def test_an_unknown_name_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownFamilyError, match=r"ONLY=hot: choose from cold, .*router"):
        chosen("cold,hot")


def test_the_command_exits_with_2_for_an_unknown_family(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "hot"])
    assert ended.value.code == 2
    assert "choose from cold" in capsys.readouterr().err


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_every_family_has_a_module_that_measures(family: Family) -> None:
    module = import_module(f"benchmarks.families.{family.name}")
    assert list(inspect.signature(module.measure).parameters) == ["say"]
