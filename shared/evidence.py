"""Reading the evidence bucket: sealed statements, their signatures, and the heads they sum up.

Objects there are locked, but a lock does not forbid a newer version or a delete marker on top. The
oldest version is the one that was sealed, so that one is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.expiry import Certificate
from shared.statement import SEALED, StatementPlace, heads_key, record_key


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


class Evidence:
    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def sealed_days(self) -> list[str]:
        """Every day that was ever sealed, oldest first; also one that was hidden since."""
        days = {key.split("/")[1] for key, _ in self._versions(SEALED) if _is_record(key)}
        return sorted(days)

    def sealed(self, day: str) -> SealedStatement | None:
        """Raises EvidenceDamagedError for what is no statement of this day."""
        content = next(self.contents(record_key(day)), None)
        if content is None:
            return None
        try:
            record = json.loads(content)
            if record["day"] != day or record["ledger"]["heads_sha256"] is None:
                raise EvidenceDamagedError(f"the statement of {day} is another day's")
        except (ValueError, TypeError, KeyError) as error:
            raise EvidenceDamagedError(f"the statement of {day} cannot be read") from error
        return SealedStatement(content=content, record=record)

    def latest(self) -> SealedStatement | None:
        """The last sealed statement, None before the first. Raises EvidenceDamagedError."""
        days = self.sealed_days()
        return self.sealed(days[-1]) if days else None

    def heads(self, sealed: SealedStatement) -> dict[str, Any]:
        """The list of heads that a statement sums up. Raises EvidenceDamagedError."""
        sha256 = sealed.record["ledger"]["heads_sha256"]
        content = self._with_hash(heads_key(sealed.day, sha256), sha256)
        if content is None:
            raise EvidenceDamagedError(f"the heads of {sealed.day} are not those it was sealed on")
        heads: dict[str, Any] = json.loads(content)
        return heads

    def certificates(self) -> dict[str, Certificate]:
        """What of each event may be gone, by the last sealed statement; empty before the first.

        Raises EvidenceDamagedError.
        """
        last = self.latest()
        events = self.heads(last)["events"] if last else {}
        try:
            return {
                event_id: Certificate.from_record(each["expired"])
                for event_id, each in events.items()
                if "expired" in each
            }
        except (ValueError, TypeError, KeyError) as error:
            raise EvidenceDamagedError("the last certificates cannot be read") from error

    def record(self, place: StatementPlace) -> bytes | None:
        """The bytes of statement.json that the place names by their hash, None if there are none.

        Whatever was put on top of them.
        """
        return self._with_hash(place.record_key, place.sha256)

    def signature(self, place: StatementPlace) -> bytes | None:
        return next(self.contents(place.signature_key), None)

    def contents(self, key: str) -> Iterator[bytes]:
        """Every version of an object, oldest first."""
        for _, version in [each for each in self._versions(key) if each[0] == key][::-1]:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            yield answer["Body"].read()

    def _with_hash(self, key: str, sha256: str) -> bytes | None:
        for content in self.contents(key):
            if hashlib.sha256(content).hexdigest() == sha256:
                return content
        return None

    def _versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and version, newest first for each key; delete markers are no versions."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for each in page.get("Versions", ()):
                yield each["Key"], each["VersionId"]


def _is_record(key: str) -> bool:
    parts = key.split("/")
    if len(parts) != 3:
        return False
    try:
        day = date.fromisoformat(parts[1]).isoformat()
    except ValueError:
        return False
    return key == record_key(day)
