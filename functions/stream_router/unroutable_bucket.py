"""Where records that can never be routed are kept, whole, for a person to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from functions.stream_router.routing import Unroutable


class UnroutableBucket:
    """client: returns S3's client, made for the first such record, because one is rare."""

    def __init__(self, client: Callable[[], Any], bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, unroutable: Unroutable) -> None:
        """Store the record under its sequence number; keeping it twice changes nothing."""
        body = {"reason": unroutable.reason, "record": unroutable.record}
        self._client().put_object(
            Bucket=self._bucket,
            Key=f"unroutable/{unroutable.sequence_number}.json",
            Body=json.dumps(body, default=str).encode(),
            ContentType="application/json",
        )
