"""The files that commands read besides their code: samconfig.toml, the web client, the verifier.

A clone has the first two at its root. An installed wheel brings its own copies, so `scc` needs no
clone and never trusts a samconfig.toml that happens to be in the current folder.
"""

from __future__ import annotations

from pathlib import Path

from ops.errors import OpsError

_IN_A_WHEEL = Path(__file__).with_name("shipped_files")  # as in pyproject.toml
IS_INSTALLED = _IN_A_WHEEL.is_dir()
ROOT = _IN_A_WHEEL if IS_INSTALLED else Path(__file__).resolve().parent.parent
SAMCONFIG = ROOT / "samconfig.toml"
WEB = ROOT / "web"
VERIFIER = Path(__file__).with_name("verify_mbox.py")  # for auditors; lies with the code


def repository() -> Path:
    """The clone that this code is in. Raises OpsError."""
    if IS_INSTALLED:
        raise OpsError(
            "This needs a clone of the repository: what is deployed is a commit. Clone it and run "
            "`make deploy` there."
        )
    return ROOT
