"""Which commit the test suites passed for: `make test` notes it, `make deploy` asks.

    python -m release.tested [SUITE ...]       notes it, unless something is uncommitted

Kept inside .git, so it belongs to this clone and is never committed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ops.shipped import ROOT

SUITES = ("test", "test-long")  # as make calls them


def main() -> int:
    for suite in sys.argv[1:] or SUITES:
        record(suite)
    return 0


def record(suite: str, repository: Path = ROOT) -> bool:
    """Note that HEAD passed; False, and nothing is noted, when the files differ from HEAD."""
    if uncommitted(repository):
        return False
    _stamp(suite, repository).write_text(head(repository))
    return True


def is_recorded(suite: str, repository: Path = ROOT) -> bool:
    stamp = _stamp(suite, repository)
    return stamp.exists() and stamp.read_text("utf-8") == head(repository)


def head(repository: Path = ROOT) -> str:
    return _git(repository, "rev-parse", "HEAD").strip()


def uncommitted(repository: Path = ROOT) -> list[str]:
    """Files that differ from HEAD or are not in it, except those that .gitignore names."""
    lines = _git(repository, "status", "--porcelain", "--untracked-files=all").splitlines()
    return [line[3:] for line in lines]


def _stamp(suite: str, repository: Path) -> Path:
    path = _git(repository, "rev-parse", "--git-path", f"{suite}-passed").strip()
    return repository / path


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
