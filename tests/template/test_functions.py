"""What each Lambda function is, and what wakes it."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

from tests.template.transformed import FUNCTION_ROLES, Template

ROOT = Path(__file__).parents[2]


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
    for name in FUNCTION_ROLES:
        assert prod.resources[name]["Metadata"]["BuildMethod"] == "makefile"


def test_every_function_has_a_role_of_its_own_and_a_log_group_with_retention(
    prod: Template,
) -> None:
    functions = prod.of_type("AWS::Lambda::Function")
    assert functions.keys() == FUNCTION_ROLES.keys()
    for name, function in functions.items():
        assert function["Role"] == {"Fn::GetAtt": [FUNCTION_ROLES[name], "Arn"]}
        log_group = prod[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert int(log_group["RetentionInDays"]) > 0


def test_no_environment_carries_the_gmail_key_when_a_secret_is_named(prod: Template) -> None:
    for function in prod.of_type("AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"]
        assert "GMAIL_SERVICE_ACCOUNT_KEY" not in variables
        assert "POWERTOOLS_DEV" not in variables
        assert len(json.dumps(variables)) < 4096, "AWS's limit for all variables together"
