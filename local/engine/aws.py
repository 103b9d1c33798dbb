"""boto3 clients for the local AWS: root credentials, one region, no settings of the developer."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from local.settings import REGION, ROOT_CREDENTIALS

CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, read_timeout=120)


class LocalAws:
    """Makes clients and resources for the emulator at `endpoint`."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = boto3.session.Session(
            aws_access_key_id=ROOT_CREDENTIALS["aws_access_key_id"],
            aws_secret_access_key=ROOT_CREDENTIALS["aws_secret_access_key"],
            region_name=REGION,
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client, as `aws.client("dynamodb")`."""
        return self._session.client(service, endpoint_url=self.endpoint, config=CONFIG)  # type: ignore[call-overload]

    def resource(self, service: str) -> Any:
        """Return a boto3 resource, as `aws.resource("dynamodb")`."""
        return self._session.resource(service, endpoint_url=self.endpoint, config=CONFIG)  # type: ignore[call-overload]

    def client_with(self, access_key_id: str, secret_access_key: str, service: str) -> Any:
        """Return a client that is not root, so that policies apply to it."""
        return self._session.client(
            service,
            endpoint_url=self.endpoint,
            config=CONFIG,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
        )  # type: ignore[call-overload]
