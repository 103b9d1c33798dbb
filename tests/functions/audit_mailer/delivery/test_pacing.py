"""Gmail's quota, kept by all mailers together: the real item, on moto."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.audit_mailer.delivery.pacing import (
    CLOCKS_DIFFER_MS,
    LONGEST_CLOSURE_MS,
    PER_MINUTE,
    READ_UNITS,
    SEARCH_UNITS,
    UNITS,
    NoSlotError,
    Pacer,
    Rate,
)
from functions.audit_mailer.settings import DeliveryMethod
from local.gmail_sandbox.quota import UNITS_PER_MINUTE, Limits
from shared import keys
from shared.attributes import to_attributes
from tests.builders import NOW
from tests.suites import LONG, later
from tests.tables import create_tables

MINUTE = 60_000
PROBE = 60_000


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        create_tables(client)
        yield client


def pacer(dynamodb: Any, per_minute: int = 60, user: str = "audit@x.example") -> Pacer:
    return Pacer(dynamodb, "test-AuditDeliveries", user, Rate(per_minute), PROBE)


def slots(pace: Pacer, count: int, now: int = NOW, patience: int = 3_600_000) -> list[int]:
    return [pace.reserve(now, patience).at for _ in range(count)]


def test_the_default_is_what_gmails_quota_allows() -> None:
    """And each delivery may be searched for before."""
    for method, cost in UNITS.items():
        assert PER_MINUTE[method] * (cost + SEARCH_UNITS) <= UNITS_PER_MINUTE
    assert PER_MINUTE["send"] == 55


@pytest.mark.parametrize("per_minute", [2, 7, later(60), later(240), later(6_000)])
def test_no_minute_ever_exceeds_the_quota(dynamodb: Any, per_minute: int) -> None:
    taken = sorted(slots(pacer(dynamodb, per_minute), min(2 * per_minute, 300)))
    for start in taken:
        assert sum(start <= each < start + MINUTE for each in taken) <= per_minute


def test_a_batch_goes_out_at_once_and_later_mails_are_spread_out(dynamodb: Any) -> None:
    taken = slots(pacer(dynamodb), 14)
    assert taken[:10] == [NOW] * 10
    assert taken[10:] == [NOW + n * 1_200 for n in range(1, 5)]


def test_the_quota_is_used_up_to_its_rate(dynamodb: Any) -> None:
    taken = slots(pacer(dynamodb), 60)
    assert taken[-1] - NOW <= MINUTE


def test_after_a_quiet_time_a_batch_goes_out_at_once_again(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    slots(pace, 30)
    assert slots(pace, 10, now=NOW + 5 * MINUTE) == [NOW + 5 * MINUTE] * 10


def test_a_slot_too_far_in_the_future_is_left_for_others(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    slots(pace, 10)
    for _ in range(3):
        with pytest.raises(NoSlotError) as caught:
            pace.reserve(NOW, 1_000)
        assert 0 < caught.value.wait_ms <= 1_200
        assert not caught.value.is_closed
    assert pace.reserve(NOW, 1_200).at == NOW + 1_200


def test_mailers_share_one_users_quota_and_users_have_their_own(dynamodb: Any) -> None:
    assert slots(pacer(dynamodb), 10) == [NOW] * 10
    assert slots(pacer(dynamodb), 1) == [NOW + 1_200]
    assert slots(pacer(dynamodb, user="other@x.example"), 1) == [NOW]


def test_many_threads_never_take_one_slot_twice(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB changes an item by one update after the other; moto needs a lock to do so."""
    one_at_a_time, update_item = Lock(), dynamodb.update_item

    def update(**request: Any) -> Any:
        with one_at_a_time:
            return update_item(**request)

    monkeypatch.setattr(dynamodb, "update_item", update)
    pace = pacer(dynamodb)
    with ThreadPoolExecutor(10) as threads:
        taken = list(threads.map(lambda _: pace.reserve(NOW, 3_600_000).at, range(40)))
    assert sorted(taken) == [NOW] * 10 + [NOW + n * 1_200 for n in range(1, 31)]


