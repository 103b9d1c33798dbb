"""Time zones by name. Names come from rosters, rows and mails, so anything may stand in one."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_called(name: str) -> ZoneInfo | None:
    """None for what is no time zone, or none that this computer knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder, such as "America"
        return None


def has_zones() -> bool:
    """Whether this computer knows time zones at all: Python on Windows needs a package for it."""
    return zone_called("America/New_York") is not None
