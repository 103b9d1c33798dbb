"""Which stack of which AWS a command is about: options, environment and samconfig.toml together."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, InvalidRegionError, ProfileNotFound

from ops.errors import OpsError

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Of the emulator, which knows no other account. Used for loopback addresses alone.
LOCAL_CREDENTIALS = "test"  # key and secret
CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """endpoint_url: empty means AWS itself. is_local: it is an emulator on this machine."""

    stack: str
    profile: str = ""
    region: str = ""
    endpoint_url: str = ""

    @property
    def is_local(self) -> bool:
        return bool(self.endpoint_url) and urlsplit(self.endpoint_url).hostname in LOOPBACK


def choose(options: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
    """Options first, then the environment, then samconfig.toml. Raises OpsError."""
    endpoint = options.get("endpoint_url") or environ.get("AWS_ENDPOINT_URL", "")
    if options.get("local"):
        endpoint = options.get("endpoint_url") or _running_here(environ)
    _refuse_bad_endpoint(endpoint)
    target = Target(stack="", endpoint_url=endpoint)
    deployed = _samconfig("local" if target.is_local else "prod")
    return Target(
        stack=options.get("stack") or environ.get("SCC_STACK") or deployed["stack_name"],
        profile=options.get("profile") or "",
        # boto3 reads AWS_DEFAULT_REGION alone; AWS_REGION is what Lambda and the newer SDKs know.
        region=options.get("region")
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION")
        or deployed.get("region", ""),
        endpoint_url=endpoint,
    )


class Aws:
    """Makes clients for the target, each once, and knows the stack's outputs."""

    def __init__(self, target: Target, environ: Mapping[str, str] = os.environ) -> None:
        self.target = target
        self._environ = environ
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client, as `aws.client("sqs")`. Raises OpsError."""
        if service not in self._clients:
            make: Any = self._session.client  # its overloads want a literal name
            try:
                self._clients[service] = make(
                    service, config=CONFIG, endpoint_url=self.target.endpoint_url or None
                )
            except (ValueError, InvalidRegionError) as error:
                raise OpsError(f"{error}: check --region and --endpoint-url.") from error
        return self._clients[service]

    def output(self, name: str) -> str:
        """One output of the stack, such as AuditQueueUrl. Raises OpsError."""
        if name not in self.outputs:
            raise OpsError(
                f"The stack {self.target.stack} has no output {name}: deploy the present "
                "template.yaml, or name another --stack."
            )
        return self.outputs[name]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack's template by name. Raises OpsError."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.target.stack)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            raise OpsError(self._no_such_stack()) from error
        (stack, *_) = answer["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}

    @cached_property
    def caller(self) -> str:
        """The ARN of whoever these credentials belong to."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def _session(self) -> boto3.session.Session:
        target = self.target
        theirs = target.profile or "AWS_ACCESS_KEY_ID" in self._environ
        key = LOCAL_CREDENTIALS if target.is_local and not theirs else None
        try:
            return boto3.session.Session(
                profile_name=target.profile or None,
                region_name=target.region or None,
                aws_access_key_id=key,
                aws_secret_access_key=key,
            )
        except ProfileNotFound as error:
            raise OpsError(
                f"{error}: `aws configure list-profiles` shows those there are."
            ) from error

    def _no_such_stack(self) -> str:
        where = self.target.endpoint_url or f"region {self._session.region_name}"
        return (
            f"No stack {self.target.stack!r} at {where}: name one with --stack, look in another "
            "--region, or say --local for the stack of `make run`."
        )


def _running_here(environ: Mapping[str, str]) -> str:
    """The emulator's address, as the running `make run` wrote it down."""
    file = REPOSITORY / (environ.get("SCC_STATE") or ".local") / "stack.json"
    try:
        return str(json.loads(file.read_text())["urls"]["aws"])
    except FileNotFoundError:
        raise OpsError(
            f"No local stack is ready ({file} is not there): start one with `make run`, or name "
            "its state folder in SCC_STATE."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OpsError(f"{file} cannot be read: {error}. Start the stack anew.") from error


def _refuse_bad_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        fine = not endpoint or (parts.scheme in {"http", "https"} and bool(parts.hostname))
        _ = parts.port  # raises when it is no number
    except ValueError:
        fine = False
    if not fine:
        raise OpsError(
            f"{endpoint!r} is not an address: --endpoint-url (or AWS_ENDPOINT_URL) looks like "
            "http://localhost:4566."
        )


def _samconfig(environment: str) -> dict[str, Any]:
    content = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    deployed: dict[str, Any] = content[environment]["deploy"]["parameters"]
    return deployed
