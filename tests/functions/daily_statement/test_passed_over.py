"""What others put in a statement's place is passed over, and what was sealed once is not again."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.daily_statement.rules import evidence
from functions.daily_statement.stores.evidence_bucket import EvidenceBucket
from functions.daily_statement.stores.outbox import Outbox
from shared.ledger import canonical_json
from shared.statements.bucket import MOST_BYTES, EvidenceDamagedError
from shared.statements.places import SO_FAR, StatementPlace, record_key
from tests.builders import NOW
from tests.functions.daily_statement.conftest import BUCKET, DAY, DAY_MS, HOUR_MS, Office
from tests.functions.daily_statement.test_evidence import take_out, told
from tests.suites import later

NEXT, THIRD = "2025-11-25", "2025-11-26"
LOCKED = {
    "ObjectLockMode": "COMPLIANCE",
    "ObjectLockRetainUntilDate": datetime(2090, 1, 1, tzinfo=UTC),
}


def forged(office: Office, **changes: Any) -> bytes:
    """Like the statement of NEXT, with these changes."""
    last = office.evidence.sealed(DAY)
    assert last is not None
    previous = {"day": DAY, "sha256": last.sha256}
    return canonical_json(last.record | {"day": NEXT, "previous": previous} | changes)


def put(office: Office, day: str, content: bytes, signature: bytes = b"") -> None:
    place = StatementPlace(day=day, final=True, sha256=sha256(content).hexdigest())
    office.s3.put_object(Bucket=BUCKET, Key=place.record_key, Body=content, **LOCKED)
    if signature:
        office.s3.put_object(Bucket=BUCKET, Key=place.signature_key, Body=signature)


@pytest.mark.parametrize(
    ("content", "signature"),
    [
        (b"{}", b""),
        later(b"\xff", b""),
        later(b"[" * 100_000, b""),
        later(b" " * (MOST_BYTES + 1), b""),
        later({}, b""),
        ({}, b"forged"),
        later({"previous": None}, b"forged"),
    ],
)
def test_what_lies_in_a_days_place_before_it_is_sealed_is_passed_over_and_named(
    office: Office, content: Any, signature: bytes
) -> None:
    office.run()
    put(
        office, NEXT, forged(office, **content) if isinstance(content, dict) else content, signature
    )
    office.handed_over()
    office.clock.now += 2 * DAY_MS
    assert office.run() == {NEXT: "sealed", THIRD: "sealed"}
    genuine = office.evidence.sealed(NEXT, office.sealer().key.has_signed)
    assert genuine is not None
    assert genuine.place in office.handed_over()
    assert office.stated(THIRD)["previous"] == {"day": NEXT, "sha256": genuine.sha256}
    what = evidence.BESIDE.format("statement.json", 1)
    assert genuine.record["evidence"] == [{"day": NEXT, "what": what, "is_new": True}]
    assert told(office, THIRD) == [(NEXT, what, False)]


def test_what_lies_there_before_the_first_statement_is_passed_over(office: Office) -> None:
    put(office, "2000-01-01", b"{}")
    office.log("pay_1")
    assert office.run() == {DAY: "sealed"}
    assert told(office, DAY) == [("2000-01-01", evidence.NOT_SEALED, True)]
    assert office.run({"day": "2000-01-01"}) == {"2000-01-01": "before_the_first"}


def test_a_signed_statement_of_a_day_so_far_never_becomes_the_final_one(office: Office) -> None:
    """Whoever copies it to the day's place would keep what is logged later off all statements."""
    office.run()
    at = NOW + DAY_MS
    office.log("pay_1", logged_at=at, timestamp=at)
    office.clock.now = at + HOUR_MS
    office.run({"day": NEXT})
    (so_far,) = [each for each in office.handed_over() if not each.final]
    read = {"Bucket": BUCKET, "Key": f"{SO_FAR}{so_far.sha256}.json"}
    content = office.s3.get_object(**read)["Body"].read()
    put(office, NEXT, content, office.evidence.signature(so_far) or b"")
    office.log("pay_2", logged_at=at + 1, timestamp=at + 1)
    office.clock.now += DAY_MS
    assert office.run() == {NEXT: "sealed"}
    (place,) = [each for each in office.handed_over() if each.day == NEXT]
    record = office.content(place)
    assert (record["is_final"], record["entries"]) == (True, 2)
    assert [each.place for each in office.evidence.final_versions(NEXT)] == [place]


