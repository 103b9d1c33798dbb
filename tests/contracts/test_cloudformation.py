"""CloudFormation's own schemas, as cfn-lint ships them, and what they say of our template."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contracts import authorization, sam
from tests.suites import LONG
from tests.template.transformed import Template, raw_template

# Where in Resources; what is put there, None to take it out; which rule of cfn-lint must name it.
SPOILED: dict[str, tuple[Any, str]] = {
    # a property that does not exist
    "AuditQueue/Properties/VisibilityTimout": (360, "E3002"),
    "ApiUrlPermission/Properties/InvokedViaFunctionURL": (True, "E3002"),
    # a value that is not one of those allowed, or too large
    "UserPool/Properties/DeletionProtection": ("ON", "E3030"),
    "SigningKey/Properties/KeySpec": ("RSA_1024", "E3030"),
    "EvidenceBucket/Properties/VersioningConfiguration/Status": ("On", "E3030"),
    "DeadLettersAlarm/Properties/ComparisonOperator": ("MoreThanThreshold", "E3030"),
    "RouterFunctionNewLedgerRows/Properties/MetricsConfig/Metrics/0": ("EventsCount", "E3030"),
    "MailerLogGroup/Properties/RetentionInDays": (91, "E3030"),
    "StatementFunction/Properties/Timeout": (901, "E3717"),
    "SessionsTable/DeletionPolicy": ("Keep", "E3035"),
    # a property that is required
    "WebOriginAccess/Properties/OriginAccessControlConfig/SigningProtocol": (None, "E3003"),
    "SweepFunctionEveryQuarterOfAnHour/Properties/Target/RoleArn": (None, "E3003"),
    # the grammar of policies: of a role, for people, of a key, of a queue, of a bucket, of trust
    "ApiRole/Properties/Policies/0/PolicyDocument/Statement/1/Effect": ("Permit", "E3510"),
    "SweepRole/Properties/Policies/0/PolicyDocument/Statement/1/Resource": (None, "E3510"),
    "OpsReadPolicy/Properties/PolicyDocument/Statement/0/Resources": ("*", "E3510"),
    "OpsMailboxPolicy/Properties/PolicyDocument/Statement/0/Condition/Matches": ({}, "E3510"),
    "SigningKey/Properties/KeyPolicy/Statement/1/Effect": ("allow", "E3512"),
    "AuditQueueTlsOnlyPolicy/Properties/PolicyDocument/Statement/0/Action": (None, "E3512"),
    "FailuresBucketPolicy/Properties/PolicyDocument/Version": ("2012-10-18", "E3512"),
    "StatementRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal": (None, "E3530"),
    # an action that does not exist; SQS checks a batch as its single action
    "MailerRole/Properties/Policies/0/PolicyDocument/Statement/2/Action": (
        "sqs:SendMessageBatch",
        "W3037",
    ),
}
ROTATION = {"kms:DisableKeyRotation", "kms:EnableKeyRotation"}  # which an asymmetric key lacks


def spoiled() -> dict[str, Any]:
    template = copy.deepcopy(raw_template())
    for place, (value, _) in SPOILED.items():
        *steps, last = (int(step) if step.isdigit() else step for step in place.split("/"))
        node = template["Resources"]
        for step in steps:
            node = node[step]
        if value is None:
            del node[last]
        else:
            node[last] = value
    return template


@pytest.fixture(scope="module")
def found() -> Mapping[str, str]:
    return sam.lint(spoiled())


@LONG
@pytest.mark.parametrize("place", SPOILED)
def test_what_cloudformation_would_refuse_is_named(found: Mapping[str, str], place: str) -> None:
    value, rule = SPOILED[place]
    named = place if value is not None else place.rpartition("/")[0]  # where it is missing
    assert found[f"Resources/{named}"] == rule


@LONG
def test_nothing_else_in_the_template_is_named(found: Mapping[str, str]) -> None:
    assert len(found) == len(SPOILED), found


@LONG
def test_cloudformation_may_keep_the_signing_key_up_to_date(prod: Template) -> None:
    """A key's policy is all there is: what it does not allow to the account, nobody may.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html; what CloudFormation
    calls is in the handlers of AWS::KMS::Key, in its registry's schema.
    """
    needed = {
        action
        for action in sam.permissions("AWS::KMS::Key")
        if "key" in authorization.resource_types(action)
    }
    allowed = {
        action
        for statement in prod["SigningKey"]["KeyPolicy"]["Statement"]
        if ":root" in str(statement["Principal"])
        for pattern in statement["Action"]
        for action in authorization.actions(pattern)
    }
    assert needed - ROTATION <= allowed
    assert "kms:PutKeyPolicy" in needed
