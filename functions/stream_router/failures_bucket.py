"""Where stream records that make no mail are kept, whole, for a person to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.stream_router.routing import Tampered, Unroutable


class BucketRefusedError(Exception):
    """S3 did not take a record, which is nowhere else once the stream drops it: try again."""


class FailuresBucket:
    """client: returns S3's client, made for the first such record, because one is rare."""

    def __init__(self, client: Callable[[], Any], bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, record: Unroutable | Tampered) -> None:
        """Store the record under its sequence number; keeping it twice changes nothing.

        Raises BucketRefusedError.
        """
        body = {"reason": record.reason, "record": record.record}
        try:
            self._client().put_object(
                Bucket=self._bucket,
                Key=f"{record.folder}/{record.sequence_number}.json",
                Body=json.dumps(body, default=str).encode(),
                ContentType="application/json",
            )
        except (BotoCoreError, ClientError) as error:
            raise BucketRefusedError(f"record {record.sequence_number} is not kept") from error
