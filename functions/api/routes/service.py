"""Whether the API is up, and what it offers."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import LambdaFunctionUrlRouter

from functions.api import wiring
from functions.api.http.answers import document_answer, json_answer

router = LambdaFunctionUrlRouter()  # type: ignore[no-untyped-call]


@router.get("/api/health")
def health() -> Response[str]:
    return json_answer({"status": "ok"})


@router.get("/api/openapi.json")
def show_openapi() -> Response[str]:
    return document_answer(wiring.openapi_document())
