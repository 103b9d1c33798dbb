"""An event's export keeps the money of what is past its seven years and gone, in one row."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.api import wiring
from functions.api.payments.expired import UNREADABLE
from functions.daily_statement.rules.account import Whole
from functions.daily_statement.rules.record import Standing, heads_record
from functions.daily_statement.stores.signing_key import SigningKey
from shared import aws, keys
from shared.attributes import to_attributes
from shared.ledger import LedgerEntry, canonical_json
from shared.statements.expiry import NOTHING_EXPIRES, Certificate
from shared.statements.places import StatementPlace, heads_key, record_key
from tests.builders import NOW
from tests.functions.api.conftest import EVIDENCE, Answer, Client, store
from tests.functions.api.payments.test_export import rows_of
from tests.seven_years import certified, voyage
from tests.statements import DAY, drawn_up, stored
from tests.tables import empty_bucket

QUERY = {"event_id": "sunset-charter"}


@pytest.fixture
def evidence(api: Client) -> Iterator[None]:
    yield
    empty_bucket(EVIDENCE)


def seal(certificate: Certificate, day: str = DAY, *, is_signed: bool = True) -> None:
    """A statement whose list of heads has this certificate."""
    s3 = boto3.client("s3")
    drawn = drawn_up([], day)
    heads = canonical_json(heads_record(day, {"sunset-charter": Standing(certificate=certificate)}))
    sha256 = hashlib.sha256(heads).hexdigest()
    drawn.whole = Whole(events=1, entries=5, heads_sha256=sha256)
    s3.put_object(Bucket=EVIDENCE, Key=heads_key(day, sha256), Body=heads)
    content = stored(drawn).content
    s3.put_object(Bucket=EVIDENCE, Key=record_key(day), Body=content)
    place = StatementPlace(day=day, final=True, sha256=hashlib.sha256(content).hexdigest())
    key = SigningKey(boto3.client("kms"), wiring.settings().signing_key_id)
    s3.put_object(
        Bucket=EVIDENCE, Key=place.signature_key, Body=key.sign(content) if is_signed else b"x"
    )


def exported(admin: Client, there: Sequence[LedgerEntry]) -> list[dict[str, str]]:
    answer = export(admin, there)
    assert answer.status == 200, answer.text
    return rows_of(answer.text)


def export(admin: Client, there: Sequence[LedgerEntry]) -> Answer:
    for each in there:
        store(admin, each)
    last = {"seq": 5, "hash": voyage()[-1].hash, "last_logged_at": NOW, "total_cents": 573}
    head = to_attributes(keys.head("sunset-charter") | last)
    admin.dynamodb.put_item(TableName=admin.tables["Ledger"], Item=head)
    return admin.call("GET", "/api/payments.csv", query=QUERY)


@pytest.mark.parametrize("gone", [(1,), (3,), (1, 3), (1, 2, 3), (2, 3)])
def test_what_expired_is_one_row_and_the_sum_stays(
    admin: Client, evidence: None, gone: tuple[int, ...]
) -> None:
    entries = voyage()
    seal(certified(entries[:3]))
    first, *rest = exported(admin, [each for each in entries if each.seq not in gone])
    assert (first["kind"], first["event_id"], first["seq"]) == ("expired", "sunset-charter", "")
    assert first["note"].startswith(f"{len(gone)} of the entries #000001 to #000003")
    assert first["hash"] == first["amount"] == first["problem"] == ""
    assert len(rest) == 5 - len(gone)
    total = sum(Decimal(each["net_amount"]) for each in [first, *rest])
    assert total * 100 == sum(each.net_cents for each in entries)


@pytest.mark.parametrize("left", [(), (1,), (1, 2), (5,)])
def test_an_event_that_expires_wholly_keeps_its_sum(
    admin: Client, evidence: None, left: tuple[int, ...]
) -> None:
    """Also when the highest numbers go first."""
    seal(certified(voyage()))
    rows = exported(admin, [each for each in voyage() if each.seq in left])
    assert len(rows) == 1 + len(left)
    assert sum(Decimal(each["net_amount"]) for each in rows) == Decimal("5.73")


def test_an_altered_row_among_the_certified_counts_as_it_was(admin: Client, evidence: None) -> None:
    entries = voyage()
    seal(certified(entries[:3]))
    rows = exported(admin, [replace(entries[0], amount_cents=1), *entries[1:]])
    assert sum(Decimal(each["net_amount"]) for each in rows) == Decimal("5.73")
    assert [bool(each["problem"]) for each in rows].count(True) == 1


@pytest.mark.parametrize("lie", ["unsigned", "not over"])
def test_a_statement_that_is_not_ours_certifies_nothing(
    admin: Client, evidence: None, lie: str
) -> None:
    seal(certified(voyage()[:1]))
    forged = voyage()[:3]
    day = "2025-11-25" if lie == "unsigned" else "2999-01-01"
    seal(certified(forged), day, is_signed=lie != "unsigned")
    first, *rest = exported(admin, voyage()[3:])
    assert first["note"].startswith("1 of the entries #000001 to #000001")
    assert len(rest) == 2


def test_nothing_expired_without_a_certificate(admin: Client, evidence: None) -> None:
    """What is missing is not made up for: the sum is not the screen's, and `verify` says why."""
    assert len(exported(admin, voyage()[1:])) == 4
    seal(certified(voyage()[:1]))
    assert [each["kind"] for each in exported(admin, [])][:1] == ["expired"]


