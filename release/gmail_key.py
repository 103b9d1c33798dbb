"""`scc release gmail-key`: store the mailer's Gmail key, the first one or its successor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OpsError
from release.stages import Stage, pass_stage

NEEDED = ("client_email", "private_key", "private_key_id", "token_uri")


@click.command()
@pass_stage
@click.option("--file", required=True, metavar="FILE", help="The JSON key that Google made.")
def gmail_key(stage: Stage, file: str) -> None:
    """Store the service account's key in Secrets Manager, where only the mailer reads it.

    A running mailer switches to it as soon as Google refuses the old one. The key is never printed.

    \b
    Examples:
      scc release gmail-key --stage staging --file service-account.json
    """
    who, text = stage.aws.caller, read_key(file)
    store(stage.aws.client("secretsmanager"), stage.gmail_secret, text)
    key = json.loads(text)
    stored = {
        "secret": stage.gmail_secret,
        "account": key["client_email"],
        "key_id": key["private_key_id"],
        "by": who,
    }
    if stage.console.as_json:
        stage.console.show(stored)
    else:
        stage.console.facts((name.replace("_", " "), value) for name, value in stored.items())


def read_key(file: str) -> str:
    """A key file's text, checked. Raises OpsError, which never shows the content."""
    if not file:
        raise OpsError("FILE is missing: use FILE=the-key-that-google-made.json.")
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise OpsError(f"{file} cannot be read: {reason}.") from None
    try:
        key = json.loads(text)
    except ValueError:
        raise OpsError(f"{file} is not JSON: use the file exactly as Google made it.") from None
    _refuse_incomplete(file, key)
    return text


def store(secrets: Any, name: str, text: str) -> None:
    """Create the secret, or give it a new version. Raises OpsError."""
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
        raise OpsError(f"Secrets Manager refused {name}: {error}") from error


def _refuse_incomplete(file: str, key: Any) -> None:
    values: Mapping[str, Any] = key if isinstance(key, dict) else {}
    for name in NEEDED:
        if not isinstance(values.get(name), str) or not values[name]:
            raise OpsError(f"{file} has no {name}: is it a service account's JSON key?")
    if "PRIVATE KEY" not in values["private_key"]:
        raise OpsError(f"{file}: private_key is not a private key.")
