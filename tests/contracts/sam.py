"""What AWS's own tools say; they live in the SAM environment, with a Python of its own."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.template.transformed import ROOT, SAM_PYTHON

_LINT = """
import json, sys
from release.transform import lint
lint(json.load(sys.stdin), "--format", "json")
"""
_HANDLERS = """
import json, sys
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas
from release.transform import REGION
kinds = json.load(sys.stdin)
found = {each: schemas.get_resource_schema(REGION, each).schema["handlers"] for each in kinds}
json.dump(found, sys.stdout)
"""
_YAML = """
import json, sys
from samcli.yamlhelper import yaml_parse
json.dump(yaml_parse(json.load(sys.stdin)), sys.stdout)
"""
_SAMPLE = """
import json, sys
from samcli.lib.generated_sample_events.events import Events
service, event, values = json.load(sys.stdin)
sys.stdout.write(Events().generate_event(service, event, values))
"""
_PAYLOADS = """
import json, sys
from flask import Flask, request
from samcli.local.apigw.event_constructor import construct_v2_event_http
payloads = []
for each in json.load(sys.stdin):
    binary = ["*/*"] if each.pop("is_binary") else []
    caller = {"REMOTE_ADDR": "192.0.2.1"}
    with Flask("api").test_request_context(**each, environ_base=caller):
        payloads.append(construct_v2_event_http(request, 443, binary, "$default", None, "$default"))
json.dump(payloads, sys.stdout)
"""


def lint(template: dict[str, Any]) -> dict[str, str]:
    """What `make check` finds in a transformed template: the rule's id by the place in it.

    cfn-lint validates resources against CloudFormation's own schemas, and policies against the
    grammar of IAM.
    """
    found = _asked(_LINT, template)
    return {"/".join(map(str, e["Location"]["Path"])): e["Rule"]["Id"] for e in found}


def permissions(resource_type: str) -> set[str]:
    """The actions that CloudFormation calls to keep a resource, by its published schema."""
    return permissions_of([resource_type])[resource_type]


def permissions_of(resource_types: list[str]) -> dict[str, set[str]]:
    """By type; without those that only find resources nobody named."""
    return {
        kind: {
            action
            for name, handler in handlers.items()
            if name != "list"
            for action in handler["permissions"]
        }
        for kind, handlers in _asked(_HANDLERS, resource_types).items()
    }


def parsed(text: str) -> dict[str, Any]:
    """A template's YAML with its short forms, such as !Sub, written out."""
    result: dict[str, Any] = _asked(_YAML, text)
    return result


def sample(service: str, event: str, **values: str) -> dict[str, Any]:
    """The event that `sam local generate-event SERVICE EVENT` prints."""
    result: dict[str, Any] = _asked(_SAMPLE, [service, event, values])
    return result


def payloads(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests in payload format 2.0, as SAM CLI writes them when it serves an HTTP API.

    requests: arguments of Werkzeug's EnvironBuilder, such as path, method, headers and data, and
    is_binary for a body that is sent as base64.
    """
    result: list[dict[str, Any]] = _asked(_PAYLOADS, [{"is_binary": False} | r for r in requests])
    return result


def _asked(program: str, given: Any) -> Any:
    command = [str(SAM_PYTHON), "-c", program]
    answer = subprocess.run(
        command, input=json.dumps(given), check=True, capture_output=True, text=True, cwd=ROOT
    )
    return json.loads(answer.stdout)
