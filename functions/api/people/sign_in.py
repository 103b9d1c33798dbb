"""The body of a sign-in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functions.api.free_text.plain_text import PLAIN_TEXT, plain_text


def _encodable(text: str) -> str:
    """Raises ValueError for half of a surrogate pair: Cognito takes no such password."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("The password contains an invalid character.") from error
    return text


class SignIn(BaseModel):
    """The body of POST /api/session."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: Annotated[
        str,
        Field(min_length=1, max_length=254, json_schema_extra={"pattern": PLAIN_TEXT}),
        AfterValidator(plain_text),
    ]
    password: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_encodable)]
