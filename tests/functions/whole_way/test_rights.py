"""Every permission is used, and every call has its permission, on a whole journey.

If a statement is removed, the call that lacks it fails here; one that nobody needs fails by its own
name. What Lambda itself does with a function's role does not show in our code, so it is listed.
"""

from __future__ import annotations

import copy
from fnmatch import fnmatchcase
from typing import Any

import pytest

from shared.methods import METHODS
from tests.functions.whole_way.aws import Right, actions_of, resources_of
from tests.functions.whole_way.conditions import Told as Write
from tests.functions.whole_way.conditions import admits
from tests.functions.whole_way.handlers import HANDLERS
from tests.functions.whole_way.told import Told
from tests.template.transformed import Template, template_for

ROLES = {name: name.replace("Function", "Role") for name in HANDLERS}
_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
_QUEUE = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
# docs.aws.amazon.com/lambda: "Sending logs to CloudWatch", "Using Lambda with DynamoDB Streams",
# "Using Lambda with Amazon SQS", "Retain failed event source records in an S3 destination".
BY_LAMBDA = {
    "RouterFunction": {
        *(Right(f"dynamodb:{each}", "PaymentsTable/stream/label") for each in _STREAM),
        Right("s3:ListBucket", "FailuresBucket"),
        Right("s3:PutObject", "FailuresBucket/aws/lambda/mapping/record"),
    },
    "MailerFunction": {Right(f"sqs:{each}", "AuditQueue") for each in _QUEUE},
}
SIDS = [
    (function, statement["Sid"])
    for function, role in ROLES.items()
    for statement in template_for("prod").statements(role)
]


@pytest.fixture(scope="module")
def prod() -> Template:
    return template_for("prod")


def used(told: Told, function: str) -> set[Right]:
    logs = function.replace("Function", "LogGroup")
    by_lambda = {Right(f"logs:{each}", logs) for each in ("CreateLogStream", "PutLogEvents")}
    return told.used[function] | BY_LAMBDA.get(function, set()) | by_lambda


def refused(told: Told, template: Template, function: str) -> set[Right]:
    """What the function's calls ask for and neither its role nor the key's policy allows."""
    of_key = [
        each | {"Resource": {"Ref": "SigningKey"}}
        for each in template["SigningKey"]["KeyPolicy"]["Statement"]
        if each["Principal"] == {"AWS": {"Fn::GetAtt": [ROLES[function], "Arn"]}}
    ]
    statements = [*template.statements(ROLES[function]), *of_key]
    return {
        right
        for right in used(told, function)
        if not any(allows(each, right) for each in statements)
    }


def allows(statement: dict[str, Any], right: Right) -> bool:
    return (
        any(fnmatchcase(right.action, each) for each in actions_of(statement))
        and any(fnmatchcase(right.resource, each) for each in resources_of(statement))
        and admits(statement.get("Condition", {}), right.told)
    )


@pytest.mark.parametrize("function", HANDLERS)
def test_every_call_is_permitted(told: Told, prod: Template, function: str) -> None:
    assert refused(told, prod, function) == set()


@pytest.mark.parametrize(("function", "sid"), SIDS)
def test_removing_a_statement_is_noticed(
    told: Told, prod: Template, function: str, sid: str
) -> None:
    lacking = copy.deepcopy(prod)
    (policy,) = lacking[ROLES[function]]["Policies"]
    document = policy["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]
    assert refused(told, lacking, function)


@pytest.mark.parametrize(("function", "sid"), SIDS)
def test_every_action_and_every_resource_of_a_statement_is_used(
    told: Told, prod: Template, function: str, sid: str
) -> None:
    statements = prod.statements(ROLES[function])
    (statement,) = (each for each in statements if each["Sid"] == sid)
    actions, resources = actions_of(statement), resources_of(statement)
    covered = {
        (action, resource)
        for right in used(told, function)
        for action in actions
        for resource in resources
        if fnmatchcase(right.action, action) and fnmatchcase(right.resource, resource)
    }
    assert {action for action, _ in covered} == set(actions)
    assert {resource for _, resource in covered} == set(resources)


SIGNS = {"event_id", "SK", "waiver_signed_at", "waiver_name", "waiver_email"}
ADVANCES = {"PK", "seq", "hash", "last_logged_at", "payments_count", "total_cents"}
ADVANCES |= {f"{method}_cents" for method in METHODS}


@pytest.mark.parametrize(
    ("table", "action", "key", "attributes", "return_values", "is_allowed"),
    [
        ("LedgerTable", "UpdateItem", "EVENT#a", ADVANCES, "NONE", True),
        ("LedgerTable", "UpdateItem", "NUMBER#a#check#7", {"PK", "payment_ids"}, "NONE", True),
        ("LedgerTable", "PutItem", "PAYMENT#pay_1", {"PK", "row_pk"}, "NONE", True),
        ("LedgerTable", "PutItem", "VOID#pay_1", {"PK", "void_id"}, "NONE", True),
        ("EventsTable", "UpdateItem", "a", SIGNS, "NONE", True),
        ("LedgerTable", "PutItem", "EVENT#a", {"PK", "seq", "hash"}, "NONE", False),
        ("LedgerTable", "PutItem", "NUMBER#a#check#7", {"PK", "payment_ids"}, "NONE", False),
        ("LedgerTable", "UpdateItem", "PAYMENT#pay_1", {"PK", "seq"}, "NONE", False),
        ("LedgerTable", "UpdateItem", "VOID#pay_1", {"PK", "void_id"}, "NONE", False),
        ("LedgerTable", "UpdateItem", "EVENT#a", ADVANCES | {"payment_ids"}, "NONE", False),
        ("LedgerTable", "UpdateItem", "EVENT#a", ADVANCES, "ALL_OLD", False),
        ("EventsTable", "UpdateItem", "a", SIGNS | {"name"}, "NONE", False),
        ("EventsTable", "UpdateItem", "a", {"event_id", "SK", "event_date"}, "NONE", False),
        ("EventsTable", "UpdateItem", "a", SIGNS, "ALL_NEW", False),
    ],
)
def test_the_api_may_write_no_other_item_and_no_other_attribute(
    prod: Template,
    table: str,
    action: str,
    key: str,
    attributes: set[str],
    return_values: str,
    *,
    is_allowed: bool,
) -> None:
    write = Write(frozenset({key}), frozenset(attributes), return_values)
    right = Right(f"dynamodb:{action}", table, write)
    statements = prod.statements("ApiRole")
    assert any(allows(each, right) for each in statements) is is_allowed
