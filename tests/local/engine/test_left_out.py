"""What the emulator leaves out is done by API, and again after it forgot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.engine.left_out import lock_again

BUCKET = "evidence"


class Aws:
    """As LocalAws, for moto."""

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client = Aws().client("s3")
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield client


def locked(s3: Any, key: str) -> Any:
    return s3.head_object(Bucket=BUCKET, Key=key).get("ObjectLockRetainUntilDate")


def test_what_was_sealed_is_locked_again_and_what_is_locked_stays_as_it_is(s3: Any) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(7)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    s3.put_object(Bucket=BUCKET, Key="statements/2026-11-24/statement.json", Body=b"{}")
    s3.put_object(Bucket=BUCKET, Key="statements/2026-11-25/statement.json", Body=b"{}", **lock)
    s3.put_object(Bucket=BUCKET, Key="so_far/x.json", Body=b"{}")
    lock_again(Aws(), BUCKET)  # type: ignore[arg-type]
    forgotten = locked(s3, "statements/2026-11-24/statement.json")
    assert forgotten > datetime.now(UTC) + timedelta(2_900)
    assert locked(s3, "statements/2026-11-25/statement.json") == until
    assert locked(s3, "so_far/x.json") is None
