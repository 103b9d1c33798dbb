"""Statements that nobody can change, drop or contradict unseen: their chain and signatures."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from email import message_from_bytes
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.audit_mailer.mails.statement_mail import StoredStatement, compose
from ops.offline.build import BUILT
from ops.offline.ledger.public_key import read_public_key
from ops.offline.mails import read_mailbox
from ops.offline.report import findings_of
from tests.ops.mailboxes import ADDRESSES, mbox
from tests.statements import drawn_up, public_key, signature_of, stored

DAYS = ["2025-11-24", "2025-11-25", "2025-11-26"]


def sealed(days: Sequence[str] = DAYS) -> list[StoredStatement]:
    made: list[StoredStatement] = []
    for day in days:
        made.append(stored(drawn_up([], day), made[-1] if made else None))
    return made


def told(
    tmp_path: Path, statements: Sequence[StoredStatement], key: bytes | None = None
) -> list[str]:
    box = tmp_path / "export.mbox"
    box.write_bytes(mbox([compose(each, ADDRESSES).content for each in statements]))
    file = tmp_path / "key.pem"
    file.write_bytes(key or public_key())
    found = findings_of(read_mailbox([box]), key=read_public_key(file))
    return [each.detail for each in found]


def other_key() -> bytes:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_statements_that_follow_each_other_and_are_signed_pass(tmp_path: Path) -> None:
    assert told(tmp_path, sealed()) == []
    assert told(tmp_path, sealed()[1:]) == []  # a mailbox that begins later


def test_a_statement_that_is_gone_is_named(tmp_path: Path) -> None:
    first, _, third = sealed()
    assert told(tmp_path, [first, third]) == ["no statement for 2025-11-25"]


def test_a_second_statement_of_a_day_is_a_contradiction(tmp_path: Path) -> None:
    statements = sealed()
    rival = drawn_up([], DAYS[1])
    rival.made_at += 1
    found = told(tmp_path, [*statements, stored(rival, statements[0])])
    assert "2 different final statements for 2025-11-25" in found


def test_a_statement_put_in_the_place_of_another_breaks_the_chain(tmp_path: Path) -> None:
    first, second, third = sealed()
    rival = drawn_up([], DAYS[1])
    rival.made_at += 1
    (found,) = told(tmp_path, [first, stored(rival, first), third])
    assert found == (
        "the statement of 2025-11-26 was made after another statement of 2025-11-25 than the one "
        "here"
    )
    assert second.place.sha256 not in found


def test_a_chain_that_begins_anew_is_named(tmp_path: Path) -> None:
    first, second, _ = sealed()
    (found,) = told(tmp_path, [first, second, stored(drawn_up([], DAYS[2]))])
    assert "says that it is the first" in found


def test_a_changed_signature_is_named(tmp_path: Path) -> None:
    first, second, third = sealed()
    changed = bytes([second.signature[0] ^ 1]) + second.signature[1:]
    second = StoredStatement(second.place, second.content, changed)
    assert told(tmp_path, [first, second, third]) == [
        "the statement of 2025-11-25 is not signed by this key"
    ]


@pytest.mark.parametrize("signature", [b"", b"\0" * 256, b"\xff" * 256, b"x" * 300])
def test_no_signature_at_all_is_named(tmp_path: Path, signature: bytes) -> None:
    (only,) = sealed(DAYS[:1])
    unsigned = StoredStatement(only.place, only.content, signature)
    assert "the statement of 2025-11-24 is not signed by this key" in told(tmp_path, [unsigned])


def test_another_key_than_the_auditors_is_named(tmp_path: Path) -> None:
    found = told(tmp_path, sealed(DAYS[:1]), other_key())
    assert "the statement of 2025-11-24 names another signing key than this one" in found
    assert "the statement of 2025-11-24 is not signed by this key" in found


def test_a_signature_with_more_than_the_hash_in_it_is_none(tmp_path: Path) -> None:
    """As Bleichenbacher forged them where padding was read leniently."""
    file = tmp_path / "key.pem"
    file.write_bytes(public_key())
    key = read_public_key(file)
    content = b"{}"
    digest = hashlib.sha256(content).digest()
    assert key.has_signed(digest, signature_of(content))
    assert not key.has_signed(digest, signature_of(content + b" "))
    assert not key.has_signed(digest, b"\0" + signature_of(content))


def not_rsa() -> bytes:
    made = ec.generate_private_key(ec.SECP256R1())
    return made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def small() -> bytes:
    made = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)  # noqa: S505 - to be refused
    return made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x30\x84\xff\xff\xff\xff", not_rsa(), small(), b"\x30" * 40]
)
def test_a_file_that_is_no_key_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"key\.pem is no"):
        read_public_key(file)


def test_the_built_file_checks_signatures_with_python_alone(tmp_path: Path) -> None:
    box, file = tmp_path / "export.mbox", tmp_path / "key.pem"
    box.write_bytes(mbox([compose(each, ADDRESSES).content for each in sealed()]))
    file.write_bytes(public_key())
    command = [sys.executable, "-I", "-S", str(BUILT), str(box), "--key", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    file.write_bytes(other_key())
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_without_a_key_the_report_says_what_it_did_not_check(tmp_path: Path) -> None:
    box = tmp_path / "export.mbox"
    box.write_bytes(mbox([compose(each, ADDRESSES).content for each in sealed()]))
    command = [sys.executable, "-I", "-S", str(BUILT), str(box)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "signatures of statements were not checked" in done.stdout


def test_the_record_in_the_mail_is_what_was_signed(tmp_path: Path) -> None:
    (only,) = sealed(DAYS[:1])
    mail = message_from_bytes(compose(only, ADDRESSES).content)
    parts = {part.get_filename(): part.get_payload(decode=True) for part in mail.walk()}
    assert parts["statement.json"] == only.content
    assert parts["statement.sig"] == only.signature
