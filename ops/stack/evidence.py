"""What `scc` reads of the evidence bucket, and the key that its statements are signed with."""

from __future__ import annotations

import base64
import hashlib
import json
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import islice
from typing import Any

from ops.clock import now_ms
from ops.errors import OpsError
from ops.offline.ledger.public_key import PublicKey, public_key_of
from ops.rules.sealed import Sealed, SealedDay
from ops.session import Session
from shared.ledger import business_date, business_day
from shared.statements.bucket import (
    CertifiedUntil,
    Evidence,
    EvidenceDamagedError,
    HasSigned,
    Listing,
)
from shared.statements.places import SEALED, StatementPlace, heads_key, record_key

AT_ONCE = 8
CHUNK = 64  # days that are kept in memory at once


class SealedStatements:
    """Every day's objects, found by one listing. only: of this day (YYYY-MM-DD).

    A lock forbids nobody to put another version on top, or one there before us, so the oldest one
    that is signed is read. key: that must have signed it; without it, any signature will do.
    """

    def __init__(
        self, client: Any, bucket: str, only: str = "", key: PublicKey | None = None
    ) -> None:
        self._stored = Listing(client, bucket, f"{SEALED}{only}/" if only else SEALED)
        self._evidence = Evidence(client, bucket, self._stored)
        self._has_signed = signed_by(key) if key else None

    @property
    def days(self) -> list[str]:
        """All days that something is kept for, oldest first."""
        days = {each.split("/")[1] for each in self._stored.versions.keys() | self._stored.hidden}
        return sorted(each for each in days if each)

    @property
    def sealed_days(self) -> list[str]:
        """Those with a statement."""
        return [each for each in self.days if record_key(each) in self._stored.versions]

    def read(self) -> Iterator[SealedDay]:
        days = iter(self.days)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while chunk := list(islice(days, CHUNK)):
                yield from pool.map(self.day, chunk)

    def day(self, day: str) -> SealedDay:
        key = record_key(day)
        content = self._content(day)
        sha256 = hashlib.sha256(content or b"").hexdigest()
        place = StatementPlace(day=day, final=True, sha256=sha256)
        before, after = heads_key(day, "|").split("|")
        return SealedDay(
            day=day,
            content=content,
            signature=next(self._stored.small_contents(place.signature_key), None),
            heads_sha256={
                each.removeprefix(before).removesuffix(after)
                for each in self._stored.versions
                if each.startswith(before)
            },
            others=self._stored.has_others(key, content),
            is_hidden=key in self._stored.hidden,
        )

    def _content(self, day: str) -> bytes | None:
        """The day's statement, or the oldest of what lies in its place; None for nothing."""
        try:
            sealed = self._evidence.sealed(day, self._has_signed)
        except EvidenceDamagedError:
            return next(self._stored.small_contents(record_key(day)), b"")
        return sealed.content if sealed else None

    def heads_of(self, sealed: SealedDay) -> bytes | None:
        """The list of heads that this statement names; None for one that names none."""
        try:
            sha256 = str(json.loads(sealed.content or b"")["ledger"]["heads_sha256"])
        except (ValueError, TypeError, KeyError):
            return None
        return self.heads(sealed.day, sha256)

    def heads(self, day: str, sha256: str) -> bytes | None:
        """The list of heads with this hash."""
        return self._stored.with_hash(heads_key(day, sha256), sha256)


def read_sealed(session: Session, now: int, key: PublicKey) -> Sealed:
    """All sealed statements. now: epoch milliseconds. key: that must have signed them."""
    bucket = session.aws.output("EvidenceBucketName")
    stored = SealedStatements(session.aws.client("s3"), bucket, key=key)
    sealed = Sealed(key)
    today = business_day(now, session.aws.business_zone)
    with session.console.meter("reading statements", len(stored.days)) as meter:
        for each in stored.read():
            sealed.take(each, today)
            meter.advance(1)
    day, heads_sha256 = sealed.last
    if day:
        sealed.take_heads(day, stored.heads(day, heads_sha256))
    return sealed


def certificates_of(session: Session, until: str = "") -> CertifiedUntil:
    """What of each event may be gone, by the last sealed statement. Raises OpsError.

    until: the day of an earlier look, whose answer is wanted again.
    """
    evidence = Evidence(session.aws.client("s3"), session.aws.output("EvidenceBucketName"))
    zone, key = session.aws.business_zone, stack_key(session)
    next_day = date.fromisoformat(until) + timedelta(1) if until else business_date(now_ms(), zone)
    try:
        return evidence.certificates(next_day.isoformat(), signed_by(key))
    except EvidenceDamagedError as error:
        raise OpsError(f"{error}: docs/runbook.md#statements-missing says what to do.") from error


def signed_by(key: PublicKey) -> HasSigned:
    return lambda content, signature: key.has_signed(hashlib.sha256(content).digest(), signature)


def stack_key(session: Session) -> PublicKey:
    return public_key_of(stack_key_der(session), "the stack's signing key")


def stack_key_der(session: Session) -> bytes:
    """The public half of the stack's signing key (SubjectPublicKeyInfo)."""
    answer = session.aws.client("kms").get_public_key(KeyId=session.aws.output("SigningKeyId"))
    der: bytes = answer["PublicKey"]
    return der


def pem_of(der: bytes) -> str:
    """A public key as openssl writes it."""
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])
