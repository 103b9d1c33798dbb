"""boto3 clients for the local AWS: root credentials, one region, no settings of the developer."""

from __future__ import annotations

from threading import Lock
from typing import Any

from botocore.config import Config

from local.settings import REGION
from ops import emulator

CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, read_timeout=120)


class LocalAws:
    """Makes clients and resources for the emulator at `endpoint`.

    A client may be shared between threads, the session that makes it may not.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._making = Lock()
        self._session = emulator.session(REGION)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, as `aws.client("dynamodb")`."""
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._session.client(  # type: ignore[call-overload]
                    service, endpoint_url=self.endpoint, config=CONFIG
                )
            return self._clients[service]

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
