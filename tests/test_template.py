from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from functions.api.people.identity import GRANTS
from functions.audit_mailer.delivery.audit_queue import MAX_RECEIVES
from functions.audit_mailer.delivery.consumer import NEEDED_MS
from functions.audit_mailer.delivery.courier import LEASE_MS
from functions.audit_mailer.delivery.pacing import LARGEST_BURST
from functions.audit_mailer.gmail.transport import CONNECT_SECONDS, READ_SECONDS
from functions.audit_mailer.handler import BATCH_SIZE
from tests.transformed_template import Template, strings, template_for

ROLES = {
    "ApiFunction": "ApiRole",
    "RouterFunction": "RouterRole",
    "SweepFunction": "SweepRole",
    "MailerFunction": "MailerRole",
    "StatementFunction": "StatementRole",
}
DAY = 24 * 60 * 60
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def prod() -> Template:
    return template_for("prod")


@pytest.fixture(scope="module")
def local() -> Template:
    return template_for("local")


def actions(template: Template, role: str, resource: str) -> set[str]:
    """What the role may do to a resource, given its logical id."""
    return {
        action
        for statement in template.statements(role)
        if any(resource in text for text in strings(statement["Resource"]))
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }


# ─────────────────────────────────────────────────────────────────────────────── functions


def test_every_handler_exists(prod: Template) -> None:
    for function in prod.of_type("AWS::Lambda::Function").values():
        module, _, name = function["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))


def test_functions_run_on_arm_in_aws_and_on_x86_in_the_emulator(
    prod: Template, local: Template
) -> None:
    for template, architecture in ((prod, "arm64"), (local, "x86_64")):
        for function in template.of_type("AWS::Lambda::Function").values():
            assert function["Runtime"] == "python3.13"
            assert function["Architectures"] == [architecture]


def test_every_skipped_rule_says_why_where_it_is_skipped(prod: Template) -> None:
    """`make audit` and `make check` rely on these strings."""
    skips = [
        skip
        for resource in prod.resources.values()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", ())
    ]
    assert skips
    for skip in skips:
        assert skip.keys() == {"id", "comment"}
        assert len(skip["comment"]) > 30, skip
    ignored = re.findall(r"ignore_checks: .*", (ROOT / "template.yaml").read_text())
    assert [each for each in ignored if " # " not in each] == []


def test_bundles_are_made_by_our_makefile_and_there_is_no_layer(prod: Template) -> None:
    """`sam build` of a layer takes the building machine's architecture, and ships no .pyc."""
    assert not prod.of_type("AWS::Lambda::LayerVersion")
    for name in ROLES:
        assert prod.resources[name]["Metadata"]["BuildMethod"] == "makefile"


def test_every_function_has_a_role_of_its_own_and_a_log_group_with_retention(
    prod: Template,
) -> None:
    functions = prod.of_type("AWS::Lambda::Function")
    assert functions.keys() == ROLES.keys()
    for name, function in functions.items():
        assert function["Role"] == {"Fn::GetAtt": [ROLES[name], "Arn"]}
        log_group = prod[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert int(log_group["RetentionInDays"]) > 0


def test_no_environment_carries_the_gmail_key_when_a_secret_is_named(prod: Template) -> None:
    for function in prod.of_type("AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert "GMAIL_SERVICE_ACCOUNT_KEY" not in variables
        assert "POWERTOOLS_DEV" not in variables
        assert len(json.dumps(variables)) < 4096, "AWS's limit for all variables together"


# ─────────────────────────────────────────────────────────────────────────────────── roles


def test_no_statement_covers_every_resource_or_a_whole_service(prod: Template) -> None:
    for role in prod.of_type("AWS::IAM::Role"):
        for statement in prod.statements(role):
            assert statement["Resource"] not in ("*", ["*"])
            assert not [text for text in strings(statement["Action"]) if text.endswith(":*")]


def test_nobody_may_change_delete_or_scan_a_ledger_row(prod: Template) -> None:
    allowed = {
        "ApiRole": {"GetItem", "PutItem", "Query"},
        "RouterRole": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
        "SweepRole": {"DescribeTable", "Query"},
        "MailerRole": {"GetItem"},
        "StatementRole": {"GetItem", "Query"},
        "SweepScheduleRole": set(),
        "StatementScheduleRole": set(),
    }
    assert prod.of_type("AWS::IAM::Role").keys() == allowed.keys()
    for role, names in allowed.items():
        assert actions(prod, role, "PaymentsTable") == {f"dynamodb:{name}" for name in names}


def test_the_api_updates_only_the_ledgers_heads_and_the_rosters_signatures(
    prod: Template,
) -> None:
    updated = [
        each["Resource"]
        for each in prod.statements("ApiRole")
        if "dynamodb:UpdateItem" in strings(each["Action"])
    ]
    assert updated == [{"Fn::GetAtt": [table, "Arn"]} for table in ("LedgerTable", "EventsTable")]
    assert not actions(prod, "ApiRole", "EventsTable") & {
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
    }


def test_the_api_can_neither_queue_nor_mail(prod: Template) -> None:
    assert not [text for text in strings(prod.statements("ApiRole")) if text.startswith("sqs:")]
    secrets = [each for each in prod.statements("ApiRole") if "secret" in each["Action"][:7]]
    assert [each["Resource"] for each in secrets] == [{"Fn::GetAtt": ["CursorKeySecret", "Id"]}]


def test_the_sweep_may_look_at_dead_letters_but_not_delete_them(prod: Template) -> None:
    assert actions(prod, "SweepRole", "DeadLetterQueue") == {
        "sqs:ChangeMessageVisibility*",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    assert actions(prod, "SweepRole", "AuditQueue") == {
        "sqs:GetQueueAttributes",
        "sqs:SendMessage*",
    }


def test_the_statement_reads_the_ledger_and_no_queue_and_knows_no_gmail(prod: Template) -> None:
    assert actions(prod, "StatementRole", "DeliveriesTable") == {"dynamodb:BatchGetItem"}
    assert actions(prod, "StatementRole", "AuditQueue") == {"sqs:SendMessage"}
    allowed = set(strings([each["Action"] for each in prod.statements("StatementRole")]))
    assert not [text for text in allowed if text.startswith("secretsmanager:")]
    assert not allowed & {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    environment = prod["StatementFunction"]["Environment"]["Variables"]
    assert not [name for name in environment if name.startswith("GMAIL")]


def test_only_the_statement_signs_and_what_it_seals_is_locked(
    prod: Template, local: Template
) -> None:
    signers = [
        statement["Principal"]
        for statement in prod["SigningKey"]["KeyPolicy"]["Statement"]
        if {"kms:Sign", "kms:*"} & set(strings(statement["Action"]))
    ]
    assert signers == [{"AWS": {"Fn::GetAtt": ["StatementRole", "Arn"]}}]
    granted = {
        text
        for role in ROLES.values()
        for each in prod.statements(role)
        for text in strings(each["Action"])
        if text.startswith("kms:")
    }
    assert granted == {"kms:Verify"}, "the API's, by its own role"
    assert prod["EvidenceBucket"]["ObjectLockEnabled"] is True
    assert prod["EvidenceBucket"]["VersioningConfiguration"] == {"Status": "Enabled"}
    for template, mode in ((prod, "COMPLIANCE"), (local, "GOVERNANCE")):
        variables = template["StatementFunction"]["Environment"]["Variables"]
        assert variables["OBJECT_LOCK_MODE"] == mode


def test_nobody_can_take_a_statement_or_its_lock_away(prod: Template) -> None:
    allowed = {
        text
        for role in ROLES.values()
        for each in prod.statements(role)
        for text in strings(each["Action"])
    }
    assert not {text for text in allowed if text.startswith(("s3:Delete", "s3:Bypass", "s3:*"))}


def test_schedules_invoke_one_function_each_by_a_role_that_can_do_nothing_else(
    prod: Template,
) -> None:
    schedules = prod.of_type("AWS::Scheduler::Schedule")
    expressions = {
        each["Name"]["Fn::Sub"]: each["ScheduleExpression"] for each in schedules.values()
    }
    assert expressions == {
        "${AppName}-sweep": "rate(15 minutes)",
        "${AppName}-statement": "cron(20 * * * ? *)",
    }
    for schedule in schedules.values():
        target = schedule["Target"]
        (statement,) = prod.statements(target["RoleArn"]["Fn::GetAtt"][0])
        assert statement["Action"] == "lambda:InvokeFunction"
        assert statement["Resource"] == target["Arn"]


def test_only_the_mailer_writes_deliveries(prod: Template) -> None:
    writers = {
        role
        for role in ROLES.values()
        if actions(prod, role, "DeliveriesTable") & {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    }
    assert writers == {"MailerRole"}


# ────────────────────────────────────────────────────────────────────────── stream, queues


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
    assert actions(prod, "RouterRole", "FailuresBucket") == {"s3:PutObject", "s3:ListBucket"}


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


def test_queues_and_buckets_refuse_plain_http_except_in_the_emulator(
    prod: Template, local: Template
) -> None:
    def refused(template: Template) -> set[str]:
        policies = template.of_type("AWS::SQS::QueuePolicy") | template.of_type(
            "AWS::S3::BucketPolicy"
        )
        return {
            text
            for policy in policies.values()
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and "aws:SecureTransport" in str(statement)
            for text in strings(statement["Resource"])
            if text in template.resources
        }

    stores = prod.of_type("AWS::SQS::Queue").keys() | prod.of_type("AWS::S3::Bucket").keys()
    assert refused(prod) == stores
    assert refused(local) == set()


# ─────────────────────────────────────────────────────────────────────────── tables, users


def test_the_payments_table_has_the_promised_keys_indexes_ttl_and_stream(prod: Template) -> None:
    def key(of: dict[str, Any]) -> list[str]:
        return [each["AttributeName"] for each in of["KeySchema"]]

    table = prod["PaymentsTable"]
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert key(table) == ["PK", "SK"]
    assert (types["PK"], types["SK"]) == ("S", "N")
    assert {each["IndexName"]: key(each) for each in table["GlobalSecondaryIndexes"]} == {
        "GSI1": ["patron_email", "timestamp"],
        "GSI2": ["event_id", "timestamp"],
        "GSI3": ["logged_day", "logged_at"],
        "GSI4": ["reference_key", "timestamp"],
    }
    ttl = {"AttributeName": "expiration_timestamp", "Enabled": True}
    assert table["TimeToLiveSpecification"] == ttl
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_on_legal_hold_no_entry_expires() -> None:
    held = template_for("prod", LegalHold="true")["PaymentsTable"]["TimeToLiveSpecification"]
    assert held == {"AttributeName": "expiration_timestamp", "Enabled": False}


def test_only_production_protects_and_keeps_its_data(prod: Template) -> None:
    kept = ("PaymentsTable", "LedgerTable", "DeliveriesTable", "EventsTable")
    for template, protected in ((prod, True), (template_for("staging"), False)):
        for name in kept:
            table = template[name]
            assert table["DeletionProtectionEnabled"] is protected
            recovery = table["PointInTimeRecoverySpecification"]
            assert recovery["PointInTimeRecoveryEnabled"] is protected
            policy = template.resources[name]["DeletionPolicy"]
            assert policy == ("Retain" if protected else "Delete")


def test_every_table_is_on_demand_and_encrypted(prod: Template) -> None:
    for table in prod.of_type("AWS::DynamoDB::Table").values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}


def test_sign_in_reveals_nothing_and_is_by_invitation(prod: Template) -> None:
    client = prod["UserPoolClient"]
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["GenerateSecret"] is False
    assert prod["UserPool"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    groups = {each["GroupName"] for each in prod.of_type("AWS::Cognito::UserPoolGroup").values()}
    assert groups == set(GRANTS)
