"""Tables, buckets and the user pool."""

from __future__ import annotations

from typing import Any

from functions.api.people.identity import GRANTS
from tests.template.transformed import Template, strings, template_for


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


KEPT = ("PaymentsTable", "LedgerTable", "DeliveriesTable", "EventsTable", "OpsRecordTable")


def test_only_production_keeps_its_data_and_not_what_a_failed_creation_left(
    prod: Template,
) -> None:
    """Retain would also keep what a first deployment made before it failed, under its fixed name.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    for name in KEPT:
        recovery = prod[name]["PointInTimeRecoverySpecification"]
        assert recovery["PointInTimeRecoveryEnabled"] is True
    for template, policy in ((prod, "RetainExceptOnCreate"), (template_for("staging"), "Delete")):
        policies = {
            name: resource["DeletionPolicy"]
            for name, resource in template.resources.items()
            if "DeletionPolicy" in resource and resource["Type"] != "AWS::Lambda::Version"
        }
        assert policies.keys() >= {*KEPT, "AuditQueue", "EvidenceBucket", "SigningKey", "UserPool"}
        for_all = {"SessionsTable", "CursorKeySecret", "StagingWebBucket"}  # losing them is no loss
        assert {name for name, each in policies.items() if each != policy} <= for_all


def test_nothing_is_protected_from_deletion_until_a_stack_stands() -> None:
    """`make deploy STAGE=prod` asks for it once the first deployment has succeeded."""
    for chosen, is_protected in (({}, False), ({"DeletionProtection": "true"}, True)):
        template = template_for("prod", **chosen)
        for name in KEPT:
            assert template[name]["DeletionProtectionEnabled"] is is_protected
        wanted = "ACTIVE" if is_protected else "INACTIVE"
        assert template["UserPool"]["DeletionProtection"] == wanted


def test_every_table_is_on_demand_and_encrypted(prod: Template) -> None:
    for table in prod.of_type("AWS::DynamoDB::Table").values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}


def test_sign_in_reveals_nothing_and_is_by_invitation(prod: Template) -> None:
    client = prod["UserPoolClient"]
    flows = {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}  # Cognito demands the second
    assert set(client["ExplicitAuthFlows"]) == flows
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["GenerateSecret"] is False
    assert prod["UserPool"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    groups = {each["GroupName"] for each in prod.of_type("AWS::Cognito::UserPoolGroup").values()}
    assert groups == set(GRANTS)


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
