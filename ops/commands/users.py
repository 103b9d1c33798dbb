"""`scc users`: who can sign in, and with which rights."""

from __future__ import annotations

import re
import sys
from typing import Any

import click

from functions.api.free_text.plain_text import shown
from ops.errors import OpsError
from ops.session import Session, pass_session, shared_options
from ops.stack.accounts import GROUPS, SHORTEST_PASSWORD, Accounts, new_password
from shared.text import EMAIL


class Email(click.ParamType):
    """An address in lower case: it becomes `logged_by` in the ledger."""

    name = "email"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).lower()
        if not re.fullmatch(EMAIL, text) or not text.isprintable():
            self.fail(f"{value!r} is not an email address", param, ctx)
        return text


@click.group()
@shared_options
def users() -> None:
    """The app's accounts: admins log payments, auditors read them, crew sees rosters.

    \b
    Examples:
      scc users ls
      scc users add grace@example.com --name "Grace Hopper" --group admins
    """


@users.command()
@shared_options
@pass_session
def ls(session: Session) -> None:
    """List all accounts.

    \b
    Examples:
      scc users ls
      scc users ls --json
    """
    found = _accounts(session).listed()
    if session.console.as_json:
        session.console.show(found)
    else:
        session.console.table(
            ("email", "name", "groups", "can sign in"),
            [
                (each["email"], each["name"], ", ".join(each["groups"]) or "none",
                 "yes" if each["is_enabled"] else "no")
                for each in found
            ],
        )  # fmt: skip


@users.command()
@shared_options
@click.argument("email", type=Email())
@click.option("--name", required=True, help="The name shown in the app.")
@click.option("--group", type=click.Choice(GROUPS), required=True, help="What the account may do.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin instead of generating one."
)
@pass_session
def add(session: Session, email: str, *, name: str, group: str, password_stdin: bool) -> None:
    """Create an account. Its password is shown once and is never an argument.

    \b
    Examples:
      scc users add grace@example.com --name "Grace Hopper" --group admins
      pass show scc/grace | scc users add grace@example.com --name Grace --group crew \\
          --password-stdin
    """
    if not shown(name) or not name.isprintable() or len(name) > 100:
        raise click.UsageError("--name must be 1 to 100 printable characters.")
    password = _password(is_from_stdin=password_stdin)
    _accounts(session).add(email, shown(name), group, password)
    _tell(session, email, password, is_made_up=not password_stdin)


@users.command()
@shared_options
@click.argument("email", type=Email())
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin instead of generating one."
)
@pass_session
def password(session: Session, email: str, *, password_stdin: bool) -> None:
    """Give an account a new password.

    \b
    Examples:
      scc users password grace@example.com
    """
    chosen = _password(is_from_stdin=password_stdin)
    _accounts(session).set_password(email, chosen)
    _tell(session, email, chosen, is_made_up=not password_stdin)


@users.command()
@shared_options
@click.argument("email", type=Email())
@pass_session
def disable(session: Session, email: str) -> None:
    """Stop an account from signing in. Open sessions end within five minutes.

    \b
    Examples:
      scc users disable grace@example.com
    """
    _accounts(session).switch(email, is_on=False)
    session.console.say(f"{email} cannot sign in; open sessions end within five minutes.")


@users.command()
@shared_options
@click.argument("email", type=Email())
@pass_session
def enable(session: Session, email: str) -> None:
    """Let a disabled account sign in again.

    \b
    Examples:
      scc users enable grace@example.com
    """
    _accounts(session).switch(email, is_on=True)
    session.console.say(f"{email} can sign in.")


def _accounts(session: Session) -> Accounts:
    return Accounts(session.aws.client("cognito-idp"), session.aws.output("UserPoolId"))


def _password(*, is_from_stdin: bool) -> str:
    if not is_from_stdin:
        return new_password()
    try:
        text = sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise OpsError("The password on stdin must be UTF-8.") from error
    if not SHORTEST_PASSWORD <= len(text) <= 256:
        raise OpsError(f"The password on stdin must have {SHORTEST_PASSWORD} to 256 characters.")
    return text


def _tell(session: Session, email: str, password: str, *, is_made_up: bool) -> None:
    if session.console.as_json:
        session.console.show({"email": email} | ({"password": password} if is_made_up else {}))
    elif is_made_up:
        session.console.facts([("account", email), ("password", password)])
        session.console.say(
            "The password is shown only this once. Hand it over in person; do not mail it."
        )
    else:
        session.console.facts([("account", email)])
