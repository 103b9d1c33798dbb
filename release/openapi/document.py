"""Assembling the OpenAPI document from operations and models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.api.http import problems
from functions.api.http.answers import PROBLEM_ROWS
from functions.api.people.cookie import COOKIE_NAME
from release.openapi.answers import DuplicateProblem, Problem
from release.openapi.operations import OPERATIONS, Operation
from release.openapi.parameters import Parameter

Refusal = type[problems.ApiError]
_RETRIED_LATER = (problems.ContentionError, problems.ThrottledError, problems.OverloadedError)
_REFERENCE = "#/components/schemas/{model}"
_ABOUT = """\
Payments of chartered events: an append-only, hash-chained ledger, and one audit mail per entry.

Amounts are decimal strings in US dollars, times are epoch milliseconds. A call that fails \
changes nothing and explains why in a problem (RFC 9457) that names the fields. Only after a 5xx \
the caller cannot know: send it again with the same key, after a 503 when `Retry-After` says so, \
and nothing is written twice. Unknown fields in a body are refused.

Writes are accepted only from the app's own pages (`Sec-Fetch-Site`, `Origin`) or from programs, \
which send neither header. Behind CloudFront every POST must carry the SHA-256 of its body, in \
hex, as `x-amz-content-sha256`. HEAD works wherever GET does; other methods get 405 with `Allow`. \
Scripts can sign their calls to the function's own URL with an allow-listed IAM identity \
(`AdminIamArns`) instead of a session; it counts as an admin. Its policy must allow both \
`lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the function: since October 2025 the \
first alone is answered with 403. STS tells a role's name and account but not its path, which is \
enough: no account has two roles of one name. Entries name the role, not the person or program \
behind its session."""


def document() -> dict[str, Any]:
    """The whole document, as JSON values in a fixed order."""
    models = _models(OPERATIONS)
    references, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REFERENCE
    )
    named = {model: references[(model, "validation")] for model in models}
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, named)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ship Captain Crew: payment logging",
            "version": "1",
            "description": _ABOUT,
        },
        "servers": [{"url": "/", "description": "The app's own host."}],
        "tags": [{"name": name} for name in dict.fromkeys(each.tag for each in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas["$defs"].items())),
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE_NAME,
                    "description": "Set by POST /api/session; HttpOnly, Secure, SameSite=Strict.",
                }
            },
        },
    }


def problems_of(operation: Operation) -> dict[int, list[Refusal]]:
    """How the operation can fail, by status; our own failure and AWS's can happen anywhere."""
    by_status: dict[int, list[Refusal]] = defaultdict(list)
    everywhere: list[Refusal] = [problems.UnexpectedError, problems.OverloadedError]
    for refusal in [*operation.refusals, *everywhere]:
        by_status[int(refusal.status)].append(refusal)
    return dict(sorted(by_status.items()))


def _models(operations: Iterable[Operation]) -> list[type[BaseModel]]:
    models: dict[type[BaseModel], None] = {Problem: None, DuplicateProblem: None}
    for operation in operations:
        for model in (operation.body, operation.answer):
            if isinstance(model, type):
                models[model] = None
    return list(models)


def _operation(operation: Operation, named: dict[type[BaseModel], Any]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description}\n\nWho: {operation.who}.".strip(),
        "security": _security(operation),
    }
    if operation.parameters:
        written["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body:
        content: dict[str, Any] = {"schema": named[operation.body]}
        content["examples"] = {
            name: {"value": example} for name, example in operation.examples.items()
        }
        written["requestBody"] = {"required": True, "content": {"application/json": content}}
    responses = {str(operation.status): _success(operation, named)}
    if operation.answer == "text/html":
        page = {"text/html": {"schema": {"type": "string"}}}
        responses["404"] = {"description": "A page that says there is no such event", **_of(page)}
        responses["409"] = {"description": "A page that says where the waiver is", **_of(page)}
    for status, refusals in problems_of(operation).items():
        responses[str(status)] = _refusal(status, refusals, named)
    return written | {"responses": responses}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Any one of these is enough; the empty one means no session."""
    if operation.is_public:
        return []
    return [{"session": []}, *([{}] if operation.takes_nobody else [])]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    written = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    return written if parameter.example is None else written | {"example": parameter.example}


def _success(operation: Operation, named: dict[type[BaseModel], Any]) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if operation.replays:
        headers["Idempotent-Replayed"] = {
            "description": "Present if the request was done before; nothing was written again.",
            "schema": {"type": "string", "const": "true"},
        }
    if operation.sets_cookie:
        headers["Set-Cookie"] = {
            "description": "The session; empty and expired after sign-out.",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{COOKIE_NAME}="},
        }
    if operation.answer == "text/csv":
        headers[PROBLEM_ROWS] = {
            "description": "How many rows of the file are not as they were written.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0},
        }
    written: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if headers:
        written["headers"] = headers
    match operation.answer:
        case None:
            return written
        case str() as kind:
            schema = {"type": "object" if kind == "application/json" else "string"}
            return written | _of({kind: {"schema": schema}})
        case model:
            content = {"schema": named[model]}
            if operation.example is not None:
                content["example"] = operation.example
            return written | _of({"application/json": content})


def _refusal(
    status: int, refusals: list[Refusal], named: dict[type[BaseModel], Any]
) -> dict[str, Any]:
    duplicates = problems.PossibleDuplicateError in refusals
    schema = named[DuplicateProblem if duplicates else Problem]
    examples = {each.code: {"value": _example(each)} for each in refusals}
    codes = ", ".join(f"`{each.code}`" for each in refusals)
    written: dict[str, Any] = {"description": f"{HTTPStatus(status).phrase}: {codes}"}
    if any(each in _RETRIED_LATER for each in refusals):
        written["headers"] = {
            "Retry-After": {
                "description": "Seconds to wait before trying again.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return written | _of({"application/problem+json": {"schema": schema, "examples": examples}})


def _example(refusal: Refusal) -> dict[str, Any]:
    """What a problem looks like."""
    return {
        "type": f"/problems/{refusal.code}",
        "title": refusal.status.phrase,
        "status": int(refusal.status),
        "code": refusal.code,
        "detail": "What is wrong and what to do.",
        "instance": "urn:request:9b1c6a2e-2f0e-4a58-9d7e-1c1f7a0c5b11",
        "errors": [],
    }


def _of(content: dict[str, Any]) -> dict[str, Any]:
    return {"content": content}
