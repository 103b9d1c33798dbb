"""What is stored must stay readable: these literals define the format, not the code."""

from __future__ import annotations

from shared import keys
from tests.tables import template_indexes


def test_every_key_is_written_as_the_tables_hold_it() -> None:
    assert keys.entry_pk("gala", "jane@example.com") == "gala#jane@example.com"
    assert keys.head("gala") == {"PK": "EVENT#gala"}
    assert keys.pointer("pay_1") == {"PK": "PAYMENT#pay_1"}
    assert keys.void_mark("pay_1") == {"PK": "VOID#pay_1"}
    assert keys.number_uses("gala", "check", "a10") == {"PK": "NUMBER#gala#check#a10"}
    assert keys.pacing("audit@example.com") == {"payment_id": "pacing:audit@example.com"}
    assert keys.event_meta("gala") == {"event_id": "gala", "SK": "META"}
    assert keys.patron("gala", "jane@example.com") == {
        "event_id": "gala",
        "SK": "PATRON#jane@example.com",
    }


def test_a_key_tells_what_it_is_about() -> None:
    assert keys.event_of_head(keys.head("EVENT#of-the-year")) == "EVENT#of-the-year"
    assert keys.payment_of_void_mark(keys.void_mark("pay_1")) == "pay_1"
    assert keys.is_event_meta(keys.event_meta("gala"))
    assert not keys.is_event_meta(keys.patron("gala", "meta"))


def test_the_template_has_these_indexes_with_these_keys() -> None:
    assert template_indexes() == {
        ("Payments", keys.PAYMENTS_BY_PATRON): ["patron_email", "timestamp"],
        ("Payments", keys.PAYMENTS_BY_EVENT): ["event_id", "timestamp"],
        ("Payments", keys.PAYMENTS_BY_DAY): ["logged_day", "logged_at"],
        ("Payments", keys.PAYMENTS_BY_REFERENCE): ["reference_key", "timestamp"],
        ("Events", keys.EVENTS_BY_DATE): ["listing", "event_date"],
    }
