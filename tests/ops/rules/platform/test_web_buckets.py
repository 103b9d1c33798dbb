"""Whether a bucket's policy lets our distribution read it, in whatever words it says so."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from ops.rules.platform.web_buckets import command_for, is_allowed, merged, statement_for

ARN = "arn:aws:cloudfront::123456789012:distribution/E1ABC"
OTHER = "arn:aws:cloudfront::123456789012:distribution/E2XYZ"
BUCKET = "shipcaptaincrew-dispatch-staging"
WANTED = statement_for(BUCKET, "_staging/", ARN)
THEIRS = {
    "Sid": "BackupsRead",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:role/backup"},
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "Theirs", "Statement": [*statements]}


def test_the_statement_is_the_one_that_the_stack_gives_its_own_buckets() -> None:
    written = statement_for(BUCKET, "_staging/", ARN)
    assert written == {
        "Sid": "ShipCaptainCrewPayments",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/_staging/*",
        "Condition": {"StringEquals": {"aws:SourceArn": ARN}},
    }
    assert statement_for("web", "", ARN)["Resource"] == "arn:aws:s3:::web/*"
    china = statement_for("web", "", ARN.replace("arn:aws:", "arn:aws-cn:"))
    assert china["Resource"] == "arn:aws-cn:s3:::web/*"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Sid": "AnyName"},
        {"Action": "s3:*"},
        {"Action": "*"},
        {"Action": ["s3:PutObject", "s3:Get*"]},
        {"Action": "S3:getobject"},
        {"Resource": f"arn:aws:s3:::{BUCKET}/*"},
        {"Resource": ["arn:aws:s3:::other/*", f"arn:aws:s3:::{BUCKET}/_staging/*"]},
        {"Principal": {"Service": ["delivery.logs.amazonaws.com", "cloudfront.amazonaws.com"]}},
        {"Principal": "*"},
        {"Condition": {"StringEquals": {"AWS:SourceArn": [OTHER, ARN]}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudfront::*:distribution/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}},
        {"Condition": {}},
    ],
)
def test_other_words_for_the_same_are_taken(changes: dict[str, Any]) -> None:
    assert is_allowed(policy(THEIRS, WANTED | changes), WANTED)
    assert is_allowed({"Statement": WANTED | changes}, WANTED), "one statement need be no list"


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Action": "s3:ListBucket"},
        {"Action": "s3:GetObjectVersion"},
        {"Resource": f"arn:aws:s3:::{BUCKET}/index.html"},
        {"Resource": f"arn:aws:s3:::{BUCKET}"},
        {"Resource": "arn:aws:s3:::other/*"},
        {"Principal": {"Service": "lambda.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}},
        {"Condition": {"StringEquals": {"aws:SourceArn": OTHER}}},
        {"Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::*:distribution/*"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceArn": ARN}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
    ],
)
def test_what_does_not_let_our_distribution_read_is_missed(changes: dict[str, Any]) -> None:
    assert not is_allowed(policy(THEIRS, WANTED | changes), WANTED)


def test_a_bucket_without_a_policy_lets_nobody_read() -> None:
    assert not is_allowed({}, WANTED)
    assert merged({}, WANTED) == {"Version": "2012-10-17", "Statement": [WANTED]}


def test_merging_keeps_all_that_was_said_and_then_it_is_allowed() -> None:
    before = policy(THEIRS)
    after = merged(before, WANTED)
    assert after == before | {"Statement": [THEIRS, WANTED]}
    assert is_allowed(after, WANTED)
    assert merged(after, WANTED) == after
    assert merged({"Statement": THEIRS}, WANTED)["Statement"] == [THEIRS, WANTED]


def test_a_statement_for_an_earlier_distribution_of_ours_makes_room() -> None:
    earlier = statement_for(BUCKET, "_staging/", OTHER)
    assert merged(policy(THEIRS, earlier), WANTED) == policy(THEIRS, WANTED)


def test_the_command_survives_a_shell() -> None:
    sids = policy(THEIRS | {"Sid": "It's theirs"})
    words = shlex.split(command_for(BUCKET, sids, "aws --region us-east-1"))
    assert words[:-1] == [
        *("aws", "--region", "us-east-1", "s3api", "put-bucket-policy"),
        *("--bucket", BUCKET, "--policy"),
    ]
    assert json.loads(words[-1]) == sids
