"""`scc`, the ops command line: data on stdout, messages on stderr, exit codes as in its help."""

from __future__ import annotations

from typing import Any

import click

from ops.errors import INTERRUPTED, translate
from ops.lazy_group import LazyGroup
from ops.session import shared_options
from ops.terminal import streams
from ops.terminal.interrupts import listen
from ops.terminal.safe_text import safe

COMMANDS = {
    "status": "ops.commands.status",
    "dlq": "ops.commands.dlq.look",
    "verify": "ops.commands.verify",
    "reconcile": "ops.commands.reconcile",
    "payment": "ops.commands.payment",
    "findings": "ops.commands.findings",
    "evidence": "ops.commands.proofs.evidence",
    "statement": "ops.commands.proofs.statement",
    "key": "ops.commands.proofs.key",
    "doctor": "ops.commands.doctor",
    "users": "ops.commands.users",
    "versions": "ops.commands.versions",
    # By name only: `release` is built on `ops`, so nothing here imports it.
    "release": "release.cli",
    "web": "release.web",
}


class Program(LazyGroup):
    """The one place where an AWS exception becomes a sentence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for each in args:
            if any("\ud800" <= character <= "\udfff" for character in each):
                raise click.UsageError(f"An argument is not UTF-8: {safe(each)}", ctx)
        return super().parse_args(ctx, args)

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
    """Look after Ship Captain Crew's payments: what is waiting, what failed, and why.

    Exit codes: 0 everything is fine, 1 something needs a person, 2 the command could not find out
    (wrong usage, no credentials, no permission, no answer).

    \b
    Examples:
      scc status
      scc --local status
      scc status --stack shipcaptaincrew-staging --profile staging --json
    """


def main() -> None:
    """The entry point. Told to stop, every command first makes held messages visible again."""
    listen()
    streams.prepare()
    with streams.written_or_refused():
        scc(prog_name="scc")


if __name__ == "__main__":
    main()
