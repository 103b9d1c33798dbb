"""HTTP answers: JSON, problem+json, HTML and CSV."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.shared.cookies import Cookie

from functions.api.http.problems import ApiError, problem

PROBLEM_ROWS = "X-Problem-Rows"  # of an export: how many are not as they were written
_UNCACHED = {"Cache-Control": "no-store"}


def json_answer(
    content: Any, *, replayed: bool = False, cookies: list[Cookie] | None = None
) -> Response[str]:
    """replayed: the request was done before, and nothing was written again."""
    return Response(
        status_code=200,
        content_type="application/json",
        body=json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_as_json),
        headers=_UNCACHED | ({"Idempotent-Replayed": "true"} if replayed else {}),
        cookies=cookies,
    )


def _as_json(value: Any) -> Any:
    """A stored value of a type that we never write: one of them must not hide a whole list."""
    return str(value) if isinstance(value, Decimal) else None


def document_answer(document: str) -> Response[str]:
    """A JSON document that the build wrote."""
    return Response(
        status_code=200, content_type="application/json", body=document, headers=_UNCACHED
    )


def empty_answer(*, cookies: list[Cookie]) -> Response[str]:
    return Response(status_code=204, headers=_UNCACHED, cookies=cookies)


def html_answer(page: str, status: int = 200) -> Response[str]:
    return Response(
        status_code=status, content_type="text/html; charset=utf-8", body=page, headers=_UNCACHED
    )


def csv_answer(content: str, *, problems: int) -> Response[str]:
    """problems: how many rows of the file are marked."""
    return Response(
        status_code=200,
        content_type="text/csv; charset=utf-8",
        body=content,
        headers=_UNCACHED
        | {
            "Content-Disposition": 'attachment; filename="payments.csv"',
            PROBLEM_ROWS: str(problems),
        },
    )


def problem_answer(error: ApiError, request_id: str) -> Response[str]:
    return Response(
        status_code=int(error.status),
        content_type="application/problem+json",
        body=json.dumps(problem(error, request_id), ensure_ascii=False),
        headers=_UNCACHED | error.headers,
    )
