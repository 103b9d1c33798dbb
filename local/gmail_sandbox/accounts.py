"""Service accounts: created for a local run; the sandbox reads their public key."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PROJECT_ID = "scc-local"
CLIENT_EMAIL = f"audit-mailer@{PROJECT_ID}.iam.gserviceaccount.com"


class ServiceAccountFileError(Exception):
    """The service-account file is unusable; the message names the file and says what to do."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    client_email: str
    public_key: rsa.RSAPublicKey


def new_service_account(token_uri: str) -> dict[str, Any]:
    """Create the content of a JSON key file, as Google's console would, with a new key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": PROJECT_ID,
        "private_key_id": secrets.token_hex(20),
        "private_key": pem.decode("ascii"),
        "client_email": CLIENT_EMAIL,
        "client_id": "1" + "".join(secrets.choice("0123456789") for _ in range(20)),
        "token_uri": token_uri,
    }


def write_service_account(path: Path, info: dict[str, Any]) -> None:
    """Write a key file that only its owner can read. Never replaces a key that may be in use."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ServiceAccountFileError(
            f"{path} already exists; delete it to create a new key"
        ) from error
    except OSError as error:
        raise ServiceAccountFileError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(info, file, indent=2)
        file.write("\n")


def read_service_account(path: Path) -> ServiceAccount:
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        key = serialization.load_pem_private_key(info["private_key"].encode(), password=None)
        client_email = str(info["client_email"])
    except OSError as error:
        raise ServiceAccountFileError(
            f"cannot read {path}: {error.strerror}; create one with --new-service-account {path}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServiceAccountFileError(
            f"{path} is not a service-account key file; create one with --new-service-account"
        ) from error
    public_key = key.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise ServiceAccountFileError(f"the key in {path} is not an RSA key")
    return ServiceAccount(client_email=client_email, public_key=public_key)
