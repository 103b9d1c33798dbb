"""The folder that holds all state of a stack: used by one stack at a time, emptied on request."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.settings import SettingsError

LOCK = "lock"
# Only a folder that a stack made is emptied: SCC_STATE may name anything.
OURS = {LOCK, "engine", "gmail", "logs", "service-account.json", "stack.json", "stack.unfinished"}


@contextmanager
def claim(state: Path) -> Iterator[None]:
    """Hold the folder for this process. Raises SettingsError when another stack has it."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"SCC_STATE: {state} cannot be used: {error.strerror}.") from error
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = file.read().strip() or "another process"
            raise SettingsError(
                f"{state} is in use by a running stack (process {owner}): stop that one, or "
                "start this one with another SCC_STATE and other ports."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def empty(state: Path) -> None:
    """Remove what earlier runs left. Raises SettingsError when there is anything else in it."""
    strange = sorted({path.name for path in state.iterdir()} - OURS)
    if strange:
        raise SettingsError(
            f"RESET: {state} also holds {', '.join(strange[:5])}, which no stack put there: "
            "nothing was removed."
        )
    for path in state.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
