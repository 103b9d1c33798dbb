"""What is no excerpt is refused with a sentence, and garbage in one is a finding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops.rules.evidence.archive import packed
from tests.ops.excerpts import MAIL, RECORD, STATEMENT, complete, told, unpacked


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--excerpt", "nothing"), "is no excerpt: it has no SHA256SUMS"),
        (("--excerpt", "pay.zip"), "is no folder: unpack the zip into one"),
        (("--excerpt", "nothing", "excerpt"), "checks one folder at a time"),
        (("--excerpt", "excerpt", "--key", "nowhere.pem"), "nowhere.pem cannot be read"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_a_sentence(
    tmp_path: Path, files: dict[str, bytes], arguments: tuple[str, ...], says: str
) -> None:
    unpacked(tmp_path / "excerpt", complete(files))
    (tmp_path / "nothing").mkdir()
    (tmp_path / "pay.zip").write_bytes(packed(complete(files)))
    command = [sys.executable, "-I", "excerpt/verify_mbox.py", *arguments]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert says in answer.stderr


def test_who_forgets_the_flag_is_told(tmp_path: Path, files: dict[str, bytes]) -> None:
    """An excerpt read as a mailbox lacks entries: whoever hands it in cannot make that pass."""
    folder = unpacked(tmp_path / "excerpt", complete(files))
    command = [sys.executable, "-I", "verify_mbox.py", "."]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "is the excerpt of one payment: check it with --excerpt" in answer.stdout


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (RECORD, b"[]"),
        (RECORD, b"[" * 100_000),
        (RECORD, b'{"seq": NaN}'),
        (MAIL, b"\xff\x00"),
        (STATEMENT, b"{}"),
        (STATEMENT, b'{"day": 1}'),
        ("SHA256SUMS", b"\xff\x00 not a list\n" + b"0" * 64 + b"  ../../etc/passwd\n"),
    ],
)
def test_garbage_is_a_finding(files: dict[str, bytes], name: str, content: bytes) -> None:
    assert told(complete(files) | {name: content})
