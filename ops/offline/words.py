"""How mails write data: names, times, and what is cut where there is too much of it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ops.offline.page import one_space
from shared.text import one_line

CUT = "\u2026 (the rest is in the attachment)"
LARGEST_VALUE = 2_600  # bytes of a line or cell as HTML
KEPT_OF_VALUE = 400  # characters of a larger one
LONGEST_NAME = 80  # in a subject or a heading
LONGEST_ADDRESS = 254


def plain(text: str) -> str:
    """Data as a mail shows it: no line break, control or direction mark survives."""
    line = one_line(text)
    is_large = len(escape(line).encode()) > LARGEST_VALUE
    return one_space(line[:KEPT_OF_VALUE] + CUT if is_large else line)


def clipped(name: str, longest: int = LONGEST_NAME) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "\u2026"


def subject_line(text: str) -> str:
    return one_space(one_line(text)).replace("=?", "= ?").replace("?=", "? =")


def moment_text(milliseconds: int, timezone: str = "UTC") -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    try:
        return moment.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
