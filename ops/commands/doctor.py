"""`scc doctor`: check that everything is wired up, permitted and switched on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from ops.errors import FINE, FOUND
from ops.rules.check_result import CheckResult
from ops.session import Session, pass_session, shared_options
from ops.stack.doctor import run_checks


@click.command()
@shared_options
@pass_session
def doctor(session: Session) -> None:
    """Check credentials, app, queues, schedules, Gmail, alarms and users; say how to fix each.

    Changes nothing and sends no mail. Exit 1 when a check failed, 2 when none could be made.

    \b
    Examples:
      scc doctor
      scc doctor --json | jq -r '.[] | select(.is_ok | not) | .remedy'
    """
    # Without credentials or a stack nothing can be checked: this line raises then.
    session.console.say(f"{session.aws.output('ApiFunctionName')}, as {session.aws.caller}")
    found: list[CheckResult] = []

    def told() -> Iterator[CheckResult]:
        with session.console.meter("checking") as meter:
            for each in run_checks(session):
                found.append(each)
                meter.advance()
                yield each

    if session.console.as_json:
        session.console.stream(asdict(each) | {"is_ok": each.is_ok} for each in told())
    else:
        session.console.table(
            ("check", "", "detail"),
            [(each.name, "ok" if each.is_ok else "FAILED", each.detail) for each in told()],
        )
    failed = [each for each in found if not each.is_ok]
    for each in failed:
        session.console.say(f"! {each.name}: {each.remedy}", style="bold red")
    session.console.say(f"{len(found) - len(failed)} of {len(found)} checks passed.")
    raise click.exceptions.Exit(FOUND if failed else FINE)
