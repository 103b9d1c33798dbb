"""Writing what a person asked for into a file that must not exist yet."""

from __future__ import annotations

from pathlib import Path

from ops.errors import OpsError


def write_new(file: Path, content: bytes) -> None:
    """Raises OpsError; an existing file is never written over."""
    try:
        with file.open("xb") as new:
            new.write(content)
    except OSError as error:
        raise OpsError(f"{file} cannot be written: {error.strerror}.") from error