def test_two_runs_over_what_others_put_there_make_one_statement(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(office, DAY, b"{}")
    seal = EvidenceBucket.seal
    faster: list[Any] = []

    def meanwhile(bucket: EvidenceBucket, *args: Any) -> bool:
        if not faster:
            faster.append(None)
            office.clock.now += 1
            faster.append(office.sealer().seal(DAY, print))
        return seal(bucket, *args)

    monkeypatch.setattr(EvidenceBucket, "seal", meanwhile)
    assert office.run() == {DAY: "already_sealed"}
    assert faster[1] is not None
    assert len({each.sha256 for each in office.handed_over()}) == 1
    assert len(office.evidence.sealed_objects().versions[record_key(DAY)]) == 2


def test_a_mailed_statement_that_lost_its_signature_is_not_sealed_again(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.log("pay_1")
    office.run()
    (place,) = office.handed_over()
    signature = office.evidence.signature(place) or b""
    office.put("AuditDeliveries", {"payment_id": place.delivery_id, "state": "sent"})
    take_out(office, DAY, ".sig")
    office.clock.now += DAY_MS
    assert office.run() == {NEXT: "refused"}
    assert "is not signed by this stack's key" in caplog.text
    assert [each.sha256 for each in office.evidence.final_versions(DAY)] == [place.sha256]
    assert office.handed_over() == []
    office.s3.put_object(Bucket=BUCKET, Key=place.signature_key, Body=signature)
    assert office.run() == {NEXT: "sealed"}, "its mail attaches it: it can be put back"


def test_one_that_nobody_mailed_and_that_lost_its_signature_is_sealed_anew(office: Office) -> None:
    office.run()
    (place,) = office.handed_over()
    take_out(office, DAY, ".sig")
    assert office.run() == {DAY: "sealed"}
    assert [each.sha256 for each in office.handed_over()] != [place.sha256]
    assert office.sealer().is_sealed(DAY)


def found_in(output: str) -> bool:
    return '"StatementFindings":[1.0]' in output


@pytest.mark.parametrize("step", ["sign", later("seal"), "send"])
def test_a_run_that_dies_after_it_found_something_has_told_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    office.log("pay_1", mailed=False)

    def die(*_: Any) -> None:
        raise SystemExit("killed")  # as a function that ran out of time, it does nothing more

    monkeypatch.setattr(Outbox if step == "send" else EvidenceBucket, step, die)
    with pytest.raises(SystemExit), pytest.warns(UserWarning, match="No application metrics"):
        office.run()
    assert found_in(capsys.readouterr().out)


def test_a_statement_whose_answer_was_lost_is_handed_over_and_told_of(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The SDK puts it a second time, and is told that it is there."""
    office.log("pay_1", mailed=False)
    real = EvidenceBucket._put

    def put_twice(*args: Any, **more: Any) -> None:
        real(*args, **more)
        if str(args[1]).endswith("statement.json"):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")

    monkeypatch.setattr(EvidenceBucket, "_put", put_twice)
    assert office.run() == {DAY: "sealed"}
    assert len(office.handed_over()) == 1
    assert found_in(capsys.readouterr().out)


def test_what_is_put_over_is_what_was_seen_there(office: Office) -> None:
    bucket = office.evidence
    assert (bucket.on_top(DAY), bucket.seal(DAY, b"1", "")) == ("", True)
    first = bucket.on_top(DAY)
    assert bucket.seal(DAY, b"2", "") is False
    assert bucket.seal(DAY, b"2", first) is True
    assert bucket.seal(DAY, b"3", first) is False, "another one is on top by now"
    office.s3.delete_object(Bucket=BUCKET, Key=record_key(DAY))
    assert (bucket.on_top(DAY), bucket.seal(DAY, b"4", first)) == ("", False)
    with pytest.raises(EvidenceDamagedError, match="cannot be read"):
        bucket.sealed(DAY)
