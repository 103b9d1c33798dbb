"""Which stack in which AWS a command works on: from options, environment and samconfig.toml."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, InvalidRegionError, ProfileNotFound

from ops import emulator, shipped
from ops.errors import OpsError
from ops.region import region_of
from ops.samconfig import StackSettings, settings_of
from ops.terminal.safe_text import safe
from shared.settings import SettingsError, zone_named

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """endpoint_url: empty means AWS itself. is_local: an emulator on this machine.

    is_of_make_run: it has its own account, and the shell's credentials do not count.
    """

    stack: str
    profile: str = ""
    region: str = ""
    endpoint_url: str = ""
    is_of_make_run: bool = False

    @property
    def is_local(self) -> bool:
        return _is_loopback(self.endpoint_url)


def choose(options: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
    """Options first, then the environment, then samconfig.toml; `region_of` has its own order.

    Raises OpsError.
    """
    if options.get("local"):
        return _of_make_run(options, environ)
    endpoint = options.get("endpoint_url") or environ.get("AWS_ENDPOINT_URL", "")
    _refuse_bad_endpoint(endpoint)
    deployed = settings_of("local" if _is_loopback(endpoint) else "prod")
    stack = options.get("stack") or environ.get("SCC_STACK") or deployed.stack
    if not stack.isascii():
        raise OpsError(f"No stack is named {safe(stack)}: check --stack (or SCC_STACK).")
    return Target(
        stack=stack,
        profile=options.get("profile") or "",
        region=region_of(stack, options.get("region"), environ, deployed.region),
        endpoint_url=endpoint,
    )


def _of_make_run(options: Mapping[str, Any], environ: Mapping[str, str]) -> Target:
    """The stack that `make run` started here. Of the environment, only SCC_STATE counts."""
    deployed = settings_of("local")
    target = Target(
        stack=deployed.stack,
        region=deployed.region,
        endpoint_url=_running_here(environ),
        is_of_make_run=True,
    )
    for name in ("stack", "profile", "region", "endpoint_url"):
        if options.get(name) not in {None, getattr(target, name)}:
            raise OpsError(
                f"--local already names the stack, its region and its account: leave out "
                f"--{name.replace('_', '-')}."
            )
    return target


def choose_stage(
    settings: StackSettings, options: Mapping[str, Any], environ: Mapping[str, str]
) -> Target:
    """The stack of a stage, in AWS or in an emulator on this machine. Raises OpsError.

    A release changes what it finds, so an environment variable never picks another stack or region.
    """
    for name in ("stack", "region", "local"):
        if options.get(name):
            raise OpsError(f"--stage already names the stack and its region: leave out --{name}.")
    endpoint = options.get("endpoint_url") or environ.get("AWS_ENDPOINT_URL", "")
    _refuse_bad_endpoint(endpoint)
    if endpoint and not _is_loopback(endpoint):
        raise OpsError(
            f"{endpoint!r} is neither AWS nor an emulator on this machine: unset AWS_ENDPOINT_URL."
        )
    return Target(
        stack=settings.stack,
        profile=options.get("profile") or "",
        region=settings.region,
        endpoint_url=endpoint,
    )


class NoStackError(OpsError):
    """The account has no stack of that name."""


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
                f"The stack {self.target.stack} has no output {name}: deploy the current "
                "template.yaml, or choose another --stack."
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
            raise NoStackError(self._no_such_stack()) from error
        (stack, *_) = answer["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}

    @cached_property
    def business_zone(self) -> ZoneInfo:
        """The zone of the stack's business days. Raises OpsError."""
        try:
            return zone_named(self.output("BusinessTimezone"))
        except SettingsError as error:
            raise OpsError(f"The stack {self.target.stack}: {error}.") from error

    @cached_property
    def caller(self) -> str:
        """The ARN behind these credentials."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def _session(self) -> boto3.session.Session:
        target = self.target
        if target.is_of_make_run:
            return emulator.session(target.region)
        theirs = target.profile or "AWS_ACCESS_KEY_ID" in self._environ
        key = emulator.CREDENTIALS if target.is_local and not theirs else None
        try:
            return boto3.session.Session(
                profile_name=target.profile or None,
                region_name=target.region or None,
                aws_access_key_id=key,
                aws_secret_access_key=key,
            )
        except ProfileNotFound as error:
            raise OpsError(f"{error}: `aws configure list-profiles` lists them.") from error

    def _no_such_stack(self) -> str:
        where = self.target.endpoint_url or self._session.region_name
        return (
            f"There is no stack {self.target.stack} in {where}: choose another --stack or "
            "--region, or add --local for the stack of `make run`."
        )


def _is_loopback(endpoint: str) -> bool:
    return bool(endpoint) and urlsplit(endpoint).hostname in LOOPBACK


def _running_here(environ: Mapping[str, str]) -> str:
    """The emulator's address, as the running `make run` wrote it down."""
    # An installed scc has no folder of its own, so it uses the current one.
    start = Path.cwd() if shipped.IS_INSTALLED else shipped.ROOT
    file = start / (environ.get("SCC_STATE") or ".local") / "stack.json"
    try:
        return str(json.loads(file.read_text("utf-8"))["urls"]["aws"])
    except FileNotFoundError:
        raise OpsError(
            f"No local stack is running ({file} does not exist): start one with `make run`, or set "
            "SCC_STATE to its state folder."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OpsError(f"{file} cannot be read ({error}): restart the stack.") from error


def _refuse_bad_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        fine = not endpoint or (parts.scheme in {"http", "https"} and bool(parts.hostname))
        _ = parts.port  # raises unless it is a number
    except ValueError:
        fine = False
    if not fine:
        raise OpsError(
            f"{endpoint!r} is not a URL: --endpoint-url (or AWS_ENDPOINT_URL) looks like "
            "http://localhost:4566."
        )
