"""What happened to sealed statements is in the next one, and an alarm once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from functions.daily_statement.rules import evidence
from functions.daily_statement.rules.evidence import Damage, Sealed
from shared.ledger import canonical_json
from shared.statements.places import SEALED, StatementPlace, record_key
from tests.functions.daily_statement.conftest import BUCKET, DAY, Office
from tests.functions.daily_statement.test_findings import next_day

NEXT, THIRD, FOURTH = "2025-11-25", "2025-11-26", "2025-11-27"


def told(office: Office, day: str = THIRD) -> list[tuple[str, str, bool]]:
    """What the sealed statement of a day says."""
    stated = office.stated(day)["evidence"]
    return [(each["day"], each["what"], each["is_new"]) for each in stated]


@pytest.fixture
def two_sealed(office: Office) -> Office:
    """Those of DAY and NEXT; THIRD is over."""
    office.log("pay_1")
    next_day(office)
    next_day(office)
    office.clock.now += 86_400_000
    for place in office.handed_over():
        office.put("AuditDeliveries", {"payment_id": place.delivery_id, "state": "sent"})
    return office


def take_out(office: Office, day: str, *ends: str) -> None:
    """Every version, as nobody can where the bucket is locked for good."""
    listed = office.s3.list_object_versions(Bucket=BUCKET, Prefix=f"{SEALED}{day}/")
    for each in listed["Versions"]:
        if each["Key"].endswith(ends):
            office.s3.delete_object(
                Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"],
                BypassGovernanceRetention=True,
            )  # fmt: skip


def hide(office: Office) -> None:
    office.s3.delete_object(Bucket=BUCKET, Key=record_key(DAY))


def cover(office: Office) -> None:
    office.s3.put_object(Bucket=BUCKET, Key=record_key(DAY), Body=b"{}")


DEEDS: dict[str, tuple[Callable[[Office], None], str]] = {
    "hidden": (hide, evidence.HIDDEN.format("statement.json")),
    "covered": (cover, evidence.ON_TOP.format("statement.json")),
    "taken out": (lambda office: take_out(office, DAY, ".json"), evidence.NO_STATEMENT),
    "unsigned": (lambda office: take_out(office, DAY, ".sig"), evidence.NO_SIGNATURE),
}  # fmt: skip


def test_what_nobody_touched_is_no_finding_and_statements_are_numbered(two_sealed: Office) -> None:
    two_sealed.run()
    assert told(two_sealed) == []
    days = (DAY, NEXT, THIRD)
    assert [two_sealed.stated(each)["number"] for each in days] == [1, 2, 3]


@pytest.mark.parametrize("deed", DEEDS)
def test_what_was_done_to_a_sealed_statement_is_named_and_an_alarm_once(
    two_sealed: Office, deed: str
) -> None:
    act, what = DEEDS[deed]
    act(two_sealed)
    next_day(two_sealed)
    assert (DAY, what, True) in told(two_sealed)
    two_sealed.run()
    assert (DAY, what, False) in told(two_sealed, FOURTH)
    assert not any(is_new for _, _, is_new in told(two_sealed, FOURTH))


def test_the_last_one_taken_out_is_sealed_anew_and_named(two_sealed: Office) -> None:
    gone = two_sealed.stated(NEXT)
    take_out(two_sealed, NEXT, "statement.json")
    two_sealed.run()
    assert two_sealed.stated(NEXT)["made_at"] != gone["made_at"]
    what = evidence.MAILED.format(hashlib.sha256(canonical_json(gone)).hexdigest())
    assert told(two_sealed, NEXT) == [(NEXT, what, True)]
    assert told(two_sealed, THIRD) == [(NEXT, what, False)]


def test_a_day_of_which_no_file_is_left_is_missed(two_sealed: Office) -> None:
    take_out(two_sealed, DAY, ".json", ".sig")
    two_sealed.run()
    assert told(two_sealed) == [("", evidence.FEWER.format(1), True)]


def sealed(versions: dict[str, int], mailed: set[str] | None = None, **more: Any) -> list[Damage]:
    def are_mailed(places: Any) -> list[StatementPlace]:
        return [each for each in places if each.sha256 in (mailed or ())]

    keys = {f"{SEALED}{name}": count for name, count in versions.items()}
    values: dict[str, Any] = {"hidden": (), "count": None, "sha256_of": lambda _: A} | more
    return Sealed(versions=keys, are_mailed=are_mailed, **values).damages()


A, B = "a" * 64, "b" * 64
WHOLE = {f"{DAY}/statement.json": 1, f"{DAY}/{A}.sig": 1, f"{DAY}/heads_{A}.json": 1}


def test_a_run_that_died_before_it_sealed_is_no_finding() -> None:
    assert sealed(WHOLE | {f"{DAY}/{B}.sig": 1, f"{DAY}/heads_{B}.json": 1}, {A}) == []
    assert sealed({f"{DAY}/{A}.sig": 1}) == []


@pytest.mark.parametrize("mailed", [{A, B}, {B}])
def test_a_statement_that_was_mailed_and_is_not_the_one_that_is_there_is_named(
    mailed: set[str],
) -> None:
    assert sealed(WHOLE | {f"{DAY}/{B}.sig": 1}, mailed) == [Damage(DAY, evidence.MAILED.format(B))]


def test_more_statements_than_were_counted_are_no_finding() -> None:
    assert sealed(WHOLE, count=0) == []
    assert sealed(WHOLE, count=1) == []


def test_what_is_no_file_of_a_day_is_not_ours() -> None:
    assert not evidence.is_sealed_key("statements/notes.txt")
    assert not evidence.is_sealed_key("statements/2025-11-24/a/b")
    assert evidence.is_sealed_key(record_key(DAY))
