"""The API's collaborators, each built once per Lambda environment on first use."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from functions.api.payments.log import PaymentRequest
from functions.api.people.directory import CognitoDirectory
from functions.api.settings import ApiSettings
from functions.api.tables.dynamo import Dynamo, ReadAhead
from functions.api.tables.events import EventStore
from functions.api.tables.ledger import LedgerStore
from functions.api.tables.payments import PaymentStore
from functions.api.tables.platform_items import PlatformItems
from functions.api.tables.rosters import RosterStore
from functions.api.tables.sessions import SessionStore
from shared import aws
from shared.ledger import business_day
from shared.settings import read_settings, zone_named
from shared.statements.bucket import Evidence, EvidenceDamagedError
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from shared.statements.signature import VerifyingKey
from shared.throttling import is_throttled

_TIMEOUTS = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard"})


@cache
def settings() -> ApiSettings:
    return read_settings(ApiSettings, os.environ)


def settings_list(name: str) -> tuple[str, ...]:
    """A comma-separated setting as its non-empty parts."""
    text: str = getattr(settings(), name)
    return tuple(part.strip() for part in text.split(",") if part.strip())


@cache
def business_zone() -> ZoneInfo:
    return zone_named(settings().business_timezone)


@cache
def dynamo() -> Dynamo:
    return Dynamo(aws.client("dynamodb", config=_TIMEOUTS))


@cache
def ledger() -> LedgerStore:
    return LedgerStore(dynamo(), settings())


@cache
def payments() -> PaymentStore:
    return PaymentStore(dynamo(), settings().payments_table, settings().deliveries_table)


@cache
def events() -> EventStore:
    return EventStore(dynamo(), settings().events_table, PlatformItems(business_zone()))


@cache
def roster() -> RosterStore:
    return RosterStore(dynamo(), settings().events_table, PlatformItems(business_zone()))


@cache
def sessions() -> SessionStore:
    return SessionStore(dynamo(), settings().sessions_table)


def stores_ahead(token: str, payment: PaymentRequest) -> tuple[SessionStore, LedgerStore]:
    """Sessions and ledger for one request, which read what they need first in a single call."""
    keys = ledger().snapshot_keys(
        payment.event_id, payment.patron_email, payment.method, payment.reference
    )
    ahead = ReadAhead(dynamo().client, [sessions().key(token), *keys])
    return SessionStore(ahead, settings().sessions_table), LedgerStore(ahead, settings())


@cache
def directory() -> CognitoDirectory:
    unsigned = Config(signature_version=UNSIGNED, connect_timeout=3, read_timeout=5)
    return CognitoDirectory(
        aws.client("cognito-idp", config=unsigned),
        aws.client("cognito-idp", config=_TIMEOUTS),
        settings().user_pool_client_id,
        settings().user_pool_id,
    )


def certificate_of(event_id: str) -> Certificate:
    """Which of the event's entries may be gone. Raises EvidenceDamagedError.

    A throttled call is no damage, and is raised as it is.
    """
    evidence = Evidence(aws.client("s3", config=_TIMEOUTS), settings().evidence_bucket)
    try:
        today = business_day(time.time_ns() // 1_000_000, business_zone())
        key = VerifyingKey(aws.client("kms", config=_TIMEOUTS), settings().signing_key_id)
        return evidence.certificates(today, key.has_signed).of.get(event_id, NOTHING_EXPIRES)
    except (BotoCoreError, ClientError) as error:
        if is_throttled(error):
            raise
        raise EvidenceDamagedError("the evidence bucket does not answer") from error


@cache
def openapi_document() -> str:
    """Beside this module in the bundle; release/build_bundle.py writes it there."""
    return Path(__file__).with_name("openapi.json").read_text("utf-8")


@cache
def cursor_key() -> bytes:
    secret = aws.client("secretsmanager", config=_TIMEOUTS).get_secret_value(
        SecretId=settings().cursor_key_secret_id
    )
    return str(secret["SecretString"]).encode()


def forget() -> None:
    """Build every collaborator again on its next use."""
    for each in list(globals().values()):
        if hasattr(each, "cache_clear"):
            each.cache_clear()
