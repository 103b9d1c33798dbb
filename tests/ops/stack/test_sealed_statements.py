"""Which version of a day's statement `scc` reads: ours, whatever was put there before or after."""

from __future__ import annotations

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from moto import mock_aws

from ops.offline.ledger.public_key import public_key_of
from ops.stack.evidence import SealedStatements
from shared.ledger import canonical_json
from shared.statements.bucket import MOST_BYTES, Evidence
from tests.statements import DAY, drawn_up, public_key, stored

BUCKET = "evidence"
KEY = public_key_of(public_key(Encoding.DER), "the key")
LARGE = b" " * (MOST_BYTES + 1)
SO_FAR = stored(drawn_up([], is_final=False))


@pytest.mark.parametrize("before", [(), (b"{}",), (LARGE, SO_FAR.content)])
@pytest.mark.parametrize("after", [(), (b"{}",)])
def test_the_oldest_version_that_is_ours_is_read(
    monkeypatch: pytest.MonkeyPatch, before: tuple[bytes, ...], after: tuple[bytes, ...]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    genuine = stored(drawn_up([]))
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        for each in (*before, genuine.content, *after):
            s3.put_object(Bucket=BUCKET, Key=genuine.place.record_key, Body=each)
        for signed in (genuine, SO_FAR):
            key = f"statements/{DAY}/{signed.place.sha256}.sig"
            s3.put_object(Bucket=BUCKET, Key=key, Body=signed.signature)
        forged = "statements/2025-11-25/statement.json"
        s3.put_object(Bucket=BUCKET, Key=forged, Body=canonical_json({"day": "2025-11-25"}))
        day = SealedStatements(s3, BUCKET, key=KEY).day(DAY)
        assert (day.content, day.signature) == (genuine.content, genuine.signature)
        assert day.others is bool(before or after)
        assert SealedStatements(s3, BUCKET).day("2025-11-26").content is None
        latest = Evidence(s3, BUCKET).latest()
        assert latest is not None
        assert latest.day == DAY, "what is none is passed over"
