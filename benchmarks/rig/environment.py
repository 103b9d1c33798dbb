"""What a run ran on. Ratios carry over to another machine better than milliseconds."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from local.settings import REPOSITORY

PACKAGES = ("aws-lambda-powertools", "boto3", "google-api-python-client", "pydantic")


def environment() -> dict[str, Any]:
    """Time, code, machine and versions, and the machine's load before the run."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "is_changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "machine": platform.machine(),
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "load_before": [round(each, 2) for each in os.getloadavg()],
    }


def _git(*command: str) -> str:
    """What git prints, or nothing if the code is not a clone."""
    try:
        done = subprocess.run(
            ("git", *command), cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _first(file: str, field: str) -> str:
    """A field's value in a file of `field : value` lines, as in Linux's /proc."""
    path = Path(file)
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")
