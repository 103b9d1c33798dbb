"""`lint-imports`, which `make check` runs: every contract notices an import that it forbids."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    each["name"]
    for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
FORBIDDEN = {
    "What AWS runs imports nothing of what builds, operates or measures it": (
        "functions/audit_mailer/mailer.py",
        "import local.settings",
    ),
    "Functions know nothing of each other": (
        "functions/stream_router/router.py",
        "import functions.audit_mailer.settings",
    ),
    "Rules do without AWS and Google": ("functions/api/payments/money.py", "import botocore"),
    "http knows nothing of tables and people": (
        "functions/api/http/problems.py",
        "import functions.api.tables.dynamo",
    ),
    "scc: commands over stack over rules": ("ops/rules/status.py", "import ops.stack.queues"),
    "The offline verifier stands alone": ("ops/offline/report.py", "import ops.errors"),
    "Nothing imports the built verifier": ("ops/rules/verify/rows.py", "import ops.verify_mbox"),
}
"""For each contract a file, and a line in it that breaks the contract."""


def test_every_contract_has_a_test_case() -> None:
    assert FORBIDDEN.keys() == CONTRACTS


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_import_breaks_its_contract(tmp_path: Path, name: str) -> None:
    for folder in ("benchmarks", "functions", "local", "ops", "release", "shared"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=lambda _, names: _all_but_code(names)
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file, line = FORBIDDEN[name]
    with (tmp_path / file).open("a") as code:
        code.write(f"\n{line}\n")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{name} BROKEN" in done.stdout


def _all_but_code(names: list[str]) -> set[str]:
    return {each for each in names if "." in each and not each.endswith(".py")}
