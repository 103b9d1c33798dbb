"""What an item of AuditDeliveries says about a mail."""

from __future__ import annotations

from typing import Any

import pytest

from shared.attributes import Foreign
from shared.audit.delivery import needs_message
from tests.builders import NOW


@pytest.mark.parametrize(
    ("delivery", "needed"),
    [
        ({}, True),
        ({"state": "sent"}, False),
        ({"state": "sending", "lease_until": NOW + 1}, False),
        ({"state": "sending", "lease_until": NOW - 999}, False),
        ({"state": "sending", "lease_until": NOW - 1001}, True),
        ({"state": "sending"}, True),
        ({"state": "sending", "lease_until": "tomorrow"}, True),
        ({"state": "failed", "retry_at": Foreign("B"), "last_error": {"class": "retry"}}, True),
        ({"state": "failed", "retry_at": NOW + 60_000, "last_error": {"class": "retry"}}, False),
        ({"state": "failed", "retry_at": NOW - 1001, "last_error": {"class": "retry"}}, True),
        ({"state": "failed", "retry_at": 0, "last_error": {"class": "permanent"}}, False),
        ({"state": "failed"}, True),
        ({"state": "sending", "lease_until": NOW + 10**10}, True),
        ({"state": "failed", "retry_at": 253_402_300_799_999}, True),
        ({"state": "sleeping", "retry_at": NOW + 60_000}, True),
    ],
)
def test_only_what_no_mailer_works_on_needs_a_message(
    delivery: dict[str, Any], *, needed: bool
) -> None:
    assert needs_message(delivery, NOW, 1_000) is needed
