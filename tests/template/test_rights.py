"""What no role may do, whatever else it may; test_policies.py lists all that they may."""

from __future__ import annotations

from tests.template.transformed import FUNCTION_ROLES, Template, strings

TO_ALL = ("ApiCanaryRole", "LookAtTheBrakes")  # DescribeAlarms shows alarms whole only to *


def test_no_statement_covers_every_resource_or_a_whole_service(prod: Template) -> None:
    for role in prod.of_type("AWS::IAM::Role"):
        for statement in prod.statements(role):
            assert statement["Resource"] not in ("*", ["*"]) or (role, statement["Sid"]) == TO_ALL
            assert not [text for text in strings(statement["Action"]) if text.endswith(":*")]


def test_nobody_may_change_delete_or_scan_a_ledger_row(prod: Template) -> None:
    allowed = {
        "ApiRole": {"GetItem", "PutItem", "Query"},
        "RouterRole": {"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"},
        "SweepRole": {"DescribeTable", "Query"},
        "MailerRole": {"GetItem"},
        "StatementRole": {"GetItem", "Query"},
        "WatchRole": {"GetItem", "Query"},
        "ApiCanaryRole": set(),
        "SweepScheduleRole": set(),
        "WatchScheduleRole": set(),
        "StatementScheduleRole": set(),
    }
    assert prod.of_type("AWS::IAM::Role").keys() == allowed.keys()
    for role, names in allowed.items():
        assert prod.actions(role, "PaymentsTable") == {f"dynamodb:{name}" for name in names}


def test_the_api_updates_only_the_ledgers_heads_and_the_rosters_signatures(
    prod: Template,
) -> None:
    updated = {
        each["Sid"]: each["Resource"]["Fn::GetAtt"][0]
        for each in prod.statements("ApiRole")
        if "dynamodb:UpdateItem" in strings(each["Action"])
    }
    assert updated == {
        "AdvanceHeads": "LedgerTable",
        "NoteNumbers": "LedgerTable",
        "SignWaivers": "EventsTable",
    }
    assert not prod.actions("ApiRole", "EventsTable") & {
        "dynamodb:PutItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
    }


def test_the_api_can_neither_queue_nor_mail(prod: Template) -> None:
    assert not [text for text in strings(prod.statements("ApiRole")) if text.startswith("sqs:")]
    secrets = [each for each in prod.statements("ApiRole") if "secret" in each["Action"][:7]]
    assert [each["Resource"] for each in secrets] == [{"Fn::GetAtt": ["CursorKeySecret", "Id"]}]


def test_the_sweep_may_look_at_dead_letters_but_not_delete_them(prod: Template) -> None:
    assert prod.actions("SweepRole", "DeadLetterQueue") == {
        "sqs:ChangeMessageVisibility*",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    }
    assert prod.actions("SweepRole", "AuditQueue") == {
        "sqs:GetQueueAttributes",
        "sqs:SendMessage*",
    }


def test_the_statement_reads_the_ledger_and_no_queue_and_knows_no_gmail(prod: Template) -> None:
    assert prod.actions("StatementRole", "DeliveriesTable") == {"dynamodb:BatchGetItem"}
    assert prod.actions("StatementRole", "AuditQueue") == {"sqs:SendMessage"}
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
        for role in FUNCTION_ROLES.values()
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
        for role in FUNCTION_ROLES.values()
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
        "${AppName}-mailbox-watch": "cron(50 * * * ? *)",
    }
    for schedule in schedules.values():
        target = schedule["Target"]
        (statement,) = prod.statements(target["RoleArn"]["Fn::GetAtt"][0])
        assert statement["Action"] == "lambda:InvokeFunction"
        assert statement["Resource"] == target["Arn"]


def test_only_the_mailer_and_the_watch_write_deliveries(prod: Template) -> None:
    writers = {
        role
        for role in FUNCTION_ROLES.values()
        if prod.actions(role, "DeliveriesTable") & {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    }
    assert writers == {"MailerRole", "WatchRole"}
