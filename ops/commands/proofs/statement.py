"""`scc statement`: the sealed statements, and the files of one of them."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import click

from ops.errors import FINE, FOUND, OpsError
from ops.offline.excerpt.files import STATEMENT_FILE
from ops.parameters import Day, NewFolder
from ops.session import Session, pass_session, shared_options
from ops.stack.evidence import SealedStatements, stack_key
from ops.terminal.new_file import write_new
from shared.statements.places import SIGNATURE_FILE

HEADS_FILE = "heads.json"


@click.command()
@shared_options
@click.argument("day", type=Day(), metavar="[DAY]", required=False)
@click.option(
    "--into", "folder", metavar="FOLDER", default=Path(), show_default="this folder",
    type=NewFolder(),
    help="Where to write the files, which must not exist. The folder is made.",
)  # fmt: skip
@pass_session
def statement(session: Session, *, day: date | None, folder: Path) -> None:
    """Fetch the sealed statement of a business day, or list the days that have one.

    statement.json and statement.sig are what its mail attaches; heads.json is the list whose hash
    the statement holds. docs/evidence.md says how to check them with openssl alone. `scc verify`
    checks all of them.

    \b
    Examples:
      scc statement
      scc statement 2026-11-24 --into 2026-11-24
    """
    client, bucket = session.aws.client("s3"), session.aws.output("EvidenceBucketName")
    if day is None:
        _list(session, SealedStatements(client, bucket).sealed_days)
    stored = SealedStatements(client, bucket, only=str(day), key=stack_key(session))
    sealed = stored.day(str(day))
    if sealed.content is None:
        raise OpsError(f"No statement of {day} is sealed. `scc statement` lists the days.")
    found = {
        STATEMENT_FILE: sealed.content,
        SIGNATURE_FILE: sealed.signature,
        HEADS_FILE: stored.heads_of(sealed),
    }
    files = {name: content for name, content in found.items() if content is not None}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OpsError(f"{folder} cannot be made: {error.strerror}.") from error
    for name, content in files.items():
        write_new(folder / name, content)
    sha256 = hashlib.sha256(sealed.content).hexdigest()
    if session.console.as_json:
        session.console.show({"day": str(day), "sha256": sha256, "files": [*files]})
    session.console.say(f"Written to {folder}: {', '.join(files)}. SHA-256: {sha256}")
    for name in found.keys() - files.keys():
        session.console.say(f"! {name} is not there: run `scc verify`.", style="bold red")
    raise click.exceptions.Exit(FINE if len(files) == len(found) else FOUND)


def _list(session: Session, days: list[str]) -> None:
    if session.console.as_json:
        session.console.show({"days": days})
    elif days:
        session.console.table(["sealed day"], [[each] for each in days])
    else:
        session.console.say("No statement is sealed yet: the first one is made after midnight.")
    raise click.exceptions.Exit(FINE)
