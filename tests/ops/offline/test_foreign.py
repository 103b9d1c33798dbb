"""Anybody can send anything to the mailbox: it never hides what is wrong with our own mails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ops.offline.build import BUILT
from ops.offline.program import main
from tests.ops.mailboxes import chain, mails, mbox

PARTS = b"Subject: hi\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
NUL = (
    b"Subject: hi\r\nContent-Type: multipart/mixed; boundary*=a%00b''abc\r\n\r\n--abc\r\n\r\nhi\r\n"
)


def nested(depth: int) -> bytes:
    made = b"Subject: hi\r\nMIME-Version: 1.0\r\n"
    for level in range(depth):
        made += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
    return made + b"\r\nhi\r\n"


FOREIGN = {
    "deeply nested": nested(1_000),
    "attached 1,000 deep": b"Subject: hi\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 1_000,
    "a NUL in its boundary": NUL,
    "without its last boundary": PARTS + b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n",
    "without its first boundary": PARTS + b"hi\r\n",
    "our header in its text": NUL + b"\r\nX-SCC-Payment-Id: pay_1\r\n",
    "no header at all": b"\r\nhi\r\n",
}


@pytest.mark.parametrize("which", FOREIGN)
def test_an_odd_mail_of_somebody_else_blinds_nobody(
    tmp_path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own, file = mails(chain(3)), tmp_path / "export.mbox"
    forged = own[1].replace(b"1,200.02", b"9,200.02")
    for where in (0, 3):
        odd = [*own[:where], FOREIGN[which], *own[where:]]
        file.write_bytes(mbox(odd))
        assert main([str(file)]) == 0, capsys.readouterr()
        file.write_bytes(mbox([forged if each == own[1] else each for each in odd]))
        assert main([str(file)]) == 1
        assert "altered  sunset-charter  #000002" in capsys.readouterr().out


def test_the_last_mail_is_told_if_it_lacks_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, file = mails(chain(2)), tmp_path / "export.mbox"
    file.write_bytes(mbox([*own, FOREIGN["without its last boundary"]]))
    assert main([str(file)]) == 0
    assert "note: mail 3 of the file, the last one, lacks its end" in capsys.readouterr().out
    whole = mbox(own)
    file.write_bytes(whole[: whole.rindex(b"\n", 0, -300) + 1])  # ends with a line, and is ours
    assert main([str(file)]) == 1
    assert "truncated  the file ends inside mail 2" in capsys.readouterr().out


@pytest.mark.parametrize("which", ["deeply nested", "a NUL in its boundary"])
def test_an_odd_mail_with_our_header_is_a_finding_about_that_mail(
    tmp_path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, odd = tmp_path / "export.mbox", b"X-SCC-Payment-Id: pay_9\r\n" + FOREIGN[which]
    file.write_bytes(mbox([*mails(chain(2)), odd]))
    assert main([str(file)]) == 1
    told = capsys.readouterr().out
    assert "unreadable  mail 3 of the file" in told
    assert "intact mails of #000001-#000002" in told


HUGE = {
    "long text": b"Subject: x.json\n\n" + (b"b" * 76 + b"\n") * 200_000,
    "short lines": b"Subject: x.json\n\n" + b"\n" * 1_000_000 + b"end\n",
    "header lines": b"Subject: x.json\n" + b"X: y\n" * 400_000 + b"\nhi\n",
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n"
    + b"--b\nContent-Disposition: attachment; filename=a.json\n\n{}\n" * 40_000,
}
MOST_MEMORY = 80 * 2**10  # kilobytes; Python alone takes 27 MB of that


@pytest.mark.parametrize("which", HUGE)
@pytest.mark.parametrize("is_own", [False, True], ids=["foreign", "ours"])
def test_a_huge_mail_takes_no_memory(tmp_path: Path, which: str, *, is_own: bool) -> None:
    file = tmp_path / "export.mbox"
    huge = (b"X-SCC-Payment-Id: pay_9\n" if is_own else b"") + HUGE[which]
    file.write_bytes(mbox([huge, *mails(chain(2))]))
    measured = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=False)\n"
        "memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(done.returncode, memory, done.stdout)"
    )
    command = [sys.executable, "-c", measured, sys.executable, "-I", "-S", str(BUILT), str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    code, memory, told = answer.split(" ", 2)
    assert int(memory) < MOST_MEMORY
    assert (code, "and no mail of ours has" in told) == (("1", True) if is_own else ("0", False))
    assert "intact mails of #000001-#000002" in told
    if not is_own:
        assert "note: 1 mail of others was too large to be searched" in told
