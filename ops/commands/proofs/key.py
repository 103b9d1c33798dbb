"""`scc key`: the public half of the key that signs daily statements."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from ops.errors import FINE
from ops.parameters import NewFile
from ops.session import Session, pass_session, shared_options
from ops.stack.evidence import pem_of, stack_key_der
from ops.terminal.new_file import write_new


@click.command()
@shared_options
@click.option(
    "--out", "file", metavar="FILE", type=NewFile(),
    help="Write it into this file, which must not exist.",
)  # fmt: skip
@pass_session
def key(session: Session, *, file: Path | None) -> None:
    """Print the public key that checks every statement's signature, as PEM.

    Its private half never leaves AWS KMS, and only the statement's function may use it. Give the
    file to the auditor when the system is installed: `scc verify --key`, verify_mbox.py --key and
    openssl take it. Every statement names the key by its SHA-256.

    \b
    Examples:
      scc key --out key.pem
      scc key --json
    """
    der = stack_key_der(session)
    sha256 = hashlib.sha256(der).hexdigest()
    pem = pem_of(der)
    if file:
        write_new(file, pem.encode())
        session.console.say(f"Written to {file}.")
    if session.console.as_json:
        session.console.show({"sha256": sha256, "pem": pem})
    elif not file:
        click.echo(pem, nl=False)
    session.console.say(f"SHA-256, as statements name it: {sha256}")
    raise click.exceptions.Exit(FINE)
