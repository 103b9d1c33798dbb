"""`scc` in this process or as a person would start it, and the environment for commands."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from ops.cli import scc as program

SCC = Path(sys.executable).with_name("scc")
Scc = Callable[..., subprocess.CompletedProcess[str]]


def environment(**more: str) -> dict[str, str]:
    """An environment without the developer's own credentials, region or settings, plus `more`."""
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


def scc_here(
    arguments: Sequence[str], folder: Path, env: Mapping[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """`scc` in `folder`, in this process, since starting another takes a second.

    An exception that does not become a sentence is a traceback on stderr, as in a process.
    """
    wanted = environment(**env)
    absent = dict.fromkeys(os.environ.keys() - wanted.keys())
    with chdir(folder):
        done = CliRunner(mix_stderr=False).invoke(
            program, arguments, prog_name="scc", input=stdin, env=absent | wanted
        )
    stderr = done.stderr
    if done.exception and not isinstance(done.exception, SystemExit):
        stderr += "".join(traceback.format_exception(done.exception))
    return subprocess.CompletedProcess(list(arguments), done.exit_code, done.stdout, stderr)
