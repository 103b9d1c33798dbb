"""A number and its noun, so that one message is never "1 messages"."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """`counted(1, "try", "tries")` is "1 try"; `many` is needed unless it only adds an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"
