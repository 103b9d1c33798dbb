"""Lambda entry point: a Function URL event in, an HTTP answer out."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.api import snapshot
from functions.api.http.answers import problem_answer
from functions.api.http.failures import failure_of
from functions.api.http.problems import (
    ApiError,
    FieldError,
    MethodNotAllowedError,
    NotFoundError,
)
from functions.api.http.resolver import Resolver
from functions.api.routes import events, payments, service, session

UNKNOWN_FIELD = "extra_forbidden"  # the sender chose such a field's name, so it is never logged

logger = Logger()
app = Resolver()
for each in (service, session, events, payments):
    app.include_router(each.router)
snapshot.register()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    answer: dict[str, Any] = app.resolve(event, context)
    return answer


@app.not_found
def answer_not_found(_: Exception) -> Response[str]:
    if allowed := app.methods_at(app.current_event.path):
        return problem_answer(MethodNotAllowedError(allowed), _request_id())
    message = "There is nothing at this address."
    field = FieldError("path", "address_unknown", message)
    return problem_answer(NotFoundError(message, field), _request_id())


@app.exception_handler(ApiError)
def answer_refused(error: ApiError) -> Response[str]:
    fields = [each.field for each in error.errors if each.code != UNKNOWN_FIELD]
    logger.info("request refused", code=error.code, fields=fields)
    return problem_answer(error, _request_id())


@app.exception_handler(Exception)
def answer_unexpected(error: Exception) -> Response[str]:
    failure = failure_of(error)
    logger.error("request failed", code=failure.code, error=type(error).__name__, exc_info=error)
    return problem_answer(failure, _request_id())


def _request_id() -> str:
    return str(app.lambda_context.aws_request_id)
