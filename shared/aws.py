"""AWS clients from botocore alone, because this one call is all that we need of boto3.

Importing boto3 also loads the S3 transfer manager and multiprocessing, a tenth of a cold start.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


def client(service: str, config: Config | None = None) -> Any:
    """A client like boto3.client(service). Making one is not thread-safe; using it is."""
    return _session().create_client(service, config=config)


@cache
def _session() -> botocore.session.Session:
    """One for all clients: it caches service descriptions and credentials."""
    return botocore.session.get_session()
