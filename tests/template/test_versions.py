"""What serves is a version behind the alias `live`; only the API's is changed little by little."""

from __future__ import annotations

from typing import Any

import pytest

from ops.samconfig import settings_of
from release.deployment.releases import release_of
from tests.template.transformed import AS_DEPLOYED, FUNCTION_ROLES, Template, strings, template_for

CANARY_MINUTES = 10
NAME = "4f0c9a1b22-d1116a55d3ac"


def live(function: str) -> dict[str, str]:
    return {"Ref": f"{function}Aliaslive"}


def versions(template: Template) -> dict[str, str]:
    """The stack's names of the published versions, by function."""
    return {
        each["FunctionName"]["Ref"]: name
        for name, each in template.of_type("AWS::Lambda::Version").items()
    }


@pytest.mark.parametrize("stage", ["local", "staging", "prod"])
def test_every_function_serves_by_its_alias(stage: str) -> None:
    template = template_for(stage)
    published, aliases = versions(template), template.of_type("AWS::Lambda::Alias")
    assert published.keys() == FUNCTION_ROLES.keys()
    for function, version in published.items():
        alias = aliases[f"{function}Aliaslive"]
        assert alias["Name"] == "live"
        assert alias["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}


@pytest.mark.parametrize("stage", ["local", "staging", "prod"])
def test_whatever_calls_a_function_calls_its_alias(stage: str) -> None:
    """The newest code is nobody's: a function's own name would call it."""
    template = template_for(stage)
    mappings = template.of_type("AWS::Lambda::EventSourceMapping").values()
    assert [each["FunctionName"] for each in mappings] == [
        live("RouterFunction"),
        live("MailerFunction"),
    ]
    assert template["ApiFunctionUrl"]["TargetFunctionArn"] == live("ApiFunction")
    for each in template.of_type("AWS::Lambda::Permission").values():
        if "SourceArn" in each:  # SAM adds others to the emulator's public URL
            assert each["FunctionName"] == live("ApiFunction")
    scheduled = [
        each["Target"]["Arn"] for each in template.of_type("AWS::Scheduler::Schedule").values()
    ]
    names = ("SweepFunction", "WatchFunction", "StatementFunction")
    assert scheduled == [live(name) for name in names]


def test_nobody_may_invoke_the_newest_code(prod: Template) -> None:
    """IAM holds a call of an alias against the alias's own ARN.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    for role in prod.of_type("AWS::IAM::Role"):
        if "Policies" in prod[role]:
            for each in prod.statements(role):
                if "lambda:InvokeFunction" in strings(each["Action"]):
                    assert each["Resource"]["Ref"].endswith("FunctionAliaslive")


def test_an_old_version_stays_to_go_back_to(prod: Template) -> None:
    for version in versions(prod).values():
        assert prod.resources[version]["DeletionPolicy"] == "Retain"


def test_a_new_release_publishes_a_version_of_each_function_and_the_same_one_none() -> None:
    """A parameter alone changes no version's name, or its new value would never serve."""
    code = "d1116a55d3acaa"
    first, same, other = (
        versions(template_for("prod", Release=release_of(code, {"RetryCapSeconds": seconds})))
        for seconds in ("900", "900", "901")
    )
    assert first == same
    assert not set(first.values()) & set(other.values())


def test_a_version_of_a_release_differs_from_the_one_before(prod: Template) -> None:
    """CloudFormation fails where Lambda has nothing new to publish, so the release is a setting.

    https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
    """
    for function in prod.of_type("AWS::Lambda::Function").values():
        assert "RELEASE" in function["Environment"]["Variables"]
    for version in versions(prod).values():
        assert "Description" in prod[version], "the release, to go back to"


def test_the_api_alone_changes_little_by_little_and_its_own_alarms_brake_it(
    prod: Template,
) -> None:
    (group,) = prod.of_type("AWS::CodeDeploy::DeploymentGroup").values()
    name = group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"]
    assert name == f"Canary10Percent{CANARY_MINUTES}Minutes"
    rolled_back_for = {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert set(group["AutoRollbackConfiguration"]["Events"]) >= rolled_back_for
    brakes = [each["Name"]["Ref"] for each in group["AlarmConfiguration"]["Alarms"]]
    assert {prod[each]["MetricName"] for each in brakes} == {"Url5xxCount", "Throttles"}
    for each in brakes:
        alarm = prod[each]
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "ApiFunction"}}]
        assert alarm["Threshold"] == 0
        assert alarm["Period"] * alarm["EvaluationPeriods"] < CANARY_MINUTES * 60
    policies = {
        name: resource["UpdatePolicy"]
        for name, resource in prod.resources.items()
        if "UpdatePolicy" in resource
    }
    assert policies.keys() == {"ApiFunctionAliaslive"}
    update = policies["ApiFunctionAliaslive"]["CodeDeployLambdaAliasUpdate"]
    assert update["DeploymentGroupName"] == {"Ref": "ApiFunctionDeploymentGroup"}


def test_the_emulator_has_no_codedeploy_and_needs_none(local: Template) -> None:
    assert not [each for each in local.resources.values() if "CodeDeploy" in each["Type"]]
    assert not [each for each in local.resources.values() if "UpdatePolicy" in each]


@pytest.mark.parametrize(
    ("stage", "applies"),
    [("local", "None"), ("staging", "PublishedVersions"), ("prod", "PublishedVersions")],
)
def test_the_api_alone_starts_from_a_snapshot_and_only_in_aws(stage: str, applies: str) -> None:
    functions = template_for(stage).of_type("AWS::Lambda::Function")
    started = {
        name: each["SnapStart"]["ApplyOn"]
        for name, each in functions.items()
        if "SnapStart" in each
    }
    assert started == {"ApiFunction": applies}


def test_whoever_deploys_by_hand_gives_no_name_and_still_publishes_new_code() -> None:
    """A name that CloudFormation remembered would hide new code from the alias."""
    for stage in ("staging", "prod"):
        assert settings_of(stage).parameters["Release"] == ""
    unnamed, named = versions(template_for("prod")), versions(template_for("prod", Release=NAME))
    assert unnamed["ApiFunction"] != "ApiFunctionVersion", "a digest of the code"
    assert named["ApiFunction"] == f"ApiFunctionVersion{NAME[:10]}"


@pytest.mark.parametrize("stage", ["local", "staging", "prod"])
def test_samconfig_chooses_what_the_tests_take_for_deployed(stage: str) -> None:
    chosen: dict[str, Any] = dict(settings_of(stage).parameters)
    expected = {} if stage == "local" else AS_DEPLOYED
    assert {name: value for name, value in chosen.items() if name in AS_DEPLOYED} == expected
