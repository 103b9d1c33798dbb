"""Bad input of every kind: a problem names the field, and nothing is written anywhere."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.functions.api.bad_inputs import Bad, bad_inputs
from tests.functions.api.conftest import Client, start_over
from tests.tables import TABLES

INPUTS = list(bad_inputs())
MEMBERS = {"type", "title", "status", "code", "detail", "instance", "errors"}


def test_there_are_150_bad_inputs_and_no_two_are_the_same() -> None:
    distinct = {repr(replace(bad, why="", field="", status=0)) for bad in INPUTS}
    assert len(distinct) == len(INPUTS) >= 150


@pytest.fixture(scope="module")
def signed_in(world: tuple[dict[str, str], Any]) -> tuple[Client, str, Any]:
    """The admin, the id of an existing payment, and everything in the tables."""
    client = start_over(world)
    assert client.sign_in("admin").status == 200
    payment_id = client.log().json["payment"]["payment_id"]
    return client, payment_id, [client.rows(table) for table in TABLES]


@pytest.mark.parametrize("bad", INPUTS, ids=lambda bad: f"{bad.route:.40}: {bad.why}")
def test_bad_input_is_a_problem_that_names_the_field_and_writes_nothing(
    signed_in: tuple[Client, str, Any], bad: Bad
) -> None:
    client, payment_id, before = signed_in
    answer = send(client, bad, payment_id)
    assert (answer.status, answer.fields) == (bad.status, [bad.field]), answer.text[:500]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json) == MEMBERS
    assert answer.json["status"] == answer.status
    assert all(error["code"] and error["message"] for error in answer.json["errors"])
    assert_fit_to_show(answer.text)
    assert [client.rows(table) for table in TABLES] == before


def send(client: Client, bad: Bad, payment_id: str) -> Any:
    method, _, path = bad.route.partition(" ")
    return client.call(
        method,
        path.replace("{id}", payment_id),
        bad.body if bad.content is None else bad.content,
        query=bad.query,
        headers={"idempotency-key": str(uuid.uuid4())} | (bad.headers or {}),
        is_base64=bad.is_base64,
    )


def assert_fit_to_show(text: str) -> None:
    """Short, printable, no markup but a field's own name, and encodable as Lambda does."""
    assert len(text.encode()) < 2_000
    assert {unicodedata.category(each) for each in text}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert "<script>alert" not in text
    assert "Traceback" not in text