def test_while_gmail_refuses_the_account_one_probe_goes_out_per_interval(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    pace.close(NOW)
    with pytest.raises(NoSlotError) as caught:
        pace.reserve(NOW + 1, 3_600_000)
    assert (caught.value.is_closed, caught.value.wait_ms) == (True, PROBE - 1)
    assert pace.reserve(NOW + PROBE, 0).is_probe
    with pytest.raises(NoSlotError):
        pace.reserve(NOW + PROBE + 1, 3_600_000)
    assert pace.reserve(NOW + 2 * PROBE, 0).is_probe


def test_a_successful_probe_opens_the_way_for_all(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    pace.close(NOW, 4 * 3_600_000)
    later = NOW + 4 * 3_600_000
    with pytest.raises(NoSlotError):
        pace.reserve(later - 1, 3_600_000)
    assert pace.reserve(later, 0).is_probe
    pace.open()
    slot = pace.reserve(later + 1, 0)
    assert not slot.is_probe


def read_at(pace: Pacer, now: int, units: int) -> bool:
    try:
        pace.reserve_reading(now, units)
    except NoSlotError:
        return False
    return True


def test_readers_leave_most_of_a_burst_to_the_mailers(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    reads = 0
    while read_at(pace, NOW, READ_UNITS):
        reads += 1
    assert reads > 5
    assert slots(pace, 7) == [NOW] * 7


def test_a_reader_waits_until_the_mailers_are_done(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    slots(pace, 12)
    with pytest.raises(NoSlotError) as caught:
        pace.reserve_reading(NOW, SEARCH_UNITS)
    wait = caught.value.wait_ms
    assert not read_at(pace, NOW + wait - 1, SEARCH_UNITS)
    assert read_at(pace, NOW + wait, SEARCH_UNITS)


def test_a_closed_account_may_still_be_read(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    pace.close(NOW)
    assert read_at(pace, NOW, READ_UNITS)
    with pytest.raises(NoSlotError):
        pace.reserve(NOW + 1, 0)


@LONG
@pytest.mark.parametrize("method", ["send", later("import")])
def test_two_readers_and_a_mailer_in_a_hurry_never_exceed_gmails_quota(
    dynamodb: Any, method: DeliveryMethod
) -> None:
    """On Gmail's own counting of the last minute: whatever a slot allows fits into it."""
    cost = UNITS[method]
    pace = Pacer(dynamodb, "test-AuditDeliveries", "a", Rate(PER_MINUTE[method], cost), PROBE)
    limits, sent, read = Limits(), 0, 0
    for now in range(NOW, NOW + 90_000, 1_000):
        for _ in range(2):
            while read_at(pace, now, READ_UNITS):
                limits.spend("a", "get", now=now, allowed=UNITS_PER_MINUTE)
                read += 1
        in_a_hurry = NOW + 30_000 <= now < NOW + 60_000
        while in_a_hurry:
            try:
                slot = pace.reserve(now, 0)
            except NoSlotError:
                break
            for call in ("list", method):
                limits.spend("a", call, now=slot.at, allowed=UNITS_PER_MINUTE)
            sent += 1
    assert sent * cost > UNITS_PER_MINUTE // 3, "the mailer had its share at once"
    assert read * READ_UNITS > UNITS_PER_MINUTE // 3, "and the readers had the rest"


@pytest.mark.parametrize(
    "edited",
    [
        {"next_at": {"N": "1.5"}},
        {"next_at": {"N": str(NOW + 2 * 3_600_000)}},
        {"next_at": {"N": str(NOW)}, "closed_until": {"N": "2.5"}},
        {"next_at": {"N": str(NOW)}, "closed_until": {"N": str(NOW + 10 * 365 * 24 * 60 * MINUTE)}},
    ],
)
def test_an_item_that_no_mailer_wrote_is_begun_anew(dynamodb: Any, edited: Any) -> None:
    item = to_attributes(keys.pacing("audit@x.example")) | edited
    dynamodb.put_item(TableName="test-AuditDeliveries", Item=item)
    pace = pacer(dynamodb)
    assert read_at(pace, NOW, SEARCH_UNITS) or read_at(pace, NOW, SEARCH_UNITS)
    dynamodb.put_item(TableName="test-AuditDeliveries", Item=item)
    assert slots(pace, 1)[0] <= NOW + 1_200


def test_no_closure_lasts_longer_than_gmails_longest_limit(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    pace.close(NOW, 30 * LONGEST_CLOSURE_MS)
    with pytest.raises(NoSlotError) as caught:
        pace.reserve(NOW - CLOCKS_DIFFER_MS, 0)
    assert caught.value.is_closed, "by a mailer whose clock is late, too"
    assert pace.reserve(NOW + LONGEST_CLOSURE_MS, 0).is_probe


def test_a_search_takes_its_turn_with_the_deliveries_and_pays_its_part(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    slots(pace, 10)
    assert not read_at(pace, NOW, READ_UNITS), "the watch waits"
    reads = [pace.reserve_search(NOW, 3_600_000, READ_UNITS) for _ in range(10)]
    assert reads == [NOW + 1_200 + number * 240 for number in range(10)]
    assert slots(pace, 1) == [NOW + 1_200 + 10 * 240]
    with pytest.raises(NoSlotError):
        pace.reserve_search(NOW, 1_000, READ_UNITS)


def test_a_search_of_a_quiet_account_waits_for_nothing(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    assert [pace.reserve_search(NOW, 0, READ_UNITS) for _ in range(45)] == [NOW] * 45


def test_a_probe_may_search_before_it_delivers(dynamodb: Any) -> None:
    pace = pacer(dynamodb)
    pace.close(NOW)
    assert pace.reserve(NOW + PROBE, 0).is_probe
    assert pace.reserve_search(NOW + PROBE, 0, READ_UNITS) == NOW + PROBE


def test_an_item_that_somebody_filled_up_stops_no_mail(dynamodb: Any) -> None:
    key, table = to_attributes(keys.pacing("audit@x.example")), "test-AuditDeliveries"
    low, high = 300_000, 420_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            dynamodb.put_item(TableName=table, Item=key | {"pad": {"S": "x" * middle}})
            low = middle
        except dynamodb.exceptions.ClientError:
            high = middle
    dynamodb.put_item(TableName=table, Item=key | {"pad": {"S": "x" * low}})
    assert slots(pacer(dynamodb), 1) == [NOW]
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    assert item.keys() == {"payment_id", "next_at"}
