"""What `make run` prints: a line per step with its time, and a screen when everything is ready."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from local.demo.people import USERS
from local.settings import Settings

WIDTH = 30


class Step:
    """A running step; it may add a word to its line."""

    def __init__(self) -> None:
        self.words = ""

    def note(self, words: str) -> None:
        self.words = words


class Progress:
    """Prints steps as they begin and end, and measures the time since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._began

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Print one line for a step: its name while it runs, then how long it took."""
        began, step = time.monotonic(), Step()
        interactive = sys.stdout.isatty()
        if interactive:
            print(f"  {name:<{WIDTH}} …", end="\r", flush=True)
        try:
            yield step
        except BaseException:
            print(f"  {name:<{WIDTH}} stopped after {time.monotonic() - began:.1f} s", flush=True)
            raise
        line = f"  {name:<{WIDTH}} {time.monotonic() - began:5.1f} s  {step.words}"
        print(line.rstrip(), flush=True)


def ready_screen(settings: Settings, seconds: float) -> str:
    """Return the screen a newcomer needs: where to go and how to sign in."""
    users = "\n".join(f"             {user.email:<33} {user.can}" for user in USERS)
    return f"""
  Ship Captain Crew is ready after {seconds:.0f} s.

    App      {settings.url}
    Mail     {settings.mail_url}   the audit inbox
    AWS      {settings.aws_url}   us-east-1, access key test, secret key test

    Sign in  with password {settings.demo_password}
{users}

    Data and logs are in {settings.state}
    Press Ctrl-C to stop and keep the data. `make run RESET=1` starts empty.
"""
