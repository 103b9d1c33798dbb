"""What each role and each policy for people may do, by statement: its actions and its resources."""

from __future__ import annotations

from tests.template.transformed import FUNCTION_ROLES

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
    ("ApiRole", "ReadLedger"): (["dynamodb:BatchGetItem", "dynamodb:GetItem"], ["LedgerTable"]),
    ("ApiRole", "AppendPointersAndVoids"): (["dynamodb:PutItem"], ["LedgerTable"]),
    ("ApiRole", "AdvanceHeads"): (["dynamodb:UpdateItem"], ["LedgerTable"]),
    ("ApiRole", "NoteNumbers"): (["dynamodb:UpdateItem"], ["LedgerTable"]),
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
    ("ApiCanaryRole", "MoveTheAlias"): (
        ["lambda:GetAlias", "lambda:UpdateAlias"],
        ["ApiFunction"],
    ),
    ("ApiCanaryRole", "SeeThatNothingIsProvisioned"): (
        ["lambda:GetProvisionedConcurrencyConfig"],
        ["ApiFunction:live"],
    ),
    ("ApiCanaryRole", "LookAtTheBrakes"): (["cloudwatch:DescribeAlarms"], ["*"]),
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
    ("SweepScheduleRole", ""): (["lambda:InvokeFunction"], ["SweepFunctionAliaslive"]),
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
        ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectRetention"],
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
    ("WatchScheduleRole", ""): (["lambda:InvokeFunction"], ["WatchFunctionAliaslive"]),
    ("StatementScheduleRole", ""): (["lambda:InvokeFunction"], ["StatementFunctionAliaslive"]),
    ("OpsReadPolicy", "SeeWhichVersionServes"): (["lambda:GetAlias"], sorted(FUNCTION_ROLES)),
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
        ["MailerFunctionAliaslive"],
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
    ("ApiCanaryRole", "LookAtTheBrakes", "*"): "DescribeAlarms shows alarms whole only to *",
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
