"""Clients of AWS, by botocore alone: all that we use of boto3 is this one call.

Importing boto3 brings the S3 transfer manager and multiprocessing along, a tenth of a cold start.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


def client(service: str, config: Config | None = None) -> Any:
    """A client such as boto3.client(service) gives. Making one is not thread-safe, using it is."""
    return _session().create_client(service, config=config)


@cache
def _session() -> botocore.session.Session:
    """One for all clients: it holds the service descriptions that were read, and credentials."""
    return botocore.session.get_session()
