"""A group of commands that are imported when they are called."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Knows commands by name; the module ops.commands.<name> is imported for its help or its call.

    Half the time of a start would go into what other commands need, such as Google's client.
    """

    def __init__(self, *args: Any, lazy: Sequence[str] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self._lazy])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(f"ops.commands.{cmd_name}"), cmd_name)
        return command
