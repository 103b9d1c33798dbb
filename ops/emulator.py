"""The account of the emulator on this machine, whatever the shell says about AWS."""

from __future__ import annotations

import os

import boto3
import botocore.session

CREDENTIALS = "test"  # its only account: key and secret

# Neither AWS_PROFILE nor a file of the developer's counts.
_NOBODYS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def session(region: str) -> boto3.session.Session:
    """Root's, in this region."""
    return boto3.session.Session(
        botocore_session=botocore.session.Session(session_vars=_NOBODYS),
        aws_access_key_id=CREDENTIALS,
        aws_secret_access_key=CREDENTIALS,
        region_name=region,
    )
