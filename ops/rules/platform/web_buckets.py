"""What the policy of a web bucket must say, so that CloudFront may read it for us alone.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

SID = "ShipCaptainCrewPayments"
_READ = "s3:getobject"
_CLOUDFRONT = "cloudfront.amazonaws.com"
# Condition keys and operators, in lower case: IAM compares keys without case.
_SOURCE, _ACCOUNT = "aws:sourcearn", "aws:sourceaccount"
_EXACT = frozenset({"stringequals"})
_BY_PATTERN = frozenset({"stringlike", "arnlike", "arnequals"})  # ARN operators take wildcards

Document = Mapping[str, Any]


def statement_for(bucket: str, prefix: str, distribution_arn: str) -> dict[str, Any]:
    """prefix: of the keys that CloudFront reads, "" or "_staging/"."""
    partition = distribution_arn.split(":")[1]
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": _CLOUDFRONT},
        "Action": "s3:GetObject",
        "Resource": f"arn:{partition}:s3:::{bucket}/{prefix}*",
        "Condition": {"StringEquals": {"aws:SourceArn": distribution_arn}},
    }


def is_allowed(policy: Document, wanted: Document) -> bool:
    """Whether the policy allows what the wanted statement does, in these words or in others."""
    return any(_covers(each, wanted) for each in _listed(policy.get("Statement")))


def merged(policy: Document, wanted: Document) -> dict[str, Any]:
    """The policy with the statement in it; one of ours for an earlier distribution makes room."""
    others = [each for each in _listed(policy.get("Statement")) if each.get("Sid") != SID]
    return {"Version": "2012-10-17", **policy, "Statement": [*others, wanted]}


def command_for(bucket: str, policy: Document, aws: str) -> str:
    """aws: how a command of the AWS CLI begins."""
    return (
        f"{aws} s3api put-bucket-policy --bucket {bucket} "
        f"--policy {shlex.quote(json.dumps(policy))}"
    )


def _covers(statement: Document, wanted: Document) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and _is_principal(statement.get("Principal"))
        and any(fnmatchcase(_READ, each.lower()) for each in _listed(statement.get("Action")))
        and any(
            fnmatchcase(wanted["Resource"], each) for each in _listed(statement.get("Resource"))
        )
        and _is_met(statement.get("Condition", {}), wanted["Condition"]["StringEquals"])
    )


def _is_principal(principal: Any) -> bool:
    if isinstance(principal, Mapping):
        return _CLOUDFRONT in _listed(principal.get("Service"))
    return bool(principal == "*")


def _is_met(condition: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Only conditions about who asks are known to be met."""
    arn = wanted["aws:SourceArn"]
    facts = {_SOURCE: arn, _ACCOUNT: arn.split(":")[4]}
    for operator, keys in condition.items():
        how = operator.lower()
        for key, values in keys.items():
            fact = facts.get(key.lower())
            if fact is None or how not in _EXACT | _BY_PATTERN:
                return False
            exact = how in _EXACT
            if not any(
                fact == each if exact else fnmatchcase(fact, each) for each in _listed(values)
            ):
                return False
    return True


def _listed(value: Any) -> Sequence[Any]:
    """Policies write one or a list of them."""
    return value if isinstance(value, list) else [] if value is None else [value]
