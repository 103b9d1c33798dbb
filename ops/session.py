"""What every command is given, and the options that all of them share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import click
from click.core import ParameterSource

from ops.console import Console
from ops.target import Aws, choose

Parameters = ParamSpec("Parameters")
_META = "scc.options"


@dataclass(frozen=True, slots=True)
class Session:
    """aws: clients and outputs of the chosen stack. console: where the command speaks."""

    aws: Aws
    console: Console


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of the whole program, for a group or a command: they may stand at either."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def pass_session(
    function: Callable[Concatenate[Session, Parameters], None],
) -> Callable[Parameters, None]:
    """Give the command its Session as the first argument."""

    @wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        options = click.get_current_context().meta.get(_META, {})
        aws = Aws(choose(options, os.environ))
        function(Session(aws, Console(as_json=bool(options.get("as_json")))), *args, **kwargs)

    return run


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what was said on the command line; what stands nearer to the end counts."""
    name = str(parameter.name)
    if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        context.meta.setdefault(_META, {})[name] = value


def _option(*names: str, **settings: Any) -> Callable[..., Any]:
    return click.option(*names, expose_value=False, callback=_remember, **settings)


_OPTIONS = (
    _option(
        "--stack", metavar="NAME", help="CloudFormation stack.  [default: as in samconfig.toml]"
    ),
    _option("--profile", metavar="NAME", help="Profile of your AWS configuration."),
    _option("--region", metavar="NAME", help="AWS region."),
    _option("--endpoint-url", metavar="URL", help="Another AWS, such as http://localhost:4566."),
    _option("--local", is_flag=True, help="The stack that `make run` has started here."),
    _option("--json", "as_json", is_flag=True, help="Data as JSON."),
)
