"""Where records rest that can never be routed: whole, for a person to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from functions.stream_router.routing import Unroutable


class FailuresBucket:
    """client: gives S3's, which is made for the first such record: there hardly ever is one."""

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
