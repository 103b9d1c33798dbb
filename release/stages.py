"""A stage of samconfig.toml and the stack that it is deployed as: what deploy and smoke both ask.

    python -m release.stages staging        prints the app's address

Where: the account of the environment's AWS credentials, or the emulator of AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REPOSITORY = Path(__file__).resolve().parent.parent
STAGES = ("staging", "prod")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5)


class RefusedError(Exception):
    """What cannot be done; the message says why and what to do about it."""


@dataclass(frozen=True)
class Stage:
    """name: as in samconfig.toml. endpoint: of an emulator on this machine; empty is AWS."""

    name: str
    endpoint: str = ""

    @classmethod
    def chosen(cls, name: str) -> Stage:
        """Raises RefusedError."""
        if name not in STAGES:
            raise RefusedError(f"STAGE is {name!r}: say STAGE=staging or STAGE=prod.")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        if endpoint and urlsplit(endpoint).hostname not in LOOPBACK:
            raise RefusedError(
                f"AWS_ENDPOINT_URL is {endpoint!r}, neither AWS nor an emulator on this machine: "
                "unset it."
            )
        return cls(name, endpoint)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The section of samconfig.toml for `sam deploy`."""
        content = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
        section: dict[str, Any] = content[self.name]["deploy"]["parameters"]
        return section

    @property
    def stack(self) -> str:
        return str(self.settings["stack_name"])

    @property
    def region(self) -> str:
        return str(self.settings["region"])

    @property
    def parameters(self) -> dict[str, str]:
        """Of template.yaml, as the section has them."""
        pairs = str(self.settings["parameter_overrides"]).split()
        return dict(pair.split("=", 1) for pair in pairs)

    @property
    def gmail_secret(self) -> str:
        """The name of the secret that holds the mailer's key."""
        return self.parameters["GmailCredentialsSecretId"]

    def client(self, service: str) -> Any:
        make: Any = self._session.client  # its overloads want a literal name
        return make(service, endpoint_url=self.endpoint or None, config=_CONFIG)

    def caller(self) -> str:
        """The ARN behind the credentials. Raises RefusedError."""
        try:
            return str(self.client("sts").get_caller_identity()["Arn"])
        except (BotoCoreError, ClientError) as error:
            raise RefusedError(
                f"AWS takes no credentials from here ({error}). Sign in (`aws sso login`), name a "
                "profile in AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from error

    def outputs(self) -> dict[str, str]:
        """Of the deployed stack, by name. Raises RefusedError."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.stack)
        except ClientError as error:
            raise RefusedError(
                f"There is no stack {self.stack} in {self.endpoint or self.region} "
                f"({error.response['Error']['Message']}): run `make deploy STAGE={self.name}`."
            ) from error
        found = answer["Stacks"][0].get("Outputs", [])
        return {each["OutputKey"]: each["OutputValue"] for each in found}

    def url(self, outputs: Mapping[str, str]) -> str:
        """Where the app is: its own domain, else its distribution's.

        An emulator serves distributions below *.localhost.
        """
        domain = outputs["DistributionDomainName"]
        if not self.endpoint:
            return outputs.get("SiteUrl", f"https://{domain}").rstrip("/")
        label = domain.split(".")[0]
        return f"http://{label}.cloudfront.localhost:{urlsplit(self.endpoint).port}"

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(region_name=self.region)


def main() -> int:
    try:
        stage = Stage.chosen(sys.argv[1] if len(sys.argv) == 2 else "")
        print(stage.url(stage.outputs()))
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
