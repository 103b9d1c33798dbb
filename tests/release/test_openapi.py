"""The API's document says what the API does, and tools can read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from functions.api.free_text.plain_text import PLAIN_TEXT, plain_text
from functions.api.handler import app
from functions.api.http import problems
from functions.api.payments.listing import payment_view
from release.build_bundle import find_uv, write_openapi
from release.openapi.answers import LedgerRow
from release.openapi.document import document
from release.openapi.operations import OPERATIONS
from release.openapi.page import anchor, page
from shared.ledger import LedgerEntry
from shared.methods import METHODS
from tests.builders import entry
from tests.suites import LONG

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return document()


def test_every_route_is_in_the_document_and_nothing_else() -> None:
    routed = {(method, re.sub(r"<(\w+)>", r"{\1}", path)) for method, path in app.routes()}
    assert {(each.method, each.path) for each in OPERATIONS} == routed
    assert len(OPERATIONS) == len(routed)


def test_the_document_is_valid_openapi(written: dict[str, Any]) -> None:
    errors = jsonschema_rs.validator_for(OPENAPI_31).iter_errors(written)
    assert [str(error) for error in errors] == []
    names = [each.name for each in OPERATIONS]
    assert len(names) == len(set(names)), "operationId must be unique"


def test_every_schema_is_valid_and_its_references_resolve(written: dict[str, Any]) -> None:
    for name, schema in written["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validator_for(with_components(written, {"$ref": reference_to(name)}))
    known = {reference_to(name) for name in written["components"]["schemas"]}
    assert {node["$ref"] for node in nodes(written) if "$ref" in node} <= known


def test_every_example_is_valid_by_its_own_schema(written: dict[str, Any]) -> None:
    checked = 0
    for node in nodes(written):
        if not isinstance(node.get("schema"), dict):
            continue
        validator = jsonschema_rs.validator_for(with_components(written, node["schema"]))
        values = [each["value"] for each in node.get("examples", {}).values()]
        for value in values + ([node["example"]] if "example" in node else []):
            assert validator.is_valid(value), value
            checked += 1
    assert checked > len(OPERATIONS)


def test_every_problem_that_the_api_knows_is_documented_somewhere() -> None:
    def below(kind: type[problems.ApiError]) -> Iterator[type[problems.ApiError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    documented = {refusal for each in OPERATIONS for refusal in each.refusals}
    everywhere = {
        problems.UnexpectedError,
        problems.OverloadedError,
        problems.MethodNotAllowedError,
    }
    assert set(below(problems.ApiError)) - everywhere == documented


def test_a_call_with_a_body_can_refuse_it_in_every_way() -> None:
    for each in OPERATIONS:
        statuses = {int(refusal.status) for refusal in each.refusals}
        assert bool(each.body) == ({400, 403, 413, 415, 422} <= statuses), each.name
        assert each.is_public or 401 in statuses, each.name


def test_a_ledger_row_is_documented_to_the_last_attribute() -> None:
    attributes = {each.name for each in fields(LedgerEntry)}
    assert set(LedgerRow.model_fields) == attributes | {"PK", "SK", "amount"}
    payment = payment_view(entry(payment_id="pay_" + "0" * 32))
    id_, why = payment["payment_id"], {"reason": "other"}
    void = payment | {"kind": "void", "voids": id_} | why
    refund = payment | {"kind": "refund", "refunds": id_} | why
    for each in (payment, payment | {"corrects": id_}, void, refund):
        LedgerRow.model_validate(each)


def test_every_method_is_documented_in_requests_rows_and_totals(written: dict[str, Any]) -> None:
    models = written["components"]["schemas"]
    for name in ("PaymentRequest", "Replacement", "LedgerRow", "AuditedPayment"):
        assert models[name]["properties"]["method"]["enum"] == list(METHODS)
    assert list(models["MethodTotals"]["properties"]) == list(METHODS)


@LONG
def test_the_plain_text_pattern_refuses_exactly_the_characters_that_the_api_refuses() -> None:
    pattern = re.compile(PLAIN_TEXT)
    surrogates = range(0xD800, 0xE000)  # no JSON text that is UTF-8 can hold one alone
    for number in range(0x110000):
        if number in surrogates:
            continue
        try:
            plain_text(chr(number))
        except ValueError:
            assert not pattern.fullmatch(chr(number)), hex(number)
        else:
            assert pattern.fullmatch(chr(number)), hex(number)


def test_the_page_is_up_to_date_with_the_document(written: dict[str, Any]) -> None:
    stored = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert stored == page(written), "run `make docs`"
    headings = [anchor(each) for each in re.findall(r"^#+ (.+)$", stored, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#([^)]+)\)", stored)) <= set(headings)


def test_the_bundle_gets_the_document_of_the_models_it_holds(
    tmp_path: Path, written: dict[str, Any]
) -> None:
    (tmp_path / "functions" / "api").mkdir(parents=True)
    write_openapi(find_uv(ROOT), ROOT, tmp_path)
    built = (tmp_path / "functions" / "api" / "openapi.json").read_text("utf-8")
    assert json.loads(built) == written


def reference_to(name: str) -> str:
    return f"#/components/schemas/{name}"


def with_components(written: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return schema | {"components": written["components"]}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from nodes(each)
