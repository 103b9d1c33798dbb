"""What every command works with, and the options that all commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import click
from click.core import ParameterSource

from ops.target import Aws, Target, choose
from ops.terminal.console import Console

Parameters = ParamSpec("Parameters")
_META = "scc.options"


@dataclass(frozen=True, slots=True)
class Session:
    """aws: clients and outputs of the chosen stack. console: how the command talks."""

    aws: Aws
    console: Console


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The program's options, for a group or a command: people write them in either place."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def pass_session(
    function: Callable[Concatenate[Session, Parameters], None],
) -> Callable[Parameters, None]:
    """Give the command its Session as the first argument."""

    @wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        options = given_options()
        session = session_for(choose(options, os.environ), options)
        function(session, *args, **kwargs)

    return run


def given_options() -> Mapping[str, Any]:
    """The shared options on the command line, by name."""
    given: Mapping[str, Any] = click.get_current_context().meta.get(_META, {})
    return given


def session_for(target: Target, options: Mapping[str, Any]) -> Session:
    return Session(Aws(target), Console(as_json=bool(options.get("as_json"))))


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what is on the command line; the last one wins."""
    name = str(parameter.name)
    if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        context.meta.setdefault(_META, {})[name] = value


def _option(*names: str, **settings: Any) -> Callable[..., Any]:
    return click.option(*names, expose_value=False, callback=_remember, **settings)


_OPTIONS = (
    _option(
        "--stack", metavar="NAME", help="CloudFormation stack.  [default: as in samconfig.toml]"
    ),
    _option("--profile", metavar="NAME", help="Profile in your AWS configuration."),
    _option("--region", metavar="NAME", help="AWS region.  [default: as in samconfig.toml]"),
    _option("--endpoint-url", metavar="URL", help="An emulator, such as http://localhost:4566."),
    _option("--local", is_flag=True, help="The stack that `make run` started here."),
    _option("--json", "as_json", is_flag=True, help="Print data as JSON."),
)
