"""How every function reads its environment: once, into a frozen dataclass of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from shared.zones import zone_called

Settings = TypeVar("Settings")


class SettingsError(ValueError):
    """The environment lacks what the function needs; the text names the variable."""


def read_settings(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Fill the dataclass `kind` from variables named like its fields in upper case.

    A field of type `int` is converted; an empty variable counts as absent. Raises SettingsError.
    """
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        variable = field.name.upper()
        text = environ.get(variable, "")
        if text:
            values[field.name] = _whole_number(variable, text) if field.type == "int" else text
        elif field.default is MISSING:
            raise SettingsError(f"set the environment variable {variable}")
    return kind(**values)


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises SettingsError."""
    zone = zone_called(name)
    if zone is None:
        raise SettingsError(
            f"{name[:60]!r} is not a time zone: set BUSINESS_TIMEZONE to an IANA name such as "
            "America/New_York"
        )
    return zone


def _whole_number(variable: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(f"{variable} must be a whole number") from error
