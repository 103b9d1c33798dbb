"""The environments of the router and of the sweep."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterSettings:
    audit_queue_url: str
    failures_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """sweep_days: how far back to look. sweep_grace_seconds: how long the stream may take first.

    business_timezone: IANA name of the zone whose days are business days. stream_mapping_id: of the
    event source mapping from the ledger's stream to router_function.
    """

    audit_queue_url: str
    dead_letter_queue_url: str
    stream_mapping_id: str
    router_function: str
    payments_table: str
    deliveries_table: str
    business_timezone: str
    sweep_days: int = 7
    sweep_grace_seconds: int = 900
