"""What a shell may do to stdin and stdout: close them, fill the disk, speak ASCII only."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from ops.errors import CANNOT


def prepare() -> None:
    """A closed stdin is an empty one. What stdout cannot encode becomes a question mark."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
    if sys.stdout is None:
        click.echo("Error: stdout is closed: there is nowhere to write to.", err=True)
        sys.exit(CANNOT)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


@contextmanager
def written_or_refused() -> Iterator[None]:
    """Say so when the output cannot be written, and exit with 2."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        _drop_the_rest()
        with suppress(OSError):  # of a closed terminal, or stderr on the same device
            click.echo(f"Error: the output cannot be written: {error.strerror}.", err=True)
        sys.exit(CANNOT)


def _drop_the_rest() -> None:
    """Python flushes stdout at its end, which would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
