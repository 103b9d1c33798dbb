"""The API's exceptions, and the one table that turns them into answers (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field, a stable code, and a message that a person can read."""

    field: str
    code: str
    message: str


class ApiError(Exception):
    """A request that is refused. `detail` tells the caller what to do."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"

    def __init__(self, detail: str, *errors: FieldError, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.extension: dict[str, Any] = {}


class MalformedRequestError(ApiError):
    code = "malformed_request"


class NotSignedInError(ApiError):
    status, code = HTTPStatus.UNAUTHORIZED, "not_signed_in"


class SignInRefusedError(ApiError):
    status, code = HTTPStatus.UNAUTHORIZED, "sign_in_refused"


class ForbiddenError(ApiError):
    status, code = HTTPStatus.FORBIDDEN, "forbidden"


class ForeignOriginError(ApiError):
    status, code = HTTPStatus.FORBIDDEN, "foreign_origin"


class NotFoundError(ApiError):
    status, code = HTTPStatus.NOT_FOUND, "not_found"


class MethodNotAllowedError(ApiError):
    """allowed: the methods that the address accepts."""

    status, code = HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        message = f"This address only accepts {', '.join(allowed)}."
        super().__init__(message, FieldError("method", "method_not_allowed", message))
        self.headers["Allow"] = ", ".join(allowed)


class AlreadySignedError(ApiError):
    status, code = HTTPStatus.CONFLICT, "waiver_already_signed"


class ContentionError(ApiError):
    status, code = HTTPStatus.CONFLICT, "contention"


class NotVoidableError(ApiError):
    status, code = HTTPStatus.CONFLICT, "not_voidable"


class UnreadableError(ApiError):
    """What is stored is not what we write, so nothing can be answered or written on top of it.

    what: such as "This entry" or "The roster entry".
    """

    status, code = HTTPStatus.CONFLICT, "unreadable"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is stored, but not as it was written, so it cannot be used. Do not enter it "
            "again. Tell operations: the command scc verify names what is wrong."
        )


class UnusableError(ApiError):
    """An event or a patron as the platform wrote it, which no payment can be logged for."""

    status, code = HTTPStatus.CONFLICT, "unusable"


class PossibleDuplicateError(ApiError):
    """payments: the earlier entries, as the API shows them."""

    status, code = HTTPStatus.CONFLICT, "possible_duplicate"

    def __init__(self, detail: str, *errors: FieldError, payments: list[dict[str, Any]]) -> None:
        super().__init__(detail, *errors)
        self.extension = {"payments": payments}


class BodyTooLargeError(ApiError):
    status, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large"


class NotJsonError(ApiError):
    status, code = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json"


class InvalidFieldsError(ApiError):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_fields"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(" ".join(error.message for error in errors), *errors)


class KeyReusedError(ApiError):
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused"


class ThrottledError(ApiError):
    status, code = HTTPStatus.TOO_MANY_REQUESTS, "throttled"


class OverloadedError(ApiError):
    """AWS slows us down. A retry is safe, whatever became of this attempt."""

    status, code = HTTPStatus.SERVICE_UNAVAILABLE, "overloaded"


class UnexpectedError(ApiError):
    """Our own failure; the detail never says what went wrong inside."""

    status, code = HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected"


def no_such_event() -> NotFoundError:
    message = "There is no such event."
    return NotFoundError(message, FieldError("event_id", "event_not_found", message))


def no_such_payment() -> NotFoundError:
    message = "There is no such payment."
    return NotFoundError(message, FieldError("payment_id", "payment_not_found", message))


def deleted_payment() -> NotFoundError:
    message = (
        "This payment was deleted after its seven years. Its audit mail and the daily statements "
        "still tell of it."
    )
    return NotFoundError(message, FieldError("payment_id", "payment_expired", message))


def lost_payment() -> NotFoundError:
    message = (
        "This payment was logged, and its entry is gone. Do not log it again. Tell operations: the "
        "command scc verify names what is wrong."
    )
    return NotFoundError(message, FieldError("payment_id", "payment_gone", message))


def problem(error: ApiError, request_id: str) -> dict[str, Any]:
    """The problem+json body. `instance` is the request's id in the logs."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.status.phrase,
        "status": int(error.status),
        "code": error.code,
        "detail": error.detail,
        "instance": f"urn:request:{request_id}",
        "errors": [
            {"field": each.field, "code": each.code, "message": each.message}
            for each in error.errors
        ],
    } | error.extension
