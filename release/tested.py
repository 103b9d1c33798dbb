"""Which commit the whole test suite passed for: `make test` writes it down, `make deploy` asks.

    python -m release.tested        writes it down, if nothing is uncommitted

Kept inside .git, so it is this clone's own and is never committed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from release.stages import REPOSITORY


def main() -> int:
    record()
    return 0


def record(repository: Path = REPOSITORY) -> bool:
    """Remember HEAD as passed; False, and nothing is remembered, when the files are not HEAD's."""
    if uncommitted(repository):
        return False
    _stamp(repository).write_text(head(repository))
    return True


def is_recorded(repository: Path = REPOSITORY) -> bool:
    stamp = _stamp(repository)
    return stamp.exists() and stamp.read_text() == head(repository)


def head(repository: Path = REPOSITORY) -> str:
    return _git(repository, "rev-parse", "HEAD").strip()


def uncommitted(repository: Path = REPOSITORY) -> list[str]:
    """Files that differ from HEAD or are not in it, but for those that .gitignore names."""
    lines = _git(repository, "status", "--porcelain", "--untracked-files=all").splitlines()
    return [line[3:] for line in lines]


def _stamp(repository: Path) -> Path:
    return repository / _git(repository, "rev-parse", "--git-path", "tests-passed").strip()


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
