"""What happened to sealed statements is in the next one, and an alarm once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from functions.daily_statement.rules import evidence
from functions.daily_statement.rules.evidence import Damage, Sealed
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from shared.ledger import canonical_json
from shared.statements.places import SEALED, StatementPlace, record_key
from tests.functions.daily_statement.conftest import BUCKET, DAY, DAY_MS, Office
from tests.functions.daily_statement.test_findings import next_day
from tests.suites import LONG, later

NEXT, THIRD, FOURTH = "2025-11-25", "2025-11-26", "2025-11-27"
FIFTH = "2025-11-28"
A, B = "a" * 64, "b" * 64


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
    "covered": (cover, evidence.ON_TOP.format("statement.json", 1)),
    "taken out": (lambda office: take_out(office, DAY, ".json"), evidence.NO_STATEMENT),
    "unsigned": (lambda office: take_out(office, DAY, ".sig"), evidence.NO_SIGNATURE),
}  # fmt: skip


def test_what_nobody_touched_is_no_finding_and_statements_are_numbered(two_sealed: Office) -> None:
    two_sealed.run()
    assert told(two_sealed) == []
    days = (DAY, NEXT, THIRD)
    assert [two_sealed.stated(each)["number"] for each in days] == [1, 2, 3]


@pytest.mark.parametrize("deed", ["hidden", "taken out", *map(later, ("covered", "unsigned"))])
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


def wipe(office: Office, day: str) -> None:
    take_out(office, day, ".json", ".sig")


def put(office: Office, day: str, *files: str) -> None:
    for each in files:
        office.s3.put_object(Bucket=BUCKET, Key=f"{SEALED}{day}/{each}", Body=b"{}")


def fake(office: Office, day: str) -> None:
    put(office, day, "statement.json", f"{B}.sig", f"heads_{B}.json")


def test_another_version_on_top_of_what_was_named_is_an_alarm_again(two_sealed: Office) -> None:
    cover(two_sealed)
    next_day(two_sealed)
    cover(two_sealed)
    two_sealed.run()
    told_then = [told(two_sealed, day) for day in (FOURTH, FIFTH)]
    words = [evidence.ON_TOP.format("statement.json", count) for count in (1, 2)]
    assert told_then == [[(DAY, words[0], False)], [(DAY, words[1], True)]]


ADDED: dict[str, tuple[Callable[[Office], None], list[tuple[str, str]]]] = {
    "nothing": (lambda _: None, []),
    "junk": (lambda office: put(office, DAY, "junk"), []),
    "its own fake": (lambda office: fake(office, DAY), [(DAY, evidence.EXCHANGED)]),
    **{
        day: (partial(fake, day=day), [(day, evidence.NOT_SEALED)])
        for day in ("2020-01-01", "9999-99-99", "9999-12-31")
    },
}


@pytest.mark.parametrize(
    "added",
    ["its own fake", "9999-99-99", *map(later, ("nothing", "junk", "2020-01-01", "9999-12-31"))],
)
def test_a_day_that_was_wiped_is_named_whatever_is_put_in_its_place(
    two_sealed: Office, added: str
) -> None:
    act, what = ADDED[added]
    wipe(two_sealed, DAY)
    act(two_sealed)
    two_sealed.run()
    if added != "its own fake":
        what = sorted([(DAY, evidence.NO_STATEMENT), *what])
    assert told(two_sealed) == [(*each, True) for each in what]


@LONG
def test_another_statement_in_the_place_of_a_sealed_one_is_an_alarm_once(
    two_sealed: Office,
) -> None:
    """However long ago: every day is read in thirty nights, and named in those between too."""
    wipe(two_sealed, DAY)
    fake(two_sealed, DAY)
    next_day(two_sealed)
    two_sealed.clock.now += 7 * DAY_MS
    two_sealed.run()
    assert told(two_sealed, "2025-12-04") == [(DAY, evidence.EXCHANGED, False)]


def test_a_first_run_that_died_on_a_day_without_entries_is_no_finding(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run is a day later, and that day becomes the first one."""

    def die(*_: Any) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(EvidenceBucket, "seal", die)
        with pytest.raises(ConnectionError):
            office.sealer().seal(DAY)
    office.clock.now += DAY_MS
    next_day(office)
    office.run()
    assert office.evidence.sealed_days() == [NEXT, THIRD]
    assert [told(office, each) for each in (NEXT, THIRD)] == [[], []]


def sealed(versions: dict[str, int], mailed: set[str] | None = None, **more: Any) -> list[Damage]:
    def are_mailed(places: Any) -> list[StatementPlace]:
        return [each for each in places if each.sha256 in (mailed or ())]

    keys = {f"{SEALED}{name}": count for name, count in versions.items()}
    values: dict[str, Any] = {"hidden": (), "sha256_of": lambda _: A, "exchanged": ()}
    values |= {"day": NEXT, "days": [DAY]} | more
    return Sealed(versions=keys, are_mailed=are_mailed, **values).damages()


WHOLE = {f"{DAY}/statement.json": 1, f"{DAY}/{A}.sig": 1, f"{DAY}/heads_{A}.json": 1}


def test_a_run_that_died_before_it_sealed_is_no_finding() -> None:
    assert sealed(WHOLE | {f"{DAY}/{B}.sig": 1, f"{DAY}/heads_{B}.json": 1}, {A}) == []
    assert sealed(WHOLE | {f"{NEXT}/{A}.sig": 1}) == []
    assert sealed(WHOLE | {"2025-11-23/" + f"{A}.sig": 1}) == []
    assert sealed({f"{DAY}/{A}.sig": 1}, days=[]) == []


@pytest.mark.parametrize("mailed", [{A, B}, {B}])
def test_a_statement_that_was_mailed_and_is_not_the_one_that_is_there_is_named(
    mailed: set[str],
) -> None:
    assert sealed(WHOLE | {f"{DAY}/{B}.sig": 1}, mailed) == [Damage(DAY, evidence.MAILED.format(B))]


@pytest.mark.parametrize("day", ["2025-11-23", THIRD])
@pytest.mark.parametrize("file", ["statement.json", "junk"])
def test_files_of_a_day_that_was_never_sealed_are_named(day: str, file: str) -> None:
    assert sealed(WHOLE | {f"{day}/{file}": 1}) == [Damage(day, evidence.NOT_SEALED)]


def test_of_too_many_damages_those_of_sealed_days_are_told() -> None:
    added = {f"{year:04d}-01-01/statement.json": 1 for year in range(evidence.MOST_DAMAGES + 5)}
    found = sealed({f"{DAY}/{A}.sig": 1} | added)
    assert len(found) == evidence.MOST_DAMAGES + 1
    assert found[0] == Damage("", evidence.MORE.format(6))
    assert Damage(DAY, evidence.NO_STATEMENT) in found


def test_what_is_no_file_of_a_day_is_not_ours() -> None:
    assert not evidence.is_sealed_key("statements/notes.txt")
    assert not evidence.is_sealed_key("statements/2025-11-24/a/b")
    assert evidence.is_sealed_key(record_key(DAY))
