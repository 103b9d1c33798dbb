"""`scc` as a person starts it, and the environment that commands under test start with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

SCC = Path(__file__).parents[1] / "ops" / "scc"
Scc = Callable[..., subprocess.CompletedProcess[str]]


def environment(**more: str) -> dict[str, str]:
    """No credentials, no region, no configuration of the developer's own, but what `more` says."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SCC_STA"))
    }
    nothing = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return kept | nothing | more
