"""What the daily statement reads from its environment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSettings:
    """business_timezone: IANA name of the zone whose days are business days.

    object_lock_mode: COMPLIANCE or GOVERNANCE. notable_cash_cents: from which amount a cash payment
    is named in the statement; 0 names none.
    """

    payments_table: str
    ledger_table: str
    deliveries_table: str
    ops_record_table: str
    audit_queue_url: str
    evidence_bucket: str
    signing_key_id: str
    business_timezone: str
    object_lock_mode: str = "GOVERNANCE"
    notable_cash_cents: int = 0
