"""What `scc doctor` says about sealed statements and the mailbox, without a stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from ops.rules.check_result import CheckResult
from ops.session import Session
from ops.stack.doctor import _findings, _statements
from ops.terminal.console import Console
from shared import keys
from tests.builders import NOW, ZONE
from tests.ops.harbor import Harbor
from tests.statements import DAY, drawn_up, stored

BUCKET = "evidence"


class Stack:
    """As far as the check needs one. zone: the stack's, now."""

    def __init__(self, zone: str) -> None:
        self.aws = self
        self.zone = zone

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]

    def output(self, name: str) -> str:
        return {"EvidenceBucketName": BUCKET, "BusinessTimezone": self.zone}[name]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[EvidenceBucket]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        s3 = Stack("").client("s3")
        s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield EvidenceBucket(s3, BUCKET, "GOVERNANCE", lambda: NOW)


def checked(zone: str = ZONE.key) -> CheckResult:
    (result,) = _statements(Stack(zone))  # type: ignore[arg-type]
    return result


def test_a_new_stack_has_no_statement_and_is_fine(bucket: EvidenceBucket) -> None:
    assert checked().is_ok
    assert "none is sealed yet" in checked().detail


def test_another_zone_than_the_sealed_one_is_named_with_the_remedy(bucket: EvidenceBucket) -> None:
    bucket.seal(DAY, stored(drawn_up([])).content)
    assert checked().is_ok
    assert DAY in checked().detail
    assert "BusinessTimezone=America/New_York" in checked("Europe/Berlin").remedy


def test_what_is_no_statement_is_named(bucket: EvidenceBucket) -> None:
    bucket.seal(DAY, b"{}")
    assert not checked().is_ok
    assert "statements-missing" in checked().remedy


@pytest.mark.parametrize(("unsettled", "is_ok"), [([], True), (["pay_1"], False)])
def test_open_findings_fail_and_lead_to_the_list(
    harbor: Harbor, unsettled: list[str], *, is_ok: bool
) -> None:
    harbor.put("AuditDeliveries", keys.watch() | {"unsettled": unsettled})
    lost = {"payment_id": "pay_1", "state": "sent", "mailbox_finding": "missing"}
    harbor.put("AuditDeliveries", lost)
    session = Session(harbor, Console(as_json=False))  # type: ignore[arg-type]
    (result,) = _findings(session)
    assert result.is_ok is is_ok
    assert ("scc findings ls" in result.remedy) is not is_ok
