"""The stage that a release command works on: its stack, as samconfig.toml describes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, cast, get_args
from urllib.parse import urlsplit

import click

from ops.errors import OpsError
from ops.samconfig import StackSettings, settings_of
from ops.session import given_options, session_for, shared_options
from ops.target import Aws, NoStackError, choose_stage
from ops.terminal.console import Console

StageName = Literal["staging", "prod"]
STAGES: tuple[StageName, ...] = get_args(StageName)
Parameters = ParamSpec("Parameters")


@dataclass(frozen=True, slots=True)
class Stage:
    name: StageName
    settings: StackSettings
    aws: Aws
    console: Console

    @classmethod
    def chosen(
        cls, name: StageName, options: Mapping[str, Any], environ: Mapping[str, str]
    ) -> Stage:
        """options: the shared ones on the command line. Raises OpsError."""
        settings = settings_of(name)
        session = session_for(choose_stage(settings, options, environ), options)
        return cls(name, settings, session.aws, session.console)

    @property
    def stack(self) -> str:
        return self.settings.stack

    @property
    def place(self) -> str:
        return self.aws.target.endpoint_url or self.settings.region

    @property
    def gmail_secret(self) -> str:
        """The name of the secret that holds the mailer's key."""
        return self.settings.parameters["GmailCredentialsSecretId"]

    def outputs(self) -> Mapping[str, str]:
        """The deployed stack's, by name. Raises OpsError."""
        try:
            return self.aws.outputs
        except NoStackError as error:
            raise OpsError(
                f"There is no stack {self.stack} in {self.place}: run "
                f"`make deploy STAGE={self.name}`."
            ) from error

    def url(self, outputs: Mapping[str, str]) -> str:
        """The app's address: its own domain, or else its distribution's.

        An emulator serves distributions below *.localhost.
        """
        domain, endpoint = outputs["DistributionDomainName"], self.aws.target.endpoint_url
        if not endpoint:
            return outputs.get("SiteUrl", f"https://{domain}").rstrip("/")
        label = domain.split(".")[0]
        return f"http://{label}.cloudfront.localhost:{urlsplit(endpoint).port}"


class _StageType(click.ParamType):
    name = "stage"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> StageName:
        if value not in STAGES:
            self.fail(f"STAGE must be {' or '.join(STAGES)}, not {value!r}.", param, ctx)
        return cast("StageName", value)


def pass_stage(
    function: Callable[Concatenate[Stage, Parameters], None],
) -> Callable[Parameters, None]:
    """Add --stage and the shared options to a command; give it the Stage as its first argument."""

    @shared_options
    @click.option(
        "--stage", type=_StageType(), required=True, metavar="STAGE", help=f"{' or '.join(STAGES)}."
    )
    @wraps(function)
    def run(stage: StageName, *args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        function(Stage.chosen(stage, given_options(), os.environ), *args, **kwargs)

    return cast("Callable[Parameters, None]", run)


@click.command()
@pass_stage
def url(stage: Stage) -> None:
    """Print the app's address.

    \b
    Examples:
      scc release url --stage staging
    """
    address = stage.url(stage.outputs())
    if stage.console.as_json:
        stage.console.show({"url": address})
    else:
        click.echo(address)
