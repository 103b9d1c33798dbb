"""What all request handlers share: one sandbox's collaborators and its clock."""

import time
from datetime import UTC, datetime

from aiohttp import web

from local.gmail_sandbox.accounts import ServiceAccount
from local.gmail_sandbox.faults import Faults
from local.gmail_sandbox.mailbox.store import Store
from local.gmail_sandbox.quota import Limits

STORE: web.AppKey[Store] = web.AppKey("store", Store)
FAULTS: web.AppKey[Faults] = web.AppKey("faults", Faults)
LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)
SERVICE_ACCOUNT: web.AppKey[ServiceAccount] = web.AppKey("service_account", ServiceAccount)


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def iso(moment: int) -> str:
    """`moment`: epoch milliseconds."""
    stamp = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")
