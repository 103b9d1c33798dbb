"""What an auditor is given: the public key, sealed statements, and a page of commands that work."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.running_stack import RunningStack
from tests.dock import Dock, until
from tests.pipeline.test_statement import versions, yesterday
from tests.shells import SCC, Scc, environment
from tests.suites import LONG

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "evidence.md"
EXAMPLE_DAY = "2026-11-24"
EXAMPLE_PAYMENT = "pay_9f86d081884c7d659a2feaa0c55ad015"


def commands() -> Iterator[str]:
    """Every line of every block of the page, and what its text says to run."""
    text = PAGE.read_text()
    for block in re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()
        if "scc key" in block:
            yield from re.findall(r"`(scc statement [^`]*)`", text)


@LONG
def test_every_command_on_the_page_works(stack: RunningStack, tmp_path: Path) -> None:
    dock = Dock(stack).sign_in()
    payment_id = dock.logged()["payment_id"]
    dock.await_mail(payment_id)
    until(lambda: versions(dock))
    with urllib.request.urlopen(f"{stack.mail_url}/sandbox/export.mbox", timeout=30) as answer:
        (tmp_path / "export.mbox").write_bytes(answer.read())
    (tmp_path / "verify_mbox.py").write_bytes((ROOT / "ops" / "verify_mbox.py").read_bytes())
    env = environment(
        AWS_ENDPOINT_URL=stack.settings.engine_url,
        PATH=f"{SCC.parent}{os.pathsep}{os.environ['PATH']}",
    )
    told: dict[str, str] = {}
    for line in commands():
        # What other tests do to the ledger is their business; what is sealed is everybody's.
        if line.startswith(("scc verify", "python3 verify_mbox.py")):
            line = f"{line} --json || test $? = 1"  # noqa: PLW2901
        if "--excerpt" in line:
            line = f"{line} || test $? = 3"  # noqa: PLW2901 - its day is not over
        command = line.replace(EXAMPLE_DAY, yesterday()).replace(EXAMPLE_PAYMENT, payment_id)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        told[line.split(" --json")[0]] = done.stdout
    statement = json.loads((tmp_path / "statement.json").read_bytes())
    (key_line,) = (each for each in told if each.startswith("openssl pkey"))
    assert statement["key_sha256"] in told[key_line]
    (signed,) = (each for each in told if each.startswith("openssl dgst"))
    assert told[signed] == "Verified OK\n"
    for line in told:
        if line.startswith(("scc verify", "python3 verify_mbox.py")):
            found = json.loads(told[line])["findings"]
            assert not [each for each in found if each["kind"] == "broken-seal"], line


def test_a_statement_is_fetched_once_and_never_written_over(local: Scc, tmp_path: Path) -> None:
    listed = local("statement", "--json")
    assert yesterday() in json.loads(listed.stdout)["days"]
    assert local("statement", yesterday()).returncode == 0
    again = local("statement", yesterday())
    assert again.returncode == 2
    heads = (tmp_path / "heads.json").read_bytes()
    record = json.loads((tmp_path / "statement.json").read_bytes())
    assert hashlib.sha256(heads).hexdigest() == record["ledger"]["heads_sha256"]
    assert "statement.json cannot be written: File exists" in again.stderr
    content = (tmp_path / "statement.json").read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        in local("statement", yesterday(), "--into", "for/auditors", "--json").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("statement", "2020-01-01"), "No statement of 2020-01-01 is sealed"),
        (("statement", "yesterday"), "is not a day such as 2026-11-24"),
        (("statement", "2026-11-24", "--into", "/etc/hostname"), "is a file"),
        (("key", "--out", "."), "is a directory"),
        (("verify", "--key", "nowhere.pem"), "Signatures cannot be checked: nowhere.pem"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(
    local: Scc, arguments: tuple[str, ...], says: str
) -> None:
    answer = local(*arguments)
    assert answer.returncode == 2
    assert says in " ".join(answer.stderr.split())


def test_another_key_is_named(local: Scc, tmp_path: Path) -> None:
    made = ["openssl", "genrsa", "-out", "private.pem", "2048"]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    public = ["openssl", "rsa", "-in", "private.pem", "-pubout", "-out", "other.pem"]
    subprocess.run(public, cwd=tmp_path, check=True, capture_output=True)
    answer = local("verify", "--key", "other.pem", "--json")
    assert answer.returncode == 1
    found = [
        each for each in json.loads(answer.stdout)["findings"] if each["where"] == "statements"
    ]
    details = [each["detail"] for each in found]
    assert details == [f"the sealed statement of {yesterday()} is not signed by this key"]
