"""Reading the evidence bucket: sealed statements, their signatures, and the heads they sum up.

Objects there are locked, but a lock does not forbid a newer version or a delete marker on top, and
whoever may write can put something there before we do. So the oldest version that is ours is read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.statements.expiry import Certificate
from shared.statements.final import not_final
from shared.statements.places import SEALED, StatementPlace, heads_key, record_key

HasSigned = Callable[[bytes, bytes], bool]  # content and signature
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
MOST_DAMAGED = 10  # statements that are passed over
MOST_BYTES = 2 * 2**20  # of a statement; ours are far smaller, and what is larger is not read


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

    hidden: keys with a delete marker, which is no version. on_top: ETag of each key that has none
    on top.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self.versions: dict[str, list[str]] = {}
        self.hidden: set[str] = set()
        self.on_top: dict[str, str] = {}
        self._large: set[str] = set()  # versions
        pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for each in page.get("Versions", ()):  # newest first
                self.versions.setdefault(each["Key"], []).insert(0, each["VersionId"])
                if each["IsLatest"]:
                    self.on_top[each["Key"]] = each["ETag"]
                if each["Size"] > MOST_BYTES:
                    self._large.add(each["VersionId"])
            self.hidden |= {each["Key"] for each in page.get("DeleteMarkers", ())}

    def small_contents(self, key: str) -> Iterator[bytes]:
        """Every version of an object that is no larger than a statement, oldest first."""
        return self._contents(key, self._large)

    def _contents(self, key: str, without: Collection[str] = ()) -> Iterator[bytes]:
        for version in self.versions.get(key, ()):
            if version in without:
                continue
            answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            yield answer["Body"].read()

    def has_others(self, key: str, content: bytes | None) -> bool:
        """Whether any version of an object has other bytes."""
        versions, small = self.versions.get(key, ()), [*self.small_contents(key)]
        return len(small) < len(versions) or any(each != content for each in small)

    def with_hash(self, key: str, sha256: str) -> bytes | None:
        """The oldest version with these bytes, whatever was put on top of it."""
        found = self._contents(key)
        return next((each for each in found if hashlib.sha256(each).hexdigest() == sha256), None)


class Evidence:
    """listed: what the bucket is read by; without it, it is listed anew each time."""

    def __init__(self, client: Any, bucket: str, listed: Listing | None = None) -> None:
        self._client = client
        self._bucket = bucket
        self._listed = listed

    def sealed_days(self) -> list[str]:
        """Every day with something in its statement's place, ours or not, oldest first."""
        keys = self.sealed_objects().versions
        return sorted(key.split("/")[1] for key in keys if _is_record(key))

    def sealed(self, day: str, has_signed: HasSigned | None = None) -> SealedStatement | None:
        """The day's statement: the oldest version that is a final one and is signed.

        has_signed: of the stack's key. Without it, any signature will do, or none if there is none:
        whoever reads so must not build on it. None if nothing lies there. Raises
        EvidenceDamagedError for what is no statement of this day.
        """
        unsigned = None
        for each in self.final_versions(day):
            signature = self.signature(each.place)
            if signature is not None and (not has_signed or has_signed(each.content, signature)):
                return each
            unsigned = unsigned or each
        if unsigned and has_signed:
            raise EvidenceDamagedError(f"the statement of {day} is not signed by this stack's key")
        return unsigned

    def final_versions(self, day: str) -> Iterator[SealedStatement]:
        """All in the statement's place that is a final one of this day, oldest first.

        Raises EvidenceDamagedError after the last one if there was something, and none of these.
        """
        key = record_key(day)
        listing = self._listing(key)
        problem = "is too large to be one" if key in listing.versions else ""
        are_none = True
        for content in listing.small_contents(key):
            try:
                record = json.loads(content)
                problem = not_final(record, content, day)
            except UNREADABLE:
                problem = "cannot be read"
            if not problem:
                are_none = False
                yield SealedStatement(content=content, record=record)
        if are_none and problem:
            raise EvidenceDamagedError(f"the statement of {day} {problem}")

    def sealed_objects(self) -> Listing:
        """All that lies under sealed statements, versions and delete markers."""
        return self._listing(SEALED)

    def as_listed(self, listing: Listing) -> Evidence:
        """The sealed statements and their signatures as they were then, without listing again."""
        return Evidence(self._client, self._bucket, listing)

    def latest(self) -> SealedStatement | None:
        """The last sealed statement, None before the first. What is none is passed over.

        Raises EvidenceDamagedError if all are none.
        """
        problem = None
        for day in reversed(self.sealed_days()):
            try:
                return self.sealed(day)
            except EvidenceDamagedError as error:
                problem = problem or error
        if problem:
            raise problem
        return None

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
        sealed = self.sealed(day, has_signed)
        if sealed is None:
            raise EvidenceDamagedError(f"the statement of {day} is gone")
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
        key = place.signature_key
        return next(self._listing(key).small_contents(key), None)

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
