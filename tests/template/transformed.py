"""template.yaml as CloudFormation sees it for one stage: transformed, with conditions decided."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAM_PYTHON = Path(os.environ.get("SCC_SAM_PYTHON") or ROOT / ".tools" / "sam" / "bin" / "python")
NO_VALUE = {"Ref": "AWS::NoValue"}
FUNCTION_ROLES = {
    "ApiFunction": "ApiRole",
    "RouterFunction": "RouterRole",
    "SweepFunction": "SweepRole",
    "MailerFunction": "MailerRole",
    "StatementFunction": "StatementRole",
    "WatchFunction": "WatchRole",
}
AS_DEPLOYED = {"ApiCanary": "true", "ApiSnapStart": "PublishedVersions"}  # by samconfig.toml
SEEN_BY_SAM = ("ApiCanary", "Release")  # what these say shows in the resources that SAM makes


@dataclass(frozen=True, slots=True)
class Template:
    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        return {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def __getitem__(self, name: str) -> Any:
        return self.resources[name]["Properties"]

    def statements(self, role: str) -> list[dict[str, Any]]:
        """The statements of a role or a managed policy."""
        policies = self[role].get("Policies") or [self[role]]
        return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]

    def actions(self, role: str, resource: str) -> set[str]:
        """What the role may do to a resource, given its logical id."""
        return {
            action
            for statement in self.statements(role)
            if any(resource in text for text in strings(statement["Resource"]))
            for action in strings(statement["Action"])
        }


def template_for(stage: str, **parameters: str) -> Template:
    """The template for `local`, `staging` or `prod`, as samconfig.toml deploys it."""
    stages = {"staging": AS_DEPLOYED, "prod": AS_DEPLOYED}
    chosen = {"Stage": stage, "GmailCredentialsSecretId": "gmail"} | stages.get(stage, {})
    if stage == "local":
        chosen |= {"Architecture": "x86_64", "ApiUrlAuthType": "NONE"}
    chosen |= parameters
    raw = _transformed(**{name: chosen[name] for name in SEEN_BY_SAM if name in chosen})
    defaults = {name: each.get("Default", "") for name, each in raw["Parameters"].items()}
    decide = _Decider(raw["Conditions"], raw["Mappings"], defaults | chosen)
    resources = {
        name: decide.value(resource)
        for name, resource in raw["Resources"].items()
        if decide.condition(resource.get("Condition"))
    }
    return Template(resources, decide.value(raw["Outputs"]))


def raw_template() -> dict[str, Any]:
    """As it is deployed to AWS: transformed, with conditions and parameters left in place."""
    return _transformed(ApiCanary=AS_DEPLOYED["ApiCanary"])


@cache
def _transformed(**parameters: str) -> dict[str, Any]:
    command = [str(SAM_PYTHON), str(ROOT / "release" / "transform.py")]
    command += [f"{name}={value}" for name, value in sorted(parameters.items())]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(printed)
    return result


@dataclass(frozen=True, slots=True)
class _Decider:
    conditions: dict[str, Any]
    mappings: dict[str, Any]
    parameters: dict[str, Any]

    def condition(self, name: str | None) -> bool:
        return name is None or bool(self.value(self.conditions[name]))

    def value(self, node: Any) -> Any:
        """Decide Fn::If and the conditions behind it; leave references to resources as they are."""
        match node:
            case {"Ref": str(name)} if name in self.parameters:
                result = self.parameters[name]
            case {"Fn::If": [name, yes, no]}:
                result = self.value(yes if self.condition(name) else no)
            case {"Fn::Equals": [left, right]}:
                result = self.value(left) == self.value(right)
            case {"Fn::Not": [inner]}:
                result = not self.value(inner)
            case {"Fn::FindInMap": [name, first, second]}:
                result = self.mappings[name][first][second]
            case dict():
                decided = {key: self.value(each) for key, each in node.items()}
                result = {key: each for key, each in decided.items() if each != NO_VALUE}
            case list():
                result = [each for each in map(self.value, node) if each != NO_VALUE]
            case _:
                result = node
        return result


def strings(node: Any) -> Iterator[str]:
    """Every string inside."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from strings(each)
