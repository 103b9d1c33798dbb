"""Reading requests: who sends them, from where, and what they say."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from functions.api.http.problems import (
    BodyTooLargeError,
    FieldError,
    ForeignOriginError,
    InvalidFieldsError,
    MalformedRequestError,
    NotJsonError,
)

MAX_BODY_BYTES = 16 * 1024
MAX_SEARCH = 100
MOST_ERRORS = 20
_ROLE_SESSION = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/[^/]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
Model = TypeVar("Model", bound=BaseModel)

_WORDING = {
    "missing": "{field} is required.",
    "extra_forbidden": "{field} is not a known field.",
    "string_type": "{field} must be text.",
    "int_type": "{field} must be a whole number.",
    "list_type": "{field} must be a list.",
    "model_type": "The body must be a JSON object.",
}


def require_same_origin(headers: Mapping[str, str], allowed: Sequence[str]) -> None:
    """Refuse a write that another site's page sent.

    Browsers send Sec-Fetch-Site on every request and Origin on every write, and no page can change
    them. A caller that sends neither is not a browser and carries no ambient cookie.
    """
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site not in (None, "same-origin") or (
        origin is not None and origin not in allowed and (allowed or site is None)
    ):
        message = "Changes can only be made from this app's own pages."
        raise ForeignOriginError(message, FieldError("Origin", "foreign_origin", message))


def caller_arn(event: Mapping[str, Any]) -> str:
    """The ARN of a caller that signs with IAM, else empty.

    A role's session counts as its role. STS tells only the role's name, so the ARN lacks its path.
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    arn = str((authorizer.get("iam") or {}).get("userArn") or "")
    session = _ROLE_SESSION.fullmatch(arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn


def read_body(event: Mapping[str, Any]) -> bytes:
    """The body's bytes; Lambda sends base64 when it takes the body for binary."""
    body = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        message = "The body is not valid base64."
        raise MalformedRequestError(
            message, FieldError("body", "base64_invalid", message)
        ) from error


def read_json(body: bytes, content_type: str) -> dict[str, Any]:
    """The request body as a JSON object.

    Raises NotJsonError, BodyTooLargeError or MalformedRequestError.
    """
    if content_type.split(";", maxsplit=1)[0].strip().lower() != "application/json":
        message = "Send the body as application/json."
        raise NotJsonError(message, FieldError("Content-Type", "not_json", message))
    if len(body) > MAX_BODY_BYTES:
        message = f"The body must be at most {MAX_BODY_BYTES} bytes."
        raise BodyTooLargeError(message, FieldError("body", "body_too_large", message))
    try:
        content = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError(
            "The body is not valid JSON.",
            FieldError("body", "json_invalid", f"The body is not valid JSON: {_reason(error)}."),
        ) from error
    if not isinstance(content, dict):
        raise MalformedRequestError(
            "The body must be a JSON object.",
            FieldError("body", "model_type", "The body must be a JSON object."),
        )
    return content


def validate(model: type[Model], content: Mapping[str, Any]) -> Model:
    """`content` as `model`. Raises InvalidFieldsError, which names at most 20 wrong fields.

    An unknown field's name is the sender's own text, so it is shortened and made printable.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)[:MOST_ERRORS]
        raise InvalidFieldsError(*map(_field_error, errors)) from error


def read_search(parameters: Mapping[str, str]) -> str:
    """What to find on a roster; empty for everyone. Raises MalformedRequestError."""
    text = parameters.get("q", "")
    if len(text) > MAX_SEARCH or not text.isprintable():
        message = f"Search for at most {MAX_SEARCH} printable characters."
        raise MalformedRequestError(message, FieldError("q", "search_invalid", message))
    return text


def is_optional(parameters: Mapping[str, str]) -> bool:
    """Whether it is fine if nobody is signed in. Raises MalformedRequestError."""
    text = parameters.get("optional")
    if text not in {None, "true"}:
        message = "optional must be true or left out."
        raise MalformedRequestError(message, FieldError("optional", "optional_invalid", message))
    return text is not None


def read_limit(parameters: Mapping[str, str]) -> int:
    """Entries per page, 1 to 100; 50 by default. Raises MalformedRequestError."""
    text = parameters.get("limit", "50")
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= 100):
        message = "limit must be a whole number from 1 to 100."
        raise MalformedRequestError(message, FieldError("limit", "limit_invalid", message))
    return int(text)


def read_idempotency_key(headers: Mapping[str, str]) -> uuid.UUID:
    """The Idempotency-Key header as a UUID. Raises MalformedRequestError."""
    return read_key(headers.get("idempotency-key", ""))


def read_key(text: str) -> uuid.UUID:
    """An idempotency key as written. Raises MalformedRequestError."""
    if _UUID.fullmatch(text):
        return uuid.UUID(text)
    code = "idempotency_key_malformed" if text else "idempotency_key_missing"
    message = "Send a UUID in the Idempotency-Key header, and the same one with every retry."
    raise MalformedRequestError(message, FieldError("Idempotency-Key", code, message))


def _field_error(error: Any) -> FieldError:
    path = ".".join(str(part) for part in error["loc"]) or "body"
    field = "".join(each if each.isprintable() else "\ufffd" for each in path[:64])
    code = error["type"]
    wording = _WORDING.get(code)
    if wording is None:
        message = error["msg"].removeprefix("Value error, ")
        return FieldError(field, code, message if code == "value_error" else f"{field}: {message}.")
    return FieldError(field, code, wording.format(field=field))


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key appears twice")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).split(":")[0].rstrip(".").lower()
