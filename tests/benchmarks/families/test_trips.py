from benchmarks.families.mailer import amiss
from benchmarks.families.trips import longest_chain
from benchmarks.rig.endpoint import Call


def calls(*spans: tuple[float, float]) -> list[Call]:
    return [Call("DynamoDB_20120810.Query", came, went) for came, went in spans]


def test_calls_that_wait_for_each_other_all_count() -> None:
    assert longest_chain(calls((0, 1), (1.1, 2), (2.1, 3))) == 3


def test_calls_side_by_side_count_once() -> None:
    assert longest_chain(calls((0, 1), (0.1, 1.1), (1.2, 2), (1.3, 5))) == 2


def test_a_long_call_beside_a_chain_does_not_hide_it() -> None:
    assert longest_chain(calls((0, 10), (0, 1), (2, 3))) == 2


def test_no_calls_make_no_trips() -> None:
    assert longest_chain([]) == 0


def test_a_lost_mail_and_a_duplicate_both_count_as_wrong() -> None:
    assert amiss(["a", "b", "c"], ["a", "b", "c", "another's"]) == 0
    assert amiss(["a", "b", "c"], ["a", "a", "a", "c"]) == 3