def test_an_export_reads_the_evidence_only_for_a_row_that_is_gone(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def certificate_of(event_id: str) -> Certificate:
        asked.append(event_id)
        return NOTHING_EXPIRES

    monkeypatch.setattr(wiring, "certificate_of", certificate_of)
    assert len(exported(admin, voyage())) == 5
    assert asked == []
    assert admin.call("GET", "/api/payments.csv", query={"event_id": "nowhere"}).status == 200
    assert asked == [], "an event without payments lacks none"


@pytest.mark.parametrize("is_there", [True, False], ids=["damaged", "no bucket"])
def test_damaged_evidence_is_said_in_the_file(
    admin: Client, evidence: None, monkeypatch: pytest.MonkeyPatch, *, is_there: bool
) -> None:
    """The payments are worth having without it."""
    if is_there:
        boto3.client("s3").put_object(Bucket=EVIDENCE, Key=record_key(DAY), Body=b"{}")
    else:
        other = replace(wiring.settings(), evidence_bucket="nowhere")
        monkeypatch.setattr(wiring, "settings", lambda: other)
    first, *rest = exported(admin, voyage()[1:])
    assert first["problem"].startswith(UNREADABLE)
    assert len(rest) == 4


@pytest.mark.parametrize(("service", "code"), [("kms", "ThrottlingException"), ("s3", "SlowDown")])
def test_throttled_evidence_is_no_damaged_one(
    admin: Client, evidence: None, monkeypatch: pytest.MonkeyPatch, service: str, code: str
) -> None:
    """The file would say for good what is over in a second."""
    seal(certified(voyage()[:1]))
    client, real = boto3.client(service), aws.client  # type: ignore[call-overload]

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code}}, "Verify")

    client.meta.events.register(f"before-call.{service}", refuse)
    monkeypatch.setattr(
        aws, "client", lambda name, **more: client if name == service else real(name, **more)
    )
    answer = export(admin, voyage()[1:])
    assert (answer.status, answer.json["code"]) == (503, "overloaded")


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [(1, "payment_expired", "was deleted after its seven years"), (5, "payment_gone", "is gone")],
)
def test_a_payments_address_says_what_became_of_it(
    admin: Client, number: int, code: str, says: str
) -> None:
    entry = voyage(now=int(time.time() * 1000))[number - 1]
    store(admin, entry)
    pointer = keys.pointer(entry.payment_id) | {"row_pk": entry.pk, "row_sk": entry.timestamp}
    table = admin.tables["Ledger"]
    admin.dynamodb.put_item(TableName=table, Item=to_attributes(pointer))
    key = to_attributes({"PK": entry.pk, "SK": entry.timestamp})
    admin.dynamodb.delete_item(TableName=admin.tables["Payments"], Key=key)
    answer = admin.call("GET", f"/api/payments/{entry.payment_id}")
    assert (answer.status, answer.json["errors"][0]["code"]) == (404, code)
    assert says in answer.json["detail"]
