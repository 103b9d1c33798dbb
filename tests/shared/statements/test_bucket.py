"""Certificates in the evidence bucket: whatever lies there, it is an answer or an error."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.daily_statement.rules.account import Whole
from functions.daily_statement.rules.record import Standing, heads_record
from shared.ledger import canonical_json
from shared.statements.bucket import Evidence, EvidenceDamagedError
from shared.statements.places import StatementPlace, heads_key, record_key
from tests.seven_years import certified, voyage
from tests.statements import drawn_up, stored

BUCKET = "evidence"
GOOD = b"signed"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield client


def seal(s3: Any, at: str, heads: bytes, signature: bytes = GOOD, **changes: Any) -> None:
    sha256 = hashlib.sha256(heads).hexdigest()
    drawn = drawn_up([], at)
    drawn.whole = Whole(events=1, entries=3, heads_sha256=sha256)
    record = json.loads(stored(drawn).content) | changes
    content = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    place = StatementPlace(day=at, final=True, sha256=hashlib.sha256(content).hexdigest())
    s3.put_object(Bucket=BUCKET, Key=heads_key(at, sha256), Body=heads)
    s3.put_object(Bucket=BUCKET, Key=record_key(at), Body=content)
    s3.put_object(Bucket=BUCKET, Key=place.signature_key, Body=signature)


def good_heads(day: str) -> bytes:
    standing = Standing(certificate=certified(voyage()[:3]))
    return canonical_json(heads_record(day, {"sunset-charter": standing}))


def until(s3: Any, before: str = "2025-12-01") -> str:
    found = Evidence(s3, BUCKET).certificates(before, lambda _, signature: signature == GOOD)
    assert not found.day or found.of["sunset-charter"].through_seq == 3
    return found.day


DEEP = b"[" * 100_000
DAMAGED: dict[str, dict[str, Any]] = {
    "unsigned": {"signature": b"x"},
    "no signature": {"signature": b""},
    "heads are no JSON": {"heads": b"\xff"},
    "heads are a list": {"heads": b"[]"},
    "heads without events": {"heads": b"{}"},
    "events are a list": {"heads": b'{"events": []}'},
    "an event is text": {"heads": b'{"events": {"x": "expired"}}'},
    "a certificate is empty": {"heads": b'{"events": {"x": {"expired": {}}}}'},
    "deep heads": {"heads": DEEP},
    "another day's": {"day": "2025-11-20"},
    "no list of heads": {"ledger": {"heads_sha256": "\ud800"}},
    "a list of heads that is gone": {"ledger": {"heads_sha256": "0" * 64}},
    "no ledger": {"ledger": None},
}


def test_the_last_day_says_what_may_be_gone(s3: Any) -> None:
    assert until(s3) == ""
    seal(s3, "2025-11-24", good_heads("2025-11-24"))
    assert until(s3) == "2025-11-24"
    assert until(s3, before="2025-11-24") == "", "a day that is not over is not ours"


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=[*DAMAGED])
def test_a_damaged_day_is_passed_over_and_alone_it_is_an_error(
    s3: Any, damage: dict[str, Any]
) -> None:
    last = {"heads": good_heads("2025-11-25")} | damage
    seal(s3, "2025-11-25", **last)
    with pytest.raises(EvidenceDamagedError):
        until(s3)
    seal(s3, "2025-11-24", good_heads("2025-11-24"))
    assert until(s3) == "2025-11-24"


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"5", DEEP])
def test_garbage_in_a_statements_place_is_passed_over(s3: Any, content: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=record_key("2025-11-25"), Body=content)
    with pytest.raises(EvidenceDamagedError):
        until(s3)
    seal(s3, "2025-11-24", good_heads("2025-11-24"))
    assert until(s3) == "2025-11-24"
