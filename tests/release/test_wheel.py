"""`scc` from its wheel, in its own environment and an empty folder: no clone is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from release.build_bundle import find_uv
from tests.ops.mailboxes import chain, mails, mbox
from tests.shells import environment
from tests.suites import LONG

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    uv(
        *("build", "--wheel", "--no-build-isolation", "--python", sys.executable),
        *("--out-dir", str(folder), str(ROOT)),
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and its locked dependencies; returns its scc."""
    venv = tmp_path_factory.mktemp("tool") / "venv"
    uv(
        "sync",
        "--frozen",
        "--no-default-groups",
        "--no-install-project",
        UV_PROJECT_ENVIRONMENT=str(venv),
    )
    uv("pip", "install", "--no-deps", "--python", str(venv / "bin" / "python"), str(wheel))
    return venv / "bin" / "scc"


def uv(*arguments: str, **more: str) -> None:
    """With what `make install` has left in uv's cache."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [find_uv(ROOT), *arguments, "--quiet", "--offline"],
        cwd=ROOT, env=kept | more, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_the_code_and_what_commands_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert names >= {
        *("ops/cli.py", "release/deployment/deploy.py", "shared/ledger.py"),
        *("functions/audit_mailer/settings.py", "ops/shipped_files/samconfig.toml"),
        *(f"ops/shipped_files/{each.relative_to(ROOT)}" for each in ROOT.glob("web/**/*.*")),
    }
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"functions", "ops", "release", "shared"}


class NoStacks(BaseHTTPRequestHandler):
    """An AWS that refuses every call, as CloudFormation does for a stack that does not exist."""

    def do_POST(self) -> None:
        body = b"<ErrorResponse><Error><Code>ValidationError</Code></Error></ErrorResponse>"
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), NoStacks) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@LONG
def test_it_starts_in_an_empty_folder(installed: Path, tmp_path: Path, aws: str) -> None:
    answer = subprocess.run(
        [str(installed), "status"],
        cwd=tmp_path,
        env=environment(AWS_ENDPOINT_URL=aws),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 2, answer.stderr
    assert answer.stderr.startswith(f"Error: There is no stack shipcaptaincrew-local in {aws}")


# All in one process: a start from files that were never compiled takes a second.
IN_THE_WHEEL = """
import json, os, sys
from click.testing import CliRunner
from ops.cli import scc
from ops.shipped import VERIFIER, WEB
for each in (VERIFIER, WEB):
    assert each.exists() and not each.is_relative_to(sys.argv[1]), each
lines = json.load(sys.stdin)
print(json.dumps({line: CliRunner().invoke(scc, line.split()).output for line in lines}))
"""
NO_STACK = {
    "dlq replay --all": "shipcaptaincrew-local",
    "verify --mbox export.mbox": "shipcaptaincrew-local",
    "reconcile --mailbox": "shipcaptaincrew-local",
    "payment pay_00000000000000000000000000000000 --mailbox": "shipcaptaincrew-local",
    "evidence pay_00000000000000000000000000000000": "shipcaptaincrew-local",
    "doctor": "shipcaptaincrew-local",
    "users ls": "shipcaptaincrew-local",
    "versions ls": "shipcaptaincrew-local",
    "web publish --stage staging": "shipcaptaincrew-local",
    "release url --stage staging": "shipcaptaincrew-staging",
}
DEPLOY = "release deploy --stage staging"


@LONG
def test_every_verb_finds_what_it_needs_there(installed: Path, tmp_path: Path, aws: str) -> None:
    (tmp_path / "export.mbox").write_bytes(mbox(mails(chain(2))))
    done = subprocess.run(
        [str(installed.with_name("python")), "-c", IN_THE_WHEEL, str(ROOT)],
        cwd=tmp_path,
        env=environment(AWS_ENDPOINT_URL=aws),
        input=json.dumps([*NO_STACK, DEPLOY]),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for line, stack in NO_STACK.items():
        assert f"There is no stack {stack} in {aws}" in answers[line], line
    assert "Not deployed: This needs a clone of the repository" in answers[DEPLOY]
