"""AWS clients from botocore alone, because this one call is all that we need of boto3.

Importing boto3 also loads the S3 transfer manager and multiprocessing, a tenth of a cold start.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader


def client(service: str, config: Config | None = None) -> Any:
    """A client like boto3.client(service). Making one is not thread-safe; using it is."""
    return _session().create_client(service, config=config)


def describe(service: str) -> None:
    """Read a service's description ahead, which is most of making its first client.

    No credentials are looked up, and nothing is connected.
    """
    _new_session().create_client(
        service,
        region_name="us-east-1",
        aws_access_key_id="nobody",
        aws_secret_access_key="nobody",  # noqa: S106 - it is none
    )


def forget() -> None:
    """Let the next client look up its credentials again."""
    _session.cache_clear()


@cache
def _session() -> botocore.session.Session:
    """One for all clients, for its credentials."""
    return _new_session()


def _new_session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    return session


@cache
def _descriptions() -> Loader:
    """Of AWS's services, as files in botocore have them."""
    return create_loader()
