"""`make gmail-key STAGE=staging|prod FILE=key.json`: store the mailer's key, the first or the next.

The file is what Google hands out for a service account. It goes into Secrets Manager, where only
the mailer's roles read it; a running mailer reads it anew as soon as Google refuses the one before.
The key is never printed. Exit codes: 0 stored, 2 refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from release.stages import RefusedError, Stage

NEEDED = ("client_email", "private_key", "private_key_id", "token_uri")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--stage", default="")
    parser.add_argument("--file", default="")
    options = parser.parse_args(arguments)
    try:
        stage = Stage.chosen(options.stage)
        text = read_key(options.file)
        stage.caller()
        store(stage.client("secretsmanager"), stage.gmail_secret, text)
    except RefusedError as error:
        print(f"Not stored: {error}", file=sys.stderr)
        return 2
    key = json.loads(text)
    print(f"Key {key['private_key_id'][:8]}… of {key['client_email']} is in {stage.gmail_secret}.")
    return 0


def read_key(file: str) -> str:
    """A key file's text, checked to be one. Raises RefusedError, never with what it holds."""
    if not file:
        raise RefusedError("FILE is missing: say FILE=the-key-that-google-made.json.")
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise RefusedError(f"{file} cannot be read: {reason}.") from None
    try:
        key = json.loads(text)
    except ValueError:
        raise RefusedError(f"{file} is not JSON: take the file as Google made it.") from None
    _refuse_incomplete(file, key)
    return text


def store(secrets: Any, name: str, text: str) -> None:
    """Make the secret, or give it its next version. Raises RefusedError."""
    try:
        try:
            secrets.create_secret(
                Name=name,
                SecretString=text,
                Description="Key of the service account that sends the audit mails.",
            )
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=name, SecretString=text)
    except (BotoCoreError, ClientError) as error:
        raise RefusedError(f"Secrets Manager refused {name}: {error}") from error


def _refuse_incomplete(file: str, key: Any) -> None:
    values: Mapping[str, Any] = key if isinstance(key, dict) else {}
    for name in NEEDED:
        if not isinstance(values.get(name), str) or not values[name]:
            raise RefusedError(f"{file} has no {name}: is it a service account's key, as JSON?")
    if "PRIVATE KEY" not in values["private_key"]:
        raise RefusedError(f"{file}: its private_key is none.")


if __name__ == "__main__":
    sys.exit(main())
