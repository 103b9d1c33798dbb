"""The document for people, as Markdown: docs/api.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = """\
# The API

Written by `make docs` from the OpenAPI document, which the API serves at `/api/openapi.json`.
Do not edit.
"""


def page(document: Mapping[str, Any]) -> str:
    """Every call with its parameters, body, example and answers, then every model."""
    operations = [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    lines = [_HEAD, document["info"]["description"], "", "| call | what | who |", "|-|-|-|"]
    for path, method, operation in operations:
        link = f"[`{method.upper()} {path}`](#{anchor(operation['summary'])})"
        lines.append(f"| {link} | {operation['summary']} | {_who(operation)} |")
    for tag in document["tags"]:
        lines += ["", f"## {tag['name']}"]
        for path, method, operation in operations:
            if operation["tags"] == [tag["name"]]:
                lines += _call(path, method, operation)
    lines += ["", "## Models"]
    for name, schema in document["components"]["schemas"].items():
        lines += _model(name, schema)
    return "\n".join(lines) + "\n"


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _call(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### {operation['summary']}", "")
    yield from (f"`{method.upper()} {path}` · {_who(operation)}", "")
    about = operation["description"].rpartition("Who: ")[0].strip()
    if about:
        yield about
    if "parameters" in operation:
        yield from ("", "| parameter | in | type | what |", "|-|-|-|-|")
        for each in operation["parameters"]:
            required = " *required*" if each["required"] else ""
            kind = _kind(each["schema"])
            yield f"| `{each['name']}`{required} | {each['in']} | {kind} | {each['description']} |"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        yield from ("", f"Body: {_kind(content['schema'])}, such as", "", "```json")
        for example in content["examples"].values():
            yield json.dumps(example["value"], ensure_ascii=False)
        yield "```"
    yield from ("", "| status | answer |", "|-|-|")
    for status, response in operation["responses"].items():
        yield f"| {status} | {_answer(response)} |"


def _answer(response: Mapping[str, Any]) -> str:
    parts = [response["description"]]
    for kind, content in response.get("content", {}).items():
        if kind == "application/json":
            parts.append(_kind(content["schema"]))
        elif kind != "application/problem+json":
            parts.append(f"`{kind}`")
    parts += [f"header `{name}`" for name in response.get("headers", {})]
    return "; ".join(parts)


def _model(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### {name}", "")
    if "description" in schema:
        yield from (" ".join(schema["description"].split()), "")
    yield from ("| field | type | what |", "|-|-|-|")
    required = schema.get("required", ())
    for field, each in schema["properties"].items():
        mark = " *required*" if field in required else ""
        yield f"| `{field}`{mark} | {_kind(each)} | {each.get('description', '')} |"


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": options}:
            return " or ".join(map(_kind, options))
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
    words = [schema.get("format") or schema["type"]]
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    if "maxLength" in schema:
        words.append(f"up to {schema['maxLength']} characters")
    if "default" in schema and schema["default"] not in ("", None):
        words.append(f"default {schema['default']}")
    return ", ".join(words)


def _who(operation: Mapping[str, Any]) -> str:
    return str(operation["description"].rpartition("Who: ")[2].rstrip("."))
