"""What samconfig.toml says about the stack of each environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.shipped import SAMCONFIG


@dataclass(frozen=True, slots=True)
class StackSettings:
    """parameters: the template's, as `sam deploy` passes them."""

    stack: str
    region: str
    parameters: Mapping[str, str]


def settings_of(environment: str) -> StackSettings:
    """environment: local, or a stage."""
    section = _deployments()[environment]
    pairs = [each.split("=", 1) for each in str(section["parameter_overrides"]).split()]
    return StackSettings(
        stack=str(section["stack_name"]),
        region=str(section["region"]),
        parameters={name: value.strip('"') for name, value in pairs},  # "" is an empty one
    )


def regions_of(stack: str) -> set[str]:
    """Where the environments deploy a stack of this name to; empty if none does."""
    return {
        str(each["region"]) for each in _deployments().values() if each.get("stack_name") == stack
    }


def _deployments() -> dict[str, Any]:
    """What `sam deploy` is given, by environment."""
    sections: dict[str, Any] = tomllib.loads(SAMCONFIG.read_text("utf-8"))
    return {
        name: each["deploy"]["parameters"]
        for name, each in sections.items()
        if isinstance(each, dict) and "deploy" in each
    }
