"""A stack's state folder: used by one stack at a time, of one layout, emptied on request."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.settings import SettingsError

LOCK = "lock"
LAYOUT = "layout"  # the file that says what the data in the folder looks like
VERSION = "2"  # of what this release writes: counts up when it cannot read what was there before
DATA = {"engine", "gmail", "service-account.json"}
# We only empty a folder that a stack made: SCC_STATE may name anything.
OURS = DATA | {LOCK, LAYOUT, "logs", "stack.json", "stack.unfinished"}


@contextmanager
def claim(state: Path) -> Iterator[None]:
    """Lock the folder for this process. Raises SettingsError if another stack is using it."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"SCC_STATE: cannot use {state}: {error.strerror}.") from error
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = file.read().strip() or "another process"
            raise SettingsError(
                f"{state} is in use by a running stack (process {owner}). Stop that stack, or "
                "start this one with a different SCC_STATE and different ports."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def refuse_other_layout(state: Path) -> None:
    """Raise SettingsError if the folder holds data of a release that wrote them otherwise."""
    if any((state / name).exists() for name in DATA) and _layout(state) != VERSION:
        raise SettingsError(
            f"{state} holds data of another release, which this one cannot read: start empty with "
            "`make run RESET=1`, or keep the data and choose another folder with SCC_STATE. "
            "Nothing was changed."
        )


def write_layout(state: Path) -> None:
    """From now on, the data in the folder are what this release writes."""
    (state / LAYOUT).write_text(f"{VERSION}\n")


def _layout(state: Path) -> str:
    try:
        return (state / LAYOUT).read_text(errors="replace").strip()
    except OSError:
        return ""


def empty(state: Path) -> None:
    """Remove what earlier runs left. Raises SettingsError if the folder holds anything else."""
    strange = sorted({path.name for path in state.iterdir()} - OURS)
    if strange:
        raise SettingsError(
            f"RESET: {state} also holds {', '.join(strange[:5])}, which no stack put there. "
            "Nothing was removed."
        )
    for path in state.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
