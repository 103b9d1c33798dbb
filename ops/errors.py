"""Every way AWS can refuse or be unreachable, as a sentence that says what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from ops.terminal.safe_text import safe, safe_lines
from shared.reads import UnreadKeysError
from shared.throttling import is_throttled

FINE, FOUND, CANNOT = 0, 1, 2  # the exit codes of every command
INTERRUPTED = 130  # what shells report after Ctrl-C

_NEW_CREDENTIALS = (
    "AWS rejects these credentials ({code}): sign in again (`aws sso login`), choose others with "
    "--profile, or check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)
_SENTENCES: Mapping[str, str] = {
    "ExpiredToken": _NEW_CREDENTIALS,
    "ExpiredTokenException": _NEW_CREDENTIALS,
    "RequestExpired": _NEW_CREDENTIALS,
    "IncompleteSignature": _NEW_CREDENTIALS,
    "InvalidAccessKeyId": _NEW_CREDENTIALS,
    "InvalidClientTokenId": _NEW_CREDENTIALS,
    "InvalidSignatureException": _NEW_CREDENTIALS,
    "SignatureDoesNotMatch": _NEW_CREDENTIALS,
    "UnrecognizedClientException": _NEW_CREDENTIALS,
    "ResourceNotFoundException": (
        "{operation}: a table or function of the stack is missing. Was the stack fully deployed, "
        "and is this its --region?"
    ),
    "AWS.SimpleQueueService.NonExistentQueue": (
        "The queue is missing. Was the stack fully deployed, and is this its --region?"
    ),
}
_DENIED = frozenset({
    "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation",
    "AWS.SimpleQueueService.AccessDenied",
})  # fmt: skip


class OpsError(click.ClickException):
    """A command cannot go on; the message says what to do about it. Exit code 2."""

    exit_code = CANNOT

    def format_message(self) -> str:
        return safe_lines(self.message)


def translate(error: Exception) -> OpsError | None:
    """Say in our words what botocore raised. None: our own bug, not the environment's fault."""
    if isinstance(error, aws.ClientError):
        return OpsError(_refusal(error))
    for kind, sentence in _UNREACHABLE:
        if isinstance(error, kind):
            return OpsError(sentence(error))
    return None


def _refusal(error: aws.ClientError) -> str:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "unknown")), safe(str(told.get("Message", "")), 300)
    operation = error.operation_name
    if code in _DENIED:
        return (
            f"These credentials may not {operation}: {message}. Use a role with the policy this "
            "command needs: the stack has OpsReadPolicy, OpsMailboxPolicy, OpsReplayPolicy and "
            "OpsDiscardPolicy."
        )
    if is_throttled(error):
        return f"AWS is throttling {operation}, even after retries: wait a minute and try again."
    if code in _SENTENCES:
        return _SENTENCES[code].format(code=code, operation=operation)
    return f"AWS refused {operation} ({code}): {message}"


def _no_credentials(_: Exception) -> str:
    return (
        "No AWS credentials: sign in (`aws sso login`), choose a --profile, or set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. For the stack of `make run`, add --local."
    )


def _no_answer(error: Exception) -> str:
    return (
        f"AWS does not answer: {safe(str(error), 300)}. Check the network, and --endpoint-url (or "
        "AWS_ENDPOINT_URL); a local stack must be running (`make run`)."
    )


def _as_told(error: Exception) -> str:
    return f"{safe(str(error), 300)}. Check --profile and --region, or your AWS configuration."


# The first match wins, so the specific ones come first.
_UNREACHABLE: tuple[tuple[type[Exception], Callable[[Exception], str]], ...] = (
    (aws.NoCredentialsError, _no_credentials),
    (aws.PartialCredentialsError, _no_credentials),
    (aws.NoRegionError, lambda _: "No region: choose one with --region, or set AWS_REGION."),
    (aws.SSOError, lambda _: "The sign-in has expired: run `aws sso login` and try again."),
    (aws.ConnectionError, _no_answer),
    (aws.HTTPClientError, _no_answer),
    (ResponseParserError, _no_answer),
    (aws.BotoCoreError, _as_told),
    (UnreadKeysError, str),
)
