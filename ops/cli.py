"""`scc`, the ops command line: data on stdout, messages on stderr, and what the exit codes mean."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

import click

from ops.errors import INTERRUPTED, translate
from ops.lazy_group import LazyGroup
from ops.session import shared_options

COMMANDS = ("status", "dlq", "verify", "reconcile", "payment", "doctor", "users", "web")


class Program(LazyGroup):
    """The one place where what AWS raised becomes a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            told = translate(error)
            if told is None:
                raise
            raise told from error


@click.group(cls=Program, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@shared_options
def scc() -> None:
    """Look after Ship Captain Crew's payments: what waits, what failed, and why.

    Exit codes: 0 all is well, 1 something needs a person, 2 it could not be found out (wrong usage,
    no credentials, no permission, nothing answers).

    \b
    Examples:
      scc status
      scc --local status
      scc status --stack shipcaptaincrew-staging --profile staging --json
    """


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)  # held messages are shown again, as after Ctrl-C
    scc(prog_name="scc")
