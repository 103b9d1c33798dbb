"""The attacks: what an insider with the tables, the mailbox or the exported file can try."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes

from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.payment_mail import compose
from shared import keys
from shared.ledger import canonical_json
from shared.statements.expiry import Certificate
from tests.attacks.scene import Scene

ADDRESSES = Addresses("audit@shipcaptaincrew.example", "audit@shipcaptaincrew.example")


@dataclass(frozen=True, slots=True)
class Attack:
    """needs_a_watcher: something that nobody starts must name it; not for an exported file."""

    name: str
    deed: Callable[[Scene], None]
    needs_a_watcher: bool = True


def _amount(scene: Scene) -> None:
    scene.put(scene.row(2) | {"amount_cents": 1})


def _rechain(scene: Scene) -> None:
    scene.rechain(2, amount_cents=1)


def _cut_the_tail(scene: Scene) -> None:
    for number in (3, 4):
        scene.delete_ledger(keys.pointer(scene.row(number)["payment_id"]))
        scene.delete(scene.row(number))
    second = scene.row(2)
    cents = scene.row(1)["amount_cents"] + second["amount_cents"]
    head = scene.voyage.head() | {
        "seq": 2,
        "hash": second["hash"],
        "last_logged_at": second["logged_at"],
        "payments_count": 2,
        "total_cents": cents,
        "cash_cents": cents,
    }
    scene.put(head, "Ledger")


def _totals(scene: Scene) -> None:
    scene.put(scene.voyage.head() | {"total_cents": 1}, "Ledger")


def _headless(scene: Scene) -> None:
    scene.delete_ledger(keys.head(scene.voyage.event_id))


def _head_in_words(scene: Scene) -> None:
    scene.put(scene.voyage.head() | {"seq": "four"}, "Ledger")


def _without_pointer(scene: Scene) -> None:
    scene.delete_ledger(keys.pointer(scene.row(2)["payment_id"]))


def _fraction(scene: Scene) -> None:
    scene.put_attributes(scene.row(2), amount_cents={"N": "200.99"})


def _binary(scene: Scene) -> None:
    scene.put_attributes(scene.row(2), note={"B": b"\x00"})


def _surplus(scene: Scene) -> None:
    scene.put_attributes(scene.row(2), approved_by={"S": "nobody"})


def _without_logged_at(scene: Scene) -> None:
    scene.put({name: value for name, value in scene.row(2).items() if name != "logged_at"})


def _dated_back(scene: Scene) -> None:
    last = scene.row(4)
    scene.append(logged_at=last["logged_at"] - 3 * 86_400_000)


def _void_of_nothing(scene: Scene) -> None:
    scene.append(kind="void", voids="pay_" + "0" * 32, reason="other", note="never was")


def _voided_twice(scene: Scene) -> None:
    for _ in range(2):
        voided = scene.row(4)
        voided |= {"kind": "void", "voids": voided["payment_id"], "reason": "other"}
        made = {name: voided[name] for name in ("kind", "voids", "reason", "amount_cents")}
        scene.append(**made)


def _one_id_twice(scene: Scene) -> None:
    scene.append(payment_id=scene.row(2)["payment_id"])


def _earlier_expiry(scene: Scene) -> None:
    """Not sooner: the engine deletes what has expired, and the next check finds a gap."""
    scene.put(scene.row(2) | {"expiration_timestamp": int(time.time()) + 24 * 3_600})


def _mail_removed(scene: Scene) -> None:
    scene.edit_export(2, lambda _: None)


def _mail_deleted(scene: Scene) -> None:
    scene.voyage.edit_mail(2, lambda _: None)


def _mail_in_trash(scene: Scene) -> None:
    scene.move_mail(2, "TRASH")


def _mail_in_spam(scene: Scene) -> None:
    scene.move_mail(2, "SPAM")


def _mail_exchanged(scene: Scene) -> None:
    """By one with another amount, as somebody who may write into the mailbox can."""
    forged = compose(scene.row(2) | {"amount_cents": 1}, ADDRESSES)
    _mail_deleted(scene)
    scene.import_mail(forged.content)


def _mail_twice(scene: Scene) -> None:
    scene.import_mail(_replaced(rb"(?m)^Message-ID: <", b"Message-ID: <second.")(scene.mail(2)))


def _replaced(pattern: bytes, by: bytes) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        changed, count = re.subn(pattern, by, raw)
        assert count, pattern
        return changed

    return change


def _mail_with(pattern: bytes, by: bytes) -> Callable[[Scene], None]:
    return lambda scene: scene.edit_export(2, _replaced(pattern, by))


def _copy_instead(scene: Scene) -> None:
    """The original is gone; a forward with the same attachment is there."""
    raw = scene.mail(2)
    _mail_removed(scene)
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    kept = [line for line in head.split(b"\n") if not line.startswith(b"X-SCC")]
    scene.add_to_export(b"\n".join(kept) + b"\n\n" + body)


def _forged_statement(scene: Scene, message_id: str = "") -> bytes:
    """A final statement of the export with another total, its text mended."""
    kept: list[bytes] = []

    def keep(raw: bytes) -> bytes:
        if b"so far" not in raw.partition(b"\n\n")[0]:
            kept.append(raw)
        return raw

    scene.edit_statements(keep)
    mail = message_from_bytes(kept[-1])
    (attached,) = (part for part in mail.walk() if part.get_filename() == "statement.json")
    before = attached.get_payload(decode=True)
    assert isinstance(before, bytes)
    after = canonical_json(json.loads(before) | {"net_cents": 1})
    attached.set_payload(base64.encodebytes(after).decode())
    if message_id:
        mail.replace_header("Message-ID", message_id)
    old, new = (hashlib.sha256(each).hexdigest().encode() for each in (before, after))
    return mail.as_bytes().replace(old[:60], new[:60]).replace(old[60:], new[60:])


def _second_statement(scene: Scene) -> None:
    scene.add_to_export(_forged_statement(scene, "<another@example.com>"))


def _changed_statement(scene: Scene) -> None:
    forged = _forged_statement(scene)
    wanted = message_from_bytes(forged)["Message-ID"].encode()
    scene.edit_statements(lambda raw: forged if wanted in raw else raw)


def _no_statements(scene: Scene) -> None:
    scene.edit_statements(lambda _: None)


def _hidden(scene: Scene) -> None:
    key, _ = scene.sealed()
    scene.hide(key)


def _on_top(scene: Scene) -> None:
    key, content = scene.sealed()
    scene.seal(key, canonical_json(json.loads(content) | {"net_cents": 1}))


def _taken_out(scene: Scene) -> None:
    key, _ = scene.sealed()
    scene.take_out(key)


def _unsigned(scene: Scene) -> None:
    key, _ = scene.sealed(".sig")
    scene.take_out(key)


def _certified_early(scene: Scene) -> None:
    """By whoever can replace a sealed statement, and not sign it."""
    key, content = scene.sealed()
    rows = [scene.row(number) for number in (1, 2)]
    nets = {"cash": sum(each["amount_cents"] for each in rows)}
    certificate = Certificate(
        through_seq=2, hash=rows[1]["hash"], net_by_method=nets, payments_count=2
    )
    forged = {"event_id": scene.voyage.event_id, **certificate.to_record()}
    scene.take_out(key)
    scene.seal(key, canonical_json(json.loads(content) | {"expiring": [forged]}))
    for row in rows:
        scene.delete(row)


def _other_ops_record(scene: Scene) -> None:
    items = scene.voyage.dynamodb.scan(TableName=scene.voyage.table("OpsRecord"))["Items"]
    item = items[0] | {"reason": {"S": "another reason"}}
    scene.voyage.dynamodb.put_item(TableName=scene.voyage.table("OpsRecord"), Item=item)


LEDGER = (
    Attack("change an amount", _amount),
    Attack("rewrite an entry and all that follow it, head included", _rechain),
    Attack("cut the newest entries off, head and pointers mended", _cut_the_tail),
    Attack("delete a whole event", Scene.delete_event),
    Attack("change a head's totals", _totals),
    Attack("delete a head and keep the rows", _headless),
    Attack("write a head's number in words", _head_in_words),
    Attack("delete a pointer", _without_pointer),
    Attack("change an amount by a fraction of a cent", _fraction),
    Attack("store a note as bytes", _binary),
    Attack("add an attribute", _surplus),
    Attack("remove logged_at", _without_logged_at),
    Attack("add an entry dated three days back", _dated_back),
    Attack("void what was never paid", _void_of_nothing),
    Attack("void a payment twice", _voided_twice),
    Attack("log one payment under two numbers", _one_id_twice),
    Attack("let an entry expire tomorrow", _earlier_expiry),
)


def exported(name: str, deed: Callable[[Scene], None]) -> Attack:
    """On the file that an auditor gets: the mailbox itself is as it was."""
    return Attack(name, deed, needs_a_watcher=False)


EXPORTED = (
    exported("remove a mail from the export", _mail_removed),
    exported("remove a mail and leave a forward of it", _copy_instead),
    exported("change the method in a mail's text", _mail_with(rb"(\*Method\*) cash", rb"\1 check")),
    exported("change the patron in a mail's text", _mail_with(rb"Jane Doe", b"Jane Roe")),
    exported("change who logged it in a mail's text", _mail_with(rb"Marina", b"Martha")),
    exported(
        "hide the amount with CSS", _mail_with(rb'<h1 style=3D"', b'<h1 style=3D"display:none;')
    ),
    exported(
        "change a mail's sender", _mail_with(rb"(?m)^From: .*$", b"From: someone@example.com")
    ),
    exported(
        "change a mail's date",
        _mail_with(rb"(?m)^Date: .*$", b"Date: Thu, 01 Jan 2026 00:00:00 +0000"),
    ),
    exported("send a second, different statement of a day", _second_statement),
    exported("change a statement's total", _changed_statement),
    exported("remove every statement", _no_statements),
)
INBOX = (
    Attack("delete a mail from the inbox", _mail_deleted),
    Attack("put a mail in the trash", _mail_in_trash),
    Attack("have a mail filtered into spam", _mail_in_spam),
    Attack("exchange a mail for one with another record", _mail_exchanged),
    Attack("put a second mail of an entry into the inbox", _mail_twice),
)
SEALED = (
    Attack("hide a sealed statement behind a delete marker", _hidden),
    Attack("put another statement on top of the sealed one", _on_top),
    Attack("take a sealed statement out of its bucket", _taken_out),
    Attack("take a sealed statement's signature away", _unsigned),
    Attack("certify young entries as expired, and delete them", _certified_early),
)
OPS = (Attack("change the record of a discard", _other_ops_record),)
EVERY = (*LEDGER, *INBOX, *SEALED, *OPS, *EXPORTED)
