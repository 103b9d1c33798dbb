"""What samconfig.toml says about the stack of each environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from ops.shipped import SAMCONFIG


@dataclass(frozen=True, slots=True)
class StackSettings:
    """parameters: the template's, as `sam deploy` passes them."""

    stack: str
    region: str
    parameters: Mapping[str, str]


def settings_of(environment: str) -> StackSettings:
    """environment: local, or a stage."""
    section = tomllib.loads(SAMCONFIG.read_text("utf-8"))[environment]["deploy"]["parameters"]
    pairs = str(section["parameter_overrides"]).split()
    return StackSettings(
        stack=str(section["stack_name"]),
        region=str(section["region"]),
        parameters=dict(pair.split("=", 1) for pair in pairs),
    )
