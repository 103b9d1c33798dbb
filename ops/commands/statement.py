"""`scc statement`: the sealed statements, and the two files of one of them."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import click

from ops.errors import FINE, OpsError
from ops.parameters import Day
from ops.session import Session, pass_session, shared_options
from ops.stack.evidence import SealedStatements
from shared.statement import SIGNATURE_FILE

RECORD_FILE = "statement.json"  # as its mail attaches it


@click.command()
@shared_options
@click.argument("day", type=Day(), metavar="[DAY]", required=False)
@click.option(
    "--into", "folder", metavar="FOLDER", default=Path(), show_default="this folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where to write statement.json and statement.sig, which must not exist.",
)  # fmt: skip
@pass_session
def statement(session: Session, *, day: date | None, folder: Path) -> None:
    """Fetch the sealed statement of a business day, or list the days that have one.

    The files are those that its mail attaches; docs/evidence.md says how to check them with openssl
    alone. `scc verify` checks all of them.

    \b
    Examples:
      scc statement
      scc statement 2026-11-24 --into evidence/
    """
    stored = SealedStatements(session.aws.client("s3"), session.aws.output("EvidenceBucketName"))
    if day is None:
        _list(session, stored.days)
    sealed = stored.day(str(day))
    if sealed.content is None:
        raise OpsError(f"No statement of {day} is sealed. `scc statement` lists the days.")
    files = {RECORD_FILE: sealed.content, SIGNATURE_FILE: sealed.signature or b""}
    for name, content in files.items():
        _write(folder / name, content)
    sha256 = hashlib.sha256(sealed.content).hexdigest()
    if session.console.as_json:
        session.console.show({"day": str(day), "sha256": sha256, "files": [*files]})
    session.console.say(f"Written to {folder}: {', '.join(files)}. SHA-256: {sha256}")
    raise click.exceptions.Exit(FINE)


def _list(session: Session, days: list[str]) -> None:
    if session.console.as_json:
        session.console.show({"days": days})
    elif days:
        session.console.table(["sealed day"], [[each] for each in days])
    else:
        session.console.say("No statement is sealed yet: the first one is made after midnight.")
    raise click.exceptions.Exit(FINE)


def _write(file: Path, content: bytes) -> None:
    try:
        with file.open("xb") as new:
            new.write(content)
    except OSError as error:
        raise OpsError(f"{file} cannot be written: {error.strerror}.") from error
