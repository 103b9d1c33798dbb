"""Both ways to deploy: with a table and buckets of the stack's own, or with the platform's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.template.transformed import Template, raw_template, strings, template_for

EVENTS = {"EventsTableName": "platform-Events"}
NAMED = {
    "WebBucketName": "shipcaptaincrew-dispatch-prod",
    "StagingWebBucketName": "shipcaptaincrew-dispatch-staging",
}
EXISTING = NAMED | {"ExistingWebBuckets": "yes"}
THEIR_TABLE = (
    "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${EventsTableName}"
)
OWN_TABLE: Any = {"Fn::GetAtt": ["EventsTable", "Arn"]}
BUCKETS = {"WebBucket", "StagingWebBucket", "WebBucketPolicy", "StagingWebBucketPolicy"}


def api_reads(template: Template) -> dict[str, list[Any]]:
    """The resources of the API's statements about events, by Sid."""
    return {
        each["Sid"]: each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]
        for each in template.statements("ApiRole")
        if each["Sid"] in {"ReadEvents", "SignWaivers"}
    }


def origins(template: Template) -> dict[str, Any]:
    config = template["Distribution"]["DistributionConfig"]
    return {each["Id"]: each["DomainName"] for each in config["Origins"]}


@pytest.mark.parametrize("stage", ["local", "staging", "prod"])
def test_a_platforms_table_is_used_and_not_made(stage: str) -> None:
    template = template_for(stage, **EVENTS)
    assert "EventsTable" not in template.resources
    assert "EventsTable.Arn" not in "".join(strings(template.resources))
    variables = template["ApiFunction"]["Environment"]["Variables"]
    assert variables["EVENTS_TABLE"] == "platform-Events"
    assert template.outputs["EventsTableName"]["Value"] == "platform-Events"
    assert template.outputs["EventsTableOwner"]["Value"] == "platform"


def test_without_a_name_the_stack_makes_the_table(prod: Template) -> None:
    assert "EventsTable" in prod.resources
    variables = prod["ApiFunction"]["Environment"]["Variables"]
    assert variables["EVENTS_TABLE"] == {"Ref": "EventsTable"}
    assert prod.outputs["EventsTableName"]["Value"] == {"Ref": "EventsTable"}
    assert prod.outputs["EventsTableOwner"]["Value"] == "stack"


def test_the_api_may_do_the_same_with_either_table_and_nothing_with_another(
    prod: Template,
) -> None:
    own: dict[str, list[Any]] = {
        "ReadEvents": [OWN_TABLE, {"Fn::Sub": "${EventsTable.Arn}/index/ByDate"}],
        "SignWaivers": [OWN_TABLE],
    }
    assert api_reads(prod) == own
    theirs: dict[str, list[Any]] = {
        "ReadEvents": [{"Fn::Sub": THEIR_TABLE}, {"Fn::Sub": f"{THEIR_TABLE}/index/ByDate"}],
        "SignWaivers": [{"Fn::Sub": THEIR_TABLE}],
    }
    assert api_reads(template_for("prod", **EVENTS)) == theirs


def test_doctor_may_look_at_either_table(prod: Template) -> None:
    for template, table in ((prod, OWN_TABLE), (template_for("prod", **EVENTS), None)):
        (look,) = (
            each["Resource"]
            for each in template.statements("OpsReadPolicy")
            if each["Sid"] == "SeeWhetherTheEventsTableHasWhatTheApiNeeds"
        )
        assert look == (table or {"Fn::Sub": THEIR_TABLE})


def test_without_names_aws_chooses_those_of_the_buckets(prod: Template) -> None:
    assert prod.resources.keys() >= BUCKETS
    for name in ("WebBucket", "StagingWebBucket"):
        assert "BucketName" not in prod[name]
        assert prod.outputs[f"{name}Name"]["Value"] == {"Ref": name}
    assert prod.outputs["WebBucketsOwner"]["Value"] == "stack"


def test_named_buckets_are_made_under_their_names_with_all_that_protects_them(
    prod: Template,
) -> None:
    named = template_for("prod", **NAMED)
    for name in ("WebBucket", "StagingWebBucket"):
        assert named[name] == prod[name] | {"BucketName": NAMED[f"{name}Name"]}
        assert named[f"{name}Policy"] == prod[f"{name}Policy"]
    assert origins(named) == origins(prod)


def test_existing_buckets_are_served_and_neither_they_nor_their_policies_are_touched() -> None:
    template = template_for("prod", **EXISTING)
    assert not BUCKETS & template.resources.keys()
    assert not [text for text in strings(template.resources) if "WebBucket.Arn" in text]
    domain = "${%s}.s3.${AWS::Region}.${AWS::URLSuffix}"
    found = origins(template)
    assert found["web"] == {"Fn::Sub": domain % "WebBucketName"}
    assert found["staging"] == {"Fn::Sub": domain % "StagingWebBucketName"}
    for name, value in NAMED.items():
        assert template.outputs[name]["Value"] == value
    assert template.outputs["WebBucketsOwner"]["Value"] == "platform"


def test_doctor_may_read_the_policies_of_existing_buckets_and_of_no_others(prod: Template) -> None:
    def look(template: Template) -> list[Any]:
        return [
            each
            for each in template.statements("OpsReadPolicy")
            if each["Sid"] == "SeeWhetherTheWebBucketsLetCloudFrontRead"
        ]

    assert look(prod) == look(template_for("prod", **NAMED)) == []
    (statement,) = look(template_for("prod", **EXISTING))
    assert statement["Action"] == "s3:GetBucketPolicy"
    assert statement["Resource"] == [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::${{{name}}}"} for name in NAMED
    ]


def test_existing_buckets_need_two_different_names() -> None:
    rules = raw_template()["Rules"]
    named = rules["ExistingWebBucketsHaveNames"]
    assert named["RuleCondition"] == {"Fn::Equals": [{"Ref": "ExistingWebBuckets"}, "yes"]}
    assert [each["Assert"] for each in named["Assertions"]] == [
        {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]} for name in NAMED
    ]
    (different,) = rules["TheWebBucketsAreTwo"]["Assertions"]
    both = [{"Ref": name} for name in NAMED]
    assert different["Assert"] == {"Fn::Not": [{"Fn::Equals": both}]}
