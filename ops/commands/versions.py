"""`scc versions`: which version of each function serves, and going back to an earlier one."""

from __future__ import annotations

from typing import Any

import click

from ops.errors import FOUND, OpsError
from ops.rules.versions import Version, previous
from ops.session import Session, pass_session, shared_options
from ops.stack.functions import FUNCTIONS, deployed_versions, published, serve, serving

CHOICE = click.Choice(list(FUNCTIONS))


@click.group()
@shared_options
def versions() -> None:
    """The functions' versions: what serves, what was deployed, and the way back.

    \b
    Examples:
      scc versions ls
      scc versions rollback --function api
    """


@versions.command()
@shared_options
@pass_session
def ls(session: Session) -> None:
    """List each function's version that serves, what was deployed last, and what is kept.

    \b
    Examples:
      scc versions ls
      scc versions ls --json
    """
    names = {each: session.aws.output(output) for each, output in FUNCTIONS.items()}
    deployed = deployed_versions(session)
    found = [_of(session, each, deployed.get(name)) for each, name in names.items()]
    if session.console.as_json:
        session.console.show(found)
        return
    session.console.table(
        ("function", "serves", "deployed last", "release", "kept"),
        [
            (
                each["function"],
                each["serves"],
                str(each["deployed"] or "none"),
                each["release"] or "unnamed",
                ", ".join(str(version["number"]) for version in each["kept"]),
            )
            for each in found
        ],
    )


@versions.command()
@shared_options
@click.option("--function", "functions", type=CHOICE, multiple=True, help="Only this one; repeat.")
@click.option(
    "--to", type=click.IntRange(min=1), metavar="VERSION", help="Default: the one before."
)
@click.option("--dry-run", is_flag=True, help="Say what would serve; change nothing.")
@pass_session
def rollback(
    session: Session, functions: tuple[str, ...], to: int | None, *, dry_run: bool
) -> None:
    """Let the version before serve again, with its code and its settings. Takes seconds.

    All functions, unless you name some. Tables, queues, roles and alarms stay as they are. It lasts
    until the next deployment of another commit. Exit 1 when a function has no earlier version.

    \b
    Examples:
      scc versions rollback --function api
      scc versions rollback --function mailer --to 12
      scc versions rollback --dry-run
    """
    chosen = functions or tuple(FUNCTIONS)
    if to is not None and len(chosen) != 1:
        raise OpsError("--to needs one --function: versions of different functions are not alike.")
    found = {each: _target(session, each, to) for each in chosen}
    done: list[dict[str, Any]] = []
    for function, (before, target) in found.items():
        if target is not None and not dry_run:
            serve(session, FUNCTIONS[function], target.number)
        number = target.number if target else None
        done.append({"function": function, "before": before, "serves": number})
    if session.console.as_json:
        session.console.show(done)
    for each in done:
        session.console.say(_told(each, dry_run=dry_run))
    if any(each["serves"] is None for each in done):
        raise click.exceptions.Exit(FOUND)


def _target(session: Session, function: str, to: int | None) -> tuple[str, Version | None]:
    """What serves, and what shall. Raises OpsError for a version that is not kept."""
    now, kept = serving(session, FUNCTIONS[function]), published(session, FUNCTIONS[function])
    if to is None:
        return str(now), previous(now, kept)
    wanted = next((each for each in kept if each.number == to), None)
    if wanted is None:
        raise OpsError(f"{function} has no version {to}: `scc versions ls` lists those it has.")
    return str(now), wanted


def _told(done: dict[str, Any], *, dry_run: bool) -> str:
    if done["serves"] is None:
        return f"{done['function']}: version {done['before']} serves, and there is none before it."
    word = "would serve" if dry_run else "serves"
    return f"{done['function']}: version {done['serves']} {word}, instead of {done['before']}."


def _of(session: Session, function: str, deployed: int | None) -> dict[str, Any]:
    output = FUNCTIONS[function]
    now, kept = serving(session, output), published(session, output)
    releases = {each.number: each.release for each in kept}
    return {
        "function": function,
        "serves": str(now),
        "deployed": deployed,
        "release": releases.get(now.version, ""),
        "kept": [
            {"number": e.number, "release": e.release, "published": e.published} for e in kept
        ],
    }
