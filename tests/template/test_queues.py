"""The stream and the queues: nothing is missed, nothing is tried for ever."""

from __future__ import annotations

import json

from functions.audit_mailer.delivery.audit_queue import MAX_RECEIVES
from functions.audit_mailer.delivery.consumer import NEEDED_MS
from functions.audit_mailer.delivery.courier import LEASE_MS
from functions.audit_mailer.delivery.pacing import LARGEST_BURST
from functions.audit_mailer.gmail.transport import CONNECT_SECONDS, READ_SECONDS
from functions.audit_mailer.handler import BATCH_SIZE
from tests.template.transformed import Template, template_for

DAY = 24 * 60 * 60


def test_the_stream_mapping_misses_nothing_and_sets_aside_what_fails(prod: Template) -> None:
    mapping = prod["RouterFunctionNewLedgerRows"]
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    (pattern,) = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    assert pattern == {"eventName": ["INSERT", "MODIFY", "REMOVE"]}, "tampering is seen, too"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] > 0
    assert 60 <= mapping["MaximumRecordAgeInSeconds"] < DAY, "the stream keeps records for a day"
    failures = {"Fn::GetAtt": ["FailuresBucket", "Arn"]}
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == failures
    assert prod.actions("RouterRole", "FailuresBucket") == {"s3:PutObject", "s3:ListBucket"}


def test_a_stream_that_was_replaced_by_hand_is_read_by_a_new_mapping(prod: Template) -> None:
    """Another source is another mapping to CloudFormation; the sweep and the alarms follow it."""
    name = "RouterFunctionNewLedgerRows"
    assert prod[name]["EventSourceArn"] == {"Fn::GetAtt": ["PaymentsTable", "StreamArn"]}
    stream = "arn:aws:dynamodb:us-east-1:123456789012:table/x/stream/2026-11-27T05:31:12.123"
    assert template_for("prod", LedgerStreamArn=stream)[name]["EventSourceArn"] == stream


def test_the_queue_mapping_reports_single_failures_and_keeps_to_gmails_pace(
    prod: Template,
) -> None:
    mapping = prod["MailerFunctionAuditMessages"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == BATCH_SIZE == LARGEST_BURST == 10, "a thread and a slot each"
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_a_message_stays_invisible_for_six_runs_of_the_mailer(prod: Template) -> None:
    assert prod["AuditQueue"]["VisibilityTimeout"] >= 6 * prod["MailerFunction"]["Timeout"]


def test_a_lease_outlives_its_mailer_and_a_delivery_fits_into_a_run(prod: Template) -> None:
    timeout = prod["MailerFunction"]["Timeout"] * 1000
    assert timeout < LEASE_MS, "a lapsed lease is a dead mailer"
    slowest = 3 * (CONNECT_SECONDS + READ_SECONDS) * 1000  # token, search, delivery
    assert slowest < NEEDED_MS < timeout


def test_a_message_outlives_its_tries_and_is_then_kept_long_enough_for_a_person(
    prod: Template,
) -> None:
    queue, dead = prod["AuditQueue"], prod["DeadLetterQueue"]
    assert dead["MessageRetentionPeriod"] == 14 * DAY, "the maximum"
    assert dead["MessageRetentionPeriod"] - queue["MessageRetentionPeriod"] >= 10 * DAY
    redrive = queue["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert redrive["maxReceiveCount"] == MAX_RECEIVES, "the mailer counts with this number"


def test_each_queue_has_a_policy_of_its_own(prod: Template) -> None:
    """SQS keeps a policy with each queue; one that names another queue's ARN may be refused.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    """
    policies = prod.of_type("AWS::SQS::QueuePolicy").values()
    assert len(policies) == len(prod.of_type("AWS::SQS::Queue"))
    for each in policies:
        (queue,) = each["Queues"]
        (statement,) = each["PolicyDocument"]["Statement"]
        assert statement["Resource"] == {"Fn::GetAtt": [queue["Ref"], "Arn"]}


def test_waiting_is_no_endless_loop(prod: Template) -> None:
    """Lambda stops a function that calls itself through SQS after sixteen times, unless allowed.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    assert prod["MailerFunction"]["RecursiveLoop"] == "Allow"
