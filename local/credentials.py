"""The Gmail service account of a local stack: created at its first start, stored as on AWS."""

from __future__ import annotations

import json
from typing import Any

from local.engine.aws import LocalAws
from local.gmail_sandbox.accounts import new_service_account, write_service_account
from local.settings import Settings

SECRET_ID = "shipcaptaincrew/gmail-service-account"  # noqa: S105 - a secret's name, not a secret


def service_account(settings: Settings) -> dict[str, Any]:
    """Return the key file's content, creating it if needed; its token endpoint is the sandbox.

    The key survives restarts, so that what was stored or mailed with it stays valid.
    """
    path = settings.state / "service-account.json"
    token_uri = f"http://127.0.0.1:{settings.mail_port}/token"
    if not path.exists():
        write_service_account(path, new_service_account(token_uri))
    info: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if info["token_uri"] != token_uri:  # last time, the stack ran on another port
        info["token_uri"] = token_uri
        path.unlink()
        write_service_account(path, info)
    return info


def store_secret(aws: LocalAws, info: dict[str, Any]) -> None:
    """Put the key into Secrets Manager, where the mailer's role reads it."""
    secrets = aws.client("secretsmanager")
    text = json.dumps(info)
    try:
        secrets.create_secret(Name=SECRET_ID, SecretString=text)
    except secrets.exceptions.ResourceExistsException:
        if secrets.get_secret_value(SecretId=SECRET_ID)["SecretString"] != text:
            secrets.put_secret_value(SecretId=SECRET_ID, SecretString=text)
