"""The API function's environment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """admin_iam_arns, app_origins: comma-separated; roles with their paths.

    max_amount_cents: the largest payment.

    business_timezone: IANA name of the zone whose days are business days.
    """

    events_table: str
    payments_table: str
    ledger_table: str
    deliveries_table: str
    sessions_table: str
    user_pool_id: str
    user_pool_client_id: str
    cursor_key_secret_id: str
    evidence_bucket: str
    signing_key_id: str
    business_timezone: str
    admin_iam_arns: str = ""
    app_origins: str = ""
    max_amount_cents: int = 10_000_000
