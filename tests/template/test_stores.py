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
