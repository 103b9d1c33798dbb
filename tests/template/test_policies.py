"""What each role and each policy for people may do: exactly this, statement by statement.

The functions' own calls (tests/functions/whole_way) and the emulator's enforcement (tests/pipeline)
show that each right is needed and none is missing.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.functions.whole_way.aws import actions_of, resources_of
from tests.template.statements import STATEMENTS, WILDCARDS
from tests.template.transformed import Template

STACKS = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:"
KINDS = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")


def statements(template: Template) -> dict[tuple[str, str], dict[str, Any]]:
    """Statements by role or policy and Sid; a schedule's role has one statement and no Sid."""
    found = {
        (name, each.get("Sid", "")): each
        for kind in KINDS
        for name in template.of_type(kind)
        for each in template.statements(name)
    }
    count = sum(len(template.statements(name)) for kind in KINDS for name in template.of_type(kind))
    assert len(found) == count, "two statements with the same name"
    return found


def wildcards(template: Template) -> set[tuple[str, str, str]]:
    """Wildcards in statements, by role, Sid and field."""
    return {
        (*name, text.removeprefix(STACKS))
        for name, each in statements(template).items()
        for text in actions_of(each) + resources_of(each)
        if "*" in text
    }


@pytest.mark.parametrize(("role", "sid"), STATEMENTS)
def test_the_role_has_exactly_this_statement(prod: Template, role: str, sid: str) -> None:
    statement = statements(prod)[role, sid]
    actions, resources = STATEMENTS[role, sid]
    assert statement["Effect"] == "Allow"
    assert sorted(actions_of(statement)) == sorted(actions)
    assert sorted(resources_of(statement)) == sorted(resources)


def test_no_role_and_no_policy_has_another_statement(prod: Template) -> None:
    assert statements(prod).keys() == STATEMENTS.keys()
    for role in prod.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        assert len(role["Policies"]) == 1


def test_every_wildcard_is_explained(prod: Template) -> None:
    assert wildcards(prod) == WILDCARDS.keys()


@pytest.mark.parametrize(
    ("role", "sid", "part"),
    [
        (role, sid, part)
        for role, sid in STATEMENTS
        for part in ("Action", "Resource")
        if part == "Action" or (role, sid, "*") not in WILDCARDS
    ],
)
def test_a_statement_that_allowed_everything_would_be_found(
    prod: Template, role: str, sid: str, part: str
) -> None:
    """The check above, applied to each statement."""
    widened = copy.deepcopy(prod)
    (statement,) = (each for each in widened.statements(role) if each.get("Sid", "") == sid)
    service = actions_of(statement)[0].partition(":")[0]
    statement[part] = "*" if part == "Resource" else f"{service}:*"
    assert wildcards(widened) - WILDCARDS.keys()


def test_a_role_is_assumed_by_the_service_that_needs_it_and_nobody_else(prod: Template) -> None:
    for name, role in prod.of_type("AWS::IAM::Role").items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = "scheduler" if name.endswith("ScheduleRole") else "lambda"
        service = "codedeploy" if name == "ApiCanaryRole" else service
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert trust["Action"] == "sts:AssumeRole"
