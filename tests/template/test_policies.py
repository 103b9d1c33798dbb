"""What each role and each policy for people may do: exactly this, statement by statement.

The functions' own calls (tests/functions/whole_way) and the emulator's enforcement (tests/pipeline)
show that each right is needed and none is missing.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.functions.whole_way.aws import actions_of, resources_of
from tests.template.transformed import Template

LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
STATEMENTS: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    ("ApiRole", "WriteOwnLogs"): (LOGS, ["ApiLogGroup"]),
    ("ApiRole", "AppendAndReadPayments"): (
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        [
            "PaymentsTable",
            "PaymentsTable/index/GSI1",
            "PaymentsTable/index/GSI2",
            "PaymentsTable/index/GSI3",
        ],
    ),
    ("ApiRole", "AdvanceLedger"): (
        ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
        ["LedgerTable"],
    ),
    ("ApiRole", "ReadDeliveries"): (["dynamodb:BatchGetItem"], ["DeliveriesTable"]),
    ("ApiRole", "ReadEvents"): (
        ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"],
        ["EventsTable", "EventsTable/index/ByDate"],
    ),
    ("ApiRole", "SignWaivers"): (["dynamodb:UpdateItem"], ["EventsTable"]),
    ("ApiRole", "KeepSessions"): (
        ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
        ["SessionsTable"],
    ),
    ("ApiRole", "SeeWhetherAnAccountStillIsWhatItWas"): (
        ["cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser"],
        ["UserPool"],
    ),
    ("ApiRole", "ReadCursorKey"): (["secretsmanager:GetSecretValue"], ["CursorKeySecret"]),
    ("RouterRole", "WriteOwnLogs"): (LOGS, ["RouterLogGroup"]),
    ("RouterRole", "ReadStream"): (
        [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
        ["PaymentsTable/stream/*"],
    ),
    ("RouterRole", "SendToAuditQueue"): (["sqs:SendMessage*"], ["AuditQueue"]),
    ("RouterRole", "KeepWhatMakesNoMail"): (["s3:PutObject"], ["FailuresBucket/*"]),
    ("RouterRole", "CheckFailuresBucket"): (["s3:ListBucket"], ["FailuresBucket"]),
    ("SweepRole", "WriteOwnLogs"): (LOGS, ["SweepLogGroup"]),
    ("SweepRole", "ReadEntriesByDay"): (["dynamodb:Query"], ["PaymentsTable/index/GSI3"]),
    ("SweepRole", "ReadDeliveries"): (["dynamodb:BatchGetItem"], ["DeliveriesTable"]),
    ("SweepRole", "SendToAuditQueue"): (["sqs:SendMessage*"], ["AuditQueue"]),
    ("SweepRole", "SeeWhetherMessagesPileUp"): (["sqs:GetQueueAttributes"], ["AuditQueue"]),
    ("SweepRole", "LookAtWhatRests"): (
        ["sqs:ChangeMessageVisibility*", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        ["DeadLetterQueue"],
    ),
    ("SweepRole", "SeeWhetherTheStreamIsRead"): (
        ["lambda:GetEventSourceMapping"],
        ["RouterFunctionNewLedgerRows"],
    ),
    ("SweepRole", "SeeWhichStreamIsTheLatest"): (["dynamodb:DescribeTable"], ["PaymentsTable"]),
    ("SweepScheduleRole", ""): (["lambda:InvokeFunction"], ["SweepFunction"]),
    ("ApiRole", "ReadStatements"): (["s3:GetObjectVersion"], ["EvidenceBucket/statements/*"]),
    ("ApiRole", "FindStatements"): (["s3:ListBucketVersions"], ["EvidenceBucket"]),
    ("ApiRole", "CheckStatements"): (["kms:Verify"], ["SigningKey"]),
    ("MailerRole", "WriteOwnLogs"): (LOGS, ["MailerLogGroup"]),
    ("MailerRole", "ConsumeAuditQueue"): (
        [
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        ["AuditQueue"],
    ),
    ("MailerRole", "QuarantineAndRenew"): (["sqs:SendMessage"], ["AuditQueue", "DeadLetterQueue"]),
    ("MailerRole", "ReadPayments"): (["dynamodb:GetItem"], ["PaymentsTable"]),
    ("MailerRole", "ReadOpsRecord"): (["dynamodb:GetItem"], ["OpsRecordTable"]),
    ("MailerRole", "ReadStatements"): (["s3:GetObjectVersion"], ["EvidenceBucket/*"]),
    ("MailerRole", "FindStatements"): (["s3:ListBucketVersions"], ["EvidenceBucket"]),
    ("MailerRole", "FindVoidedPaymentAndDuplicates"): (["dynamodb:GetItem"], ["LedgerTable"]),
    ("MailerRole", "KeepDeliveries"): (
        ["dynamodb:GetItem", "dynamodb:UpdateItem"],
        ["DeliveriesTable"],
    ),
    ("MailerRole", "ReadGmailCredentials"): (["secretsmanager:GetSecretValue"], ["GmailSecret"]),
    ("StatementRole", "WriteOwnLogs"): (LOGS, ["StatementLogGroup"]),
    ("StatementRole", "ReadEntries"): (
        ["dynamodb:GetItem", "dynamodb:Query"],
        ["PaymentsTable", "PaymentsTable/index/GSI2", "PaymentsTable/index/GSI3"],
    ),
    ("StatementRole", "ReadHeadsAndPlaces"): (
        ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Scan"],
        ["LedgerTable"],
    ),
    ("StatementRole", "ReadDeliveries"): (["dynamodb:BatchGetItem"], ["DeliveriesTable"]),
    ("StatementRole", "ReadOpsRecord"): (["dynamodb:Scan"], ["OpsRecordTable"]),
    ("StatementRole", "KeepSealedStatements"): (
        ["s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectRetention"],
        ["EvidenceBucket/statements/*"],
    ),
    ("StatementRole", "KeepStatementsOfTodaySoFar"): (
        ["s3:PutObject"],
        ["EvidenceBucket/so_far/*"],
    ),
    ("StatementRole", "FindSealedDays"): (["s3:ListBucketVersions"], ["EvidenceBucket"]),
    ("StatementRole", "SendToAuditQueue"): (["sqs:SendMessage"], ["AuditQueue"]),
    ("WatchRole", "WriteOwnLogs"): (LOGS, ["WatchLogGroup"]),
    ("WatchRole", "ReadEntriesByDay"): (["dynamodb:Query"], ["PaymentsTable/index/GSI3"]),
    ("WatchRole", "ReadEntriesWithFindings"): (
        ["dynamodb:GetItem"],
        ["LedgerTable", "PaymentsTable"],
    ),
    ("WatchRole", "NoteWhatIsSeen"): (
        ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"],
        ["DeliveriesTable"],
    ),
    ("WatchRole", "SeeWhatOperatorsDid"): (
        ["dynamodb:GetItem", "dynamodb:Scan"],
        ["OpsRecordTable"],
    ),
    ("WatchRole", "FindStatements"): (["s3:ListBucketVersions"], ["EvidenceBucket"]),
    ("WatchRole", "ReadStatements"): (["s3:GetObjectVersion"], ["EvidenceBucket/statements/*"]),
    ("WatchRole", "ReadGmailCredentials"): (["secretsmanager:GetSecretValue"], ["GmailSecret"]),
    ("WatchScheduleRole", ""): (["lambda:InvokeFunction"], ["WatchFunction"]),
    ("StatementScheduleRole", ""): (["lambda:InvokeFunction"], ["StatementFunction"]),
    ("OpsReadPolicy", "FindTheStack"): (
        ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
        [
            "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}/*"
        ],
    ),
    ("OpsReadPolicy", "CountMessages"): (
        ["sqs:GetQueueAttributes"],
        ["AuditQueue", "DeadLetterQueue"],
    ),
    ("OpsReadPolicy", "PeekAtDeadLetters"): (
        ["sqs:ChangeMessageVisibility*", "sqs:ReceiveMessage"],
        ["DeadLetterQueue"],
    ),
    ("OpsReadPolicy", "ReadEntriesByEventAndDay"): (
        ["dynamodb:Query"],
        ["PaymentsTable/index/GSI2", "PaymentsTable/index/GSI3"],
    ),
    ("OpsReadPolicy", "ReadHeadsAndPlaces"): (
        ["dynamodb:GetItem", "dynamodb:Scan"],
        ["LedgerTable"],
    ),
    ("OpsReadPolicy", "ReadEntriesAndDeliveries"): (
        ["dynamodb:BatchGetItem", "dynamodb:GetItem"],
        ["PaymentsTable", "DeliveriesTable"],
    ),
    ("OpsReadPolicy", "FindRowsThatNoHeadLeadsTo"): (["dynamodb:Scan"], ["PaymentsTable"]),
    ("OpsReadPolicy", "SeeWhichStreamIsTheLatest"): (
        ["dynamodb:DescribeTable"],
        ["PaymentsTable"],
    ),
    ("OpsReadPolicy", "SeeWhetherTheEventsTableHasWhatTheApiNeeds"): (
        ["dynamodb:DescribeTable"],
        ["EventsTable"],
    ),
    ("OpsReadPolicy", "CountTamperedRows"): (["s3:ListBucket"], ["FailuresBucket"]),
    ("OpsReadPolicy", "ReadOpsRecord"): (
        ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        ["OpsRecordTable"],
    ),
    ("OpsReadPolicy", "FindStatements"): (["s3:ListBucketVersions"], ["EvidenceBucket"]),
    ("OpsReadPolicy", "ReadStatements"): (["s3:GetObjectVersion"], ["EvidenceBucket/statements/*"]),
    ("OpsReadPolicy", "ReadThePublicKey"): (["kms:GetPublicKey"], ["SigningKey"]),
    ("OpsReadPolicy", "ReadAlarmReceivers"): (["sns:ListSubscriptionsByTopic"], ["AlarmTopic"]),
    ("OpsReadPolicy", "CountAdmins"): (["cognito-idp:ListUsersInGroup"], ["UserPool"]),
    ("OpsReadPolicy", "ReadAgesAlarmsAndWiring"): (
        [
            "cloudwatch:DescribeAlarms",
            "cloudwatch:GetMetricData",
            "lambda:ListEventSourceMappings",
            "scheduler:ListSchedules",
        ],
        ["*"],
    ),
    ("OpsMailboxPolicy", "ShareGmailsQuota"): (["dynamodb:UpdateItem"], ["DeliveriesTable"]),
    ("OpsMailboxPolicy", "ReadMailerSettings"): (
        ["lambda:GetFunctionConfiguration"],
        ["MailerFunction"],
    ),
    ("OpsMailboxPolicy", "ReadGmailCredentials"): (
        ["secretsmanager:GetSecretValue"],
        ["GmailSecret"],
    ),
    ("OpsReplayPolicy", "SendToAuditQueue"): (["sqs:SendMessage"], ["AuditQueue"]),
    ("OpsReplayPolicy", "TakeOffDeadLetters"): (["sqs:DeleteMessage"], ["DeadLetterQueue"]),
    ("OpsReplayPolicy", "AppendToOpsRecord"): (["dynamodb:PutItem"], ["OpsRecordTable"]),
    ("OpsDiscardPolicy", "ArchiveWhatIsDiscarded"): (
        ["s3:PutObject"],
        ["FailuresBucket/discarded/*"],
    ),
}
# Every wildcard, and why it is there.
WILDCARDS = {
    ("RouterRole", "ReadStream", "PaymentsTable/stream/*"): "a new stream has a new label",
    ("RouterRole", "SendToAuditQueue", "sqs:SendMessage*"): "the emulator checks batches by name",
    ("RouterRole", "KeepWhatMakesNoMail", "FailuresBucket/*"): "Lambda chooses the keys",
    ("MailerRole", "ReadStatements", "EvidenceBucket/*"): "a key a day, and one a statement so far",
    ("ApiRole", "ReadStatements", "EvidenceBucket/statements/*"): "a key a day",
    ("WatchRole", "ReadStatements", "EvidenceBucket/statements/*"): "a key a day",
    ("StatementRole", "KeepSealedStatements", "EvidenceBucket/statements/*"): "a key a day",
    ("StatementRole", "KeepStatementsOfTodaySoFar", "EvidenceBucket/so_far/*"): "a key each",
    ("SweepRole", "SendToAuditQueue", "sqs:SendMessage*"): "the emulator checks batches by name",
    ("SweepRole", "LookAtWhatRests", "sqs:ChangeMessageVisibility*"): "as for SendMessage",
    ("OpsReadPolicy", "FindTheStack", "stack/${AWS::StackName}/*"): "a stack's ARN ends in an id",
    ("OpsReadPolicy", "ReadStatements", "EvidenceBucket/statements/*"): "a key a day",
    ("OpsReadPolicy", "PeekAtDeadLetters", "sqs:ChangeMessageVisibility*"): "as for SendMessage",
    (
        "OpsReadPolicy",
        "ReadAgesAlarmsAndWiring",
        "*",
    ): "DescribeAlarms shows all alarms only to *; the others take no resource",
    ("OpsDiscardPolicy", "ArchiveWhatIsDiscarded", "FailuresBucket/discarded/*"): "a key a message",
}
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
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert trust["Action"] == "sts:AssumeRole"
