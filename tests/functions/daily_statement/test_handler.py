"""When a day's statement is made, and that it is made once and handed over."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.daily_statement.days import WrongDayError
from functions.daily_statement.sealing import SETTLE_MS
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from functions.daily_statement.stores.outbox import Outbox
from functions.daily_statement.stores.signing_key import SigningKey
from tests.builders import NOW
from tests.functions.daily_statement.conftest import DAY, DAY_MS, HOUR_MS, Office
from tests.suites import LONG

NOTHING_TO_COUNT = pytest.mark.filterwarnings("ignore:No application metrics")  # of Powertools


def test_yesterdays_entries_become_one_statement_however_often_it_runs(office: Office) -> None:
    office.log("pay_1", amount_cents=10_000)
    office.log("pay_2", amount_cents=2_500, method="cash")
    office.log("pay_3", event_id="regatta", amount_cents=50)
    assert office.run() == {DAY: "sealed"}
    assert office.run() == {}
    assert office.run({"day": DAY}) == {DAY: "already_sealed"}
    (place,) = office.handed_over()
    assert (place.day, place.final) == (DAY, True)
    record = office.content(place)
    assert (record["entries"], record["net_cents"]) == (3, 12_550)
    assert [each["event_id"] for each in record["events"]] == ["regatta", "sunset-charter"]
    assert record["events"][1]["last_hash"] == office.heads["sunset-charter"].hash


def test_a_day_without_payments_has_a_statement_too(office: Office) -> None:
    assert office.run() == {DAY: "sealed"}
    assert office.stated()["entries"] == 0


def test_missed_days_are_made_up_for_in_their_order(office: Office) -> None:
    office.run()
    office.clock.now += 8 * DAY_MS
    sealed = office.run()
    assert list(sealed) == sorted(sealed)
    assert len(sealed) == 8
    assert {*sealed.values()} == {"sealed"}
    days = office.evidence.sealed_days()
    for before, day in pairwise(days):
        sealed_before = office.evidence.sealed(before)
        assert sealed_before is not None
        previous = {"day": before, "sha256": sealed_before.sha256}
        assert office.stated(day)["previous"] == previous


def test_the_first_statement_follows_no_other(office: Office) -> None:
    office.log("pay_1", logged_at=NOW - 3 * DAY_MS)
    assert list(office.run()) == ["2025-11-21", "2025-11-22", "2025-11-23", DAY]
    assert office.stated("2025-11-21")["previous"] is None


def test_a_second_run_at_the_same_time_makes_no_second_statement(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run seals the day while this one is still drawing it up."""
    office.log("pay_1")
    public_key_of = SigningKey.sha256.func  # type: ignore[attr-defined]
    runs: list[Any] = []

    def meanwhile(key: SigningKey) -> str:
        if not runs:
            runs.append(office.sealer())
            office.clock.now += 1
            runs.append(runs[0].seal(DAY, print))
        return str(public_key_of(key))

    monkeypatch.setattr(SigningKey, "sha256", property(meanwhile))
    assert office.run() == {DAY: "already_sealed"}
    assert runs[1] is not None
    assert {each.sha256 for each in office.handed_over()} == {office.evidence.sealed(DAY).sha256}  # type: ignore[union-attr]


@NOTHING_TO_COUNT
@pytest.mark.parametrize(
    ("of", "step", "left"),
    [
        (SigningKey, "sign", {DAY: "sealed"}),
        (EvidenceBucket, "sign", {DAY: "sealed"}),
        (EvidenceBucket, "seal", {DAY: "sealed"}),
        (Outbox, "send", {}),
    ],
)
def test_a_run_that_died_halfway_is_finished_by_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch, of: type, step: str, left: dict[str, str]
) -> None:
    def down(*_: Any) -> bytes:
        raise ConnectionError("AWS is down")

    with monkeypatch.context() as broken:
        broken.setattr(of, step, down)
        with pytest.raises(ConnectionError):
            office.run()
    assert office.handed_over() == []
    office.clock.now += 2 * HOUR_MS
    assert office.run() == left
    (place,) = office.handed_over()
    signature = office.evidence.signature(place)
    assert signature
    assert SigningKey(office.kms, office.key_id).has_signed(
        office.evidence.record(place) or b"", signature
    )


def test_a_statement_of_a_day_to_come_does_not_keep_the_days_before_from_being_sealed(
    office: Office,
) -> None:
    office.s3.put_object(Bucket="evidence", Key="statements/2999-01-01/statement.json", Body=b"{}")
    assert office.run() == {DAY: "sealed"}


def test_what_nobody_is_mailing_is_handed_over_again_with_the_same_bytes(office: Office) -> None:
    office.run()
    (first,) = office.handed_over()
    office.clock.now += HOUR_MS // 2
    office.run()
    assert office.handed_over() == []
    office.clock.now += HOUR_MS
    office.run()
    assert office.handed_over() == [first]
    office.put("AuditDeliveries", {"payment_id": first.delivery_id, "state": "sent"})
    office.run()
    assert office.handed_over() == []


