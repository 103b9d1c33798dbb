"""Certificates of expiry: read strictly, and what is gone is what they say less what is there."""

from __future__ import annotations

from typing import Any

import pytest

from shared.statements.expiry import NOTHING_EXPIRES, Certificate, Expired, expired
from tests.seven_years import certified, voyage


def test_what_is_gone_is_what_was_certified_less_what_is_there() -> None:
    entries = voyage()
    certificate = certified(entries[:3])
    assert expired(certificate, entries) == Expired()
    assert expired(certificate, entries[3:]) == Expired(
        count=3, payments_count=1, net_by_method={"check": 500}
    )
    assert expired(certificate, [entries[0], *entries[3:]]) == Expired(
        count=2, payments_count=0, net_by_method={"cash": -10_000, "check": 500}
    )
    assert expired(certificate, [entries[1], entries[1]]).count == 2, "a row twice is one entry"
    assert expired(NOTHING_EXPIRES, entries) == Expired()


def test_a_certificate_is_read_back_as_it_was_written() -> None:
    certificate = certified(voyage()[:3])
    assert Certificate.from_record(certificate.to_record()) == certificate
    assert certificate.to_record()["net_cents"] == 500


@pytest.mark.parametrize(
    "change",
    [
        {"through_seq": "3"},
        {"through_seq": 0},
        {"through_seq": 10**12},
        {"through_seq": True},
        {"count": 2},
        {"net_cents": 501},
        {"net_by_method": {"check": 1.5}},
        {"net_by_method": None},
        {"payments_count": None},
        {"hash": 5},
    ],
    ids=str,
)
def test_what_is_no_certificate_is_refused(change: dict[str, Any]) -> None:
    record = certified(voyage()[:3]).to_record()
    with pytest.raises((ValueError, TypeError)):
        Certificate.from_record(record | change)
    for name in record:
        with pytest.raises(KeyError):
            Certificate.from_record({key: each for key, each in record.items() if key != name})
