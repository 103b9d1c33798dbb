"""Putting sealed statements into the evidence bucket, each once and locked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from shared.statements.bucket import Evidence, Listing
from shared.statements.places import StatementPlace, heads_key, record_key

NOT_PUT = frozenset({
    "PreconditionFailed",
    "ConditionalRequestConflict",  # another one is being written at this moment
    "NoSuchKey",  # what was to be there is hidden now
})  # fmt: skip
KEPT = timedelta(days=2_920)  # eight years: the entries' seven, and a year to look back on them


class EvidenceBucket(Evidence):
    """lock_mode: COMPLIANCE or GOVERNANCE, of Object Lock. now: returns epoch milliseconds."""

    def __init__(self, client: Any, bucket: str, lock_mode: str, now: Callable[[], int]) -> None:
        super().__init__(client, bucket)
        self._lock_mode = lock_mode
        self._now = now

    def keep_heads(self, day: str, content: bytes, sha256: str) -> None:
        self._put_once(heads_key(day, sha256), content, "application/json")

    def on_top(self, day: str) -> str:
        """The ETag of what lies in the statement's place now; empty for nothing."""
        key = record_key(day)
        return Listing(self._client, self._bucket, key).on_top.get(key, "")

    def seal(self, day: str, content: bytes, over: str = "") -> bool:
        """Store the day's statement, unless something came since `over` lay on top.

        Returns whether it did now: if its answer was lost, it did before.
        """
        return self._put_once(record_key(day), content, "application/json", over)

    def sign(self, place: StatementPlace, signature: bytes) -> None:
        if place.final:
            self._put_once(place.signature_key, signature, "application/octet-stream")
        else:
            self._put(place.signature_key, signature, "application/octet-stream")

    def keep_for_a_while(self, place: StatementPlace, content: bytes) -> None:
        """Store what is not sealed until it is mailed; the bucket deletes it after some weeks."""
        self._put(place.record_key, content, "application/json")

    def _put_once(self, key: str, content: bytes, content_type: str, over: str = "") -> bool:
        condition = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        until = datetime.fromtimestamp(self._now() / 1000, UTC) + KEPT
        try:
            self._put(
                key,
                content,
                content_type,
                ObjectLockMode=self._lock_mode,
                ObjectLockRetainUntilDate=until,
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_PUT:
                return False
            raise
        return True

    def _put(self, key: str, content: bytes, content_type: str, **more: Any) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=key, Body=content, ContentType=content_type, **more
        )
