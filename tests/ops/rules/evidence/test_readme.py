"""README.txt: what somebody at a bank reads first."""

from __future__ import annotations

import re
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

from ops.offline.program import UNVOUCHED
from ops.rules.evidence.archive import packed
from ops.rules.evidence.gaps import Gap
from tests.ops.excerpts import complete, corrected_payment, excerpt, sealed


def test_every_command_in_it_works_in_the_folder(tmp_path: Path) -> None:
    entries, own = corrected_payment()
    with zipfile.ZipFile(BytesIO(packed(complete(excerpt(own, sealed(entries)))))) as archive:
        archive.extractall(tmp_path)
    text = (tmp_path / "README.txt").read_text().replace("\\\n", "")
    commands = re.findall(r"^    ((?:python3|sha256sum|openssl) .*)$", text, re.MULTILINE)
    assert [each.split()[0] for each in commands] == ["python3", "sha256sum", "openssl", "openssl"]
    said = [
        subprocess.run(
            ["bash", "-c", each], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        for each in commands
    ]
    assert [each.returncode for each in said] == [UNVOUCHED, 0, 0, 0]
    assert said[2].stdout == "Verified OK\n"
    assert said[3].stdout.split()[0] in text, "the key's hash"


def test_it_lists_the_entries_and_what_is_missing_in_plain_ascii() -> None:
    entries, own = corrected_payment()
    text = excerpt(own, gaps=[Gap("The statement of \x1b[2J\u202e is lost.")])["README.txt"]
    assert b"\x1b" not in text
    lines = text.decode("ascii").splitlines()
    assert "    #000004  void of #000002, logged on 2025-11-24" in lines
    assert f"        {own[1].payment_id}" in lines
    assert any("is lost." in each for each in lines[lines.index("What is missing or wrong") :])
    assert b"What is missing" not in excerpt(own, sealed(entries))["README.txt"]
    assert entries[0].payment_id not in text.decode()


def test_it_says_what_each_entry_has_to_do_with_the_others() -> None:
    _, own = corrected_payment()
    lines = [each.strip() for each in excerpt(own)["README.txt"].decode().splitlines()]
    assert lines[lines.index("#000002  payment, logged on 2025-11-24") + 1] == (
        "voided by #000004, replaced by #000005"
    )
    assert "#000005  payment that replaces #000002, logged on 2025-11-24" in lines


def test_its_title_is_about_what_was_asked_for() -> None:
    payment, void, correction = corrected_payment()[1]
    titles = [
        excerpt([each, *(payment, void, correction)])["README.txt"].decode().splitlines()[0]
        for each in (payment, void, correction)
    ]
    assert titles == [
        f"Evidence of payment {payment.payment_id}",
        f"Evidence of void {void.payment_id}",
        f"Evidence of payment {correction.payment_id}",
    ]
