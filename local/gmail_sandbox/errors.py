"""How Google refuses: one exception per family; only this module shapes the bodies."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

# google.rpc.Code names as the Gmail API pairs them with HTTP status codes.
_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_REASONS = {
    400: "badRequest",
    401: "authError",
    403: "rateLimitExceeded",
    404: "notFound",
    413: "uploadTooLarge",
    429: "rateLimitExceeded",
}
_MESSAGES = {
    400: "Bad Request",
    401: "Invalid Credentials",
    403: "User-rate limit exceeded.",
    404: "Requested entity was not found.",
    429: "User-rate limit exceeded.",
    499: "The operation was cancelled.",
    500: "Internal error encountered.",
    502: "Bad Gateway",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}
_USAGE_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"}


@dataclass(eq=False)
class GmailError(Exception):
    """A refusal by the Gmail API, see https://developers.google.com/workspace/gmail/api/guides/handle-errors."""

    code: int
    message: str
    reason: str
    status: str | None = None
    summary: str | None = None
    """The shorter text inside `errors[]`, when it differs from `message`."""
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        is_about_usage = self.code == 403 and self.reason in _USAGE_REASONS  # a 429 is global
        detail: dict[str, Any] = {
            "message": self.summary or self.message,
            "domain": "usageLimits" if is_about_usage else "global",
            "reason": self.reason,
        }
        if self.code == 401:
            detail |= {"location": "Authorization", "locationType": "header"}
        body = {
            "error": {
                "code": self.code,
                "message": self.message,
                "errors": [detail],
                "status": self.status or _STATUS_NAMES.get(self.code, "UNKNOWN"),
            }
        }
        return web.json_response(body, status=self.code, headers=self.headers)


@dataclass(eq=False)
class TokenError(Exception):
    """A refusal by the token endpoint (RFC 6749 §5.2, with Google's descriptions)."""

    code: int
    error: str
    description: str
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        body = {"error": self.error, "error_description": self.description}
        return web.json_response(body, status=self.code, headers=self.headers)


def injected(
    code: int, *, message: str | None, reason: str | None, retry_after: int | None
) -> GmailError:
    """Return the refusal that a `status` fault asks for; without a message, in Google's words."""
    return GmailError(
        code=code,
        message=message or _MESSAGES.get(code, "Backend Error"),
        reason=reason or _REASONS.get(code, "backendError"),
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
    )


def precondition_failed(message: str = "Precondition check failed.") -> GmailError:
    return GmailError(400, message, "failedPrecondition", status="FAILED_PRECONDITION")


def invalid_argument(message: str) -> GmailError:
    return GmailError(400, message, "invalidArgument")


def not_found() -> GmailError:
    return GmailError(404, "Requested entity was not found.", "notFound")


def invalid_credentials() -> GmailError:
    return GmailError(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        "authError",
        summary="Invalid Credentials",
        headers={
            "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
        },
    )