def test_a_statement_that_failed_for_good_waits_for_a_person(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.run()
    (place,) = office.handed_over()
    failed = {"state": "failed", "last_error": {"class": "permanent"}}
    office.put("AuditDeliveries", {"payment_id": place.delivery_id} | failed)
    office.clock.now += 2 * HOUR_MS
    office.run()
    assert office.handed_over() == []
    assert '"StatementsMissing":[1.0]' in capsys.readouterr().out


def test_a_payment_taken_in_the_evening_is_on_that_days_statement(office: Office) -> None:
    """9 PM in Boston is the next day in UTC."""
    evening = 1_764_036_000_000  # 2025-11-25T02:00:00Z
    office.log("pay_1", logged_at=evening, amount_cents=25_000)
    assert office.run() == {DAY: "sealed"}
    assert office.stated()["net_cents"] == 25_000
    assert office.stated()["timezone"] == "America/New_York"


def test_a_day_is_over_soon_after_midnight_of_the_business_zone(office: Office) -> None:
    """Not at once: what was logged in its last second must be in the ledger."""
    office.clock.now = 1_764_046_800_000 + SETTLE_MS - 1  # 05:00 UTC is midnight in New York
    assert office.run() == {"2025-11-23": "sealed"}
    office.clock.now += 1
    assert office.run() == {DAY: "sealed"}


def test_another_zone_is_refused_once_a_day_is_sealed(
    office: Office, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    office.run()
    office.clock.now += DAY_MS
    office.zone = ZoneInfo("Europe/Berlin")
    assert office.run() == {"2025-11-25": "refused"}
    assert "another zone is another stack" in caplog.text
    assert '"StatementsMissing":[2.0]' in capsys.readouterr().out
    assert office.evidence.sealed_days() == [DAY]


def test_a_day_that_is_not_over_gets_a_statement_by_hand_outside_the_chain(
    office: Office,
) -> None:
    office.clock.now = NOW
    office.log("pay_1")
    assert office.run({"day": DAY}) == {"2025-11-23": "sealed", DAY: "so_far"}
    so_far = next(each for each in office.handed_over() if not each.final)
    assert office.content(so_far)["entries"] == 1
    assert office.evidence.signature(so_far)
    assert office.evidence.sealed_days() == ["2025-11-23"]
    office.log("pay_2")
    office.clock.now += DAY_MS
    assert office.run() == {DAY: "sealed"}
    assert office.stated()["entries"] == 2
    assert office.stated()["previous"]["day"] == "2025-11-23"


def test_a_day_before_the_first_statement_has_none(office: Office) -> None:
    office.run()
    assert office.run({"day": "2025-11-01"}) == {"2025-11-01": "before_the_first"}


@LONG
def test_more_than_a_page_of_entries_adds_up(office: Office) -> None:
    for number in range(130):
        office.log(f"pay_{number}", amount_cents=100)
    office.run()
    assert office.stated()["net_cents"] == 13_000
    assert office.stated()["events"][0]["missing"] == []


def test_with_too_little_time_the_day_is_left_to_the_next_run(office: Office) -> None:
    assert office.run(remaining_ms=5_000) == {DAY: "no_time"}
    assert office.run() == {DAY: "sealed"}


@NOTHING_TO_COUNT
def test_a_wrong_day_fails_with_a_reason_and_seals_nothing(office: Office) -> None:
    with pytest.raises(WrongDayError, match="such as 2026-11-24"):
        office.run({"day": "24.11.2025"})
    assert office.evidence.sealed_days() == []


def test_sealed_objects_are_locked_for_eight_years(office: Office) -> None:
    office.run()
    (place,) = office.handed_over()
    heads = office.stated()["ledger"]["heads_sha256"]
    for key in (
        place.record_key,
        place.signature_key,
        f"statements/{DAY}/heads_{heads}.json",
    ):
        kept = office.s3.head_object(Bucket="evidence", Key=key)
        assert kept["ObjectLockMode"] == "GOVERNANCE"
        until = kept["ObjectLockRetainUntilDate"].timestamp() * 1000 - office.clock.now
        assert abs(until - timedelta(days=2_920).total_seconds() * 1000) < 2_000


def test_a_statement_that_was_hidden_or_covered_is_still_the_one(office: Office) -> None:
    office.log("pay_1")
    office.run()
    (place,) = office.handed_over()
    before = office.evidence.sealed(DAY)
    office.s3.put_object(Bucket="evidence", Key=place.record_key, Body=b"{}")
    office.s3.delete_object(Bucket="evidence", Key=place.record_key)
    assert office.evidence.sealed(DAY) == before
    assert office.run() == {}
    assert office.evidence.record(place)
