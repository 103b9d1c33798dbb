"""`scc versions rollback`: what it refuses, and what it says where there is no way back."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from ops.cli import scc
from ops.rules.versions import Serving, Version
from ops.stack.functions import FUNCTIONS

SERVED: list[tuple[str, int]] = []


@pytest.fixture
def lambda_(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function serves version 7; the API keeps 5 and 7, the others 7 alone."""

    def published(_: object, output: str) -> list[Version]:
        numbers = (5, 7) if output == FUNCTIONS["api"] else (7,)
        return [Version(each, "release", "2026-11-27") for each in numbers]

    SERVED.clear()
    monkeypatch.setattr("ops.commands.versions.serving", lambda *_: Serving(7))
    monkeypatch.setattr("ops.commands.versions.published", published)
    monkeypatch.setattr(
        "ops.commands.versions.serve", lambda _, output, number: SERVED.append((output, number))
    )


def rollback(*arguments: str) -> Result:
    return CliRunner().invoke(scc, ["versions", "rollback", *arguments])


def test_the_version_before_serves_and_what_has_none_is_named(lambda_: None) -> None:
    done = rollback("--function", "api", "--function", "mailer")
    assert done.exit_code == 1, done.output
    assert "api: version 5 serves, instead of 7." in done.output
    assert "mailer: version 7 serves, and there is none before it." in done.output
    assert [(FUNCTIONS["api"], 5)] == SERVED


def test_a_dry_run_changes_nothing(lambda_: None) -> None:
    done = rollback("--function", "api", "--dry-run")
    assert done.exit_code == 0
    assert "version 5 would serve" in done.output
    assert SERVED == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--to", "5"], "--to needs one --function"),
        (["--function", "api", "--to", "6"], "api has no version 6"),
        (["--function", "dock"], "'dock' is not one of"),
    ],
)
def test_what_cannot_serve_is_refused(lambda_: None, arguments: list[str], complaint: str) -> None:
    done = rollback(*arguments)
    assert done.exit_code == 2
    assert complaint in done.output
    assert SERVED == []
