"""Reading the evidence bucket: sealed statements, their signatures, and the heads they sum up.

Objects there are locked, but a lock does not forbid a newer version or a delete marker on top. The
oldest version is the one that was sealed, so that one is read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.statements.expiry import Certificate
from shared.statements.places import SEALED, StatementPlace, heads_key, record_key

HasSigned = Callable[[bytes, bytes], bool]  # content and signature
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
MOST_DAMAGED = 10  # statements that are passed over


class EvidenceDamagedError(Exception):
    """What the bucket holds is not what was put there; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedStatement:
    """content: the bytes of statement.json. record: what they say."""

    content: bytes
    record: dict[str, Any]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def day(self) -> str:
        return str(self.record["day"])

    @property
    def place(self) -> StatementPlace:
        return StatementPlace(day=self.day, final=True, sha256=self.sha256)


@dataclass(frozen=True, slots=True)
class CertifiedUntil:
    """day: of the statement that says so, empty before the first. of: certificates by event."""

    day: str
    of: Mapping[str, Certificate]


class Listing:
    """Every version of what lies under a prefix. versions: by key, oldest first.

    hidden: keys with a delete marker, which is no version.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self.versions: dict[str, list[str]] = {}
        self.hidden: set[str] = set()
        pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for each in page.get("Versions", ()):  # newest first
                self.versions.setdefault(each["Key"], []).insert(0, each["VersionId"])
            self.hidden |= {each["Key"] for each in page.get("DeleteMarkers", ())}

    def contents(self, key: str) -> Iterator[bytes]:
        """Every version of an object, oldest first."""
        for version in self.versions.get(key, ()):
            answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            yield answer["Body"].read()

    def with_hash(self, key: str, sha256: str) -> bytes | None:
        """The oldest version with these bytes, whatever was put on top of it."""
        found = self.contents(key)
        return next((each for each in found if hashlib.sha256(each).hexdigest() == sha256), None)


class Evidence:
    """listed: what the bucket is read by; without it, it is listed anew each time."""

    def __init__(self, client: Any, bucket: str, listed: Listing | None = None) -> None:
        self._client = client
        self._bucket = bucket
        self._listed = listed

    def sealed_days(self) -> list[str]:
        """Every day that was ever sealed, oldest first; also one that was hidden since."""
        keys = self.sealed_objects().versions
        return sorted(key.split("/")[1] for key in keys if _is_record(key))

    def sealed(self, day: str) -> SealedStatement | None:
        """Raises EvidenceDamagedError for what is no statement of this day."""
        content = self._oldest(record_key(day))
        if content is None:
            return None
        try:
            record = json.loads(content)
            if record["day"] != day or not isinstance(record["ledger"]["heads_sha256"], str):
                raise EvidenceDamagedError(f"the statement of {day} is another day's")
        except UNREADABLE as error:
            raise EvidenceDamagedError(f"the statement of {day} cannot be read") from error
        return SealedStatement(content=content, record=record)

    def sealed_objects(self) -> Listing:
        """All that lies under sealed statements, versions and delete markers."""
        return self._listing(SEALED)

    def as_listed(self, listing: Listing) -> Evidence:
        """The sealed statements and their signatures as they were then, without listing again."""
        return Evidence(self._client, self._bucket, listing)

    def latest(self) -> SealedStatement | None:
        """The last sealed statement, None before the first. Raises EvidenceDamagedError."""
        days = self.sealed_days()
        return self.sealed(days[-1]) if days else None

    def heads(self, sealed: SealedStatement) -> dict[str, Any]:
        """The list of heads that a statement sums up. Raises EvidenceDamagedError."""
        sha256 = sealed.record["ledger"]["heads_sha256"]
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise EvidenceDamagedError(f"the statement of {sealed.day} names no list of heads")
        key = heads_key(sealed.day, sha256)
        content = self._listing(key).with_hash(key, sha256)
        if content is None:
            raise EvidenceDamagedError(f"the heads of {sealed.day} are not those it was sealed on")
        try:
            heads: dict[str, Any] = json.loads(content)
        except UNREADABLE as error:
            raise EvidenceDamagedError(f"the heads of {sealed.day} cannot be read") from error
        return heads

    def certificates(self, before: str, has_signed: HasSigned) -> CertifiedUntil:
        """What of each event may be gone, by the last sealed statement that is as it was sealed.

        before: the business day that is not over: what lies there for it, or for later days, is not
        ours. Raises EvidenceDamagedError if the last ones are all damaged.
        """
        days = [each for each in self.sealed_days() if each < before]
        problem = ""
        for day in days[: -MOST_DAMAGED - 1 : -1]:
            try:
                return CertifiedUntil(day, self._certified(day, has_signed))
            except EvidenceDamagedError as error:
                problem = problem or str(error)
        if problem:
            raise EvidenceDamagedError(problem)
        return CertifiedUntil("", {})

    def _certified(self, day: str, has_signed: HasSigned) -> dict[str, Certificate]:
        sealed = self.sealed(day)
        signature = self.signature(sealed.place) if sealed else None
        if sealed is None or signature is None or not has_signed(sealed.content, signature):
            raise EvidenceDamagedError(f"the statement of {day} is not signed by this stack's key")
        try:
            return {
                event_id: Certificate.from_record(each["expired"])
                for event_id, each in self.heads(sealed)["events"].items()
                if "expired" in each
            }
        except UNREADABLE as error:
            raise EvidenceDamagedError(f"the certificates of {day} cannot be read") from error

    def record(self, place: StatementPlace) -> bytes | None:
        """The bytes that the place names by their hash, None if there are none."""
        return self._listing(place.record_key).with_hash(place.record_key, place.sha256)

    def signature(self, place: StatementPlace) -> bytes | None:
        return self._oldest(place.signature_key)

    def _oldest(self, key: str) -> bytes | None:
        return next(self._listing(key).contents(key), None)

    def _listing(self, prefix: str) -> Listing:
        return self._listed or Listing(self._client, self._bucket, prefix)


def _is_record(key: str) -> bool:
    parts = key.split("/")
    if len(parts) != 3:
        return False
    try:
        day = date.fromisoformat(parts[1]).isoformat()
    except ValueError:
        return False
    return key == record_key(day)
