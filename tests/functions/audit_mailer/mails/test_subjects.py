"""Whatever people and events are called, every mail program shows the subject that we wrote."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from functions.audit_mailer.mails import ops_mail, statement_mail
from functions.audit_mailer.mails.envelope import header_field, header_line
from functions.audit_mailer.mails.page import clipped
from functions.audit_mailer.mails.payment_mail import compose
from functions.audit_mailer.mails.related import Related
from shared.ledger import Head
from shared.text import search_token
from tests.builders import NOW, entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.statements import drawn_up, stored
from tests.suites import LONG
from tests.web.node import ROOT, node

READ = Path(__file__).parents[1] / "readers" / "read.mjs"
INSTALLED = ROOT / ".tools" / "readers" / "node_modules"
REALISTIC = [
    "Jane Doe", "Séamus O'Brien", "李小龍", "Passage àl'Île de Ré", "Zoë Müller-Lüdenscheidt",
    "Łukasz Żółć", "Ólafur Þór Guðmundsson", "Νίκος Παπαδόπουλος", "Михаил Ёлкин", "דנה כהן",
    "محمد علي", "राजेश कुमार", "佐藤 花子", "김철수", "Nguyễn Thị Ánh", "Dvořák & Söhne GmbH",
    "Crème brûlée, à la carte", "Été à Saint-Malo (2e édition)",
    "Cap'n \U0001f3f4\u200d\u2620\ufe0f",
    "\U0001f6a2 Sunset \U0001f305 Charter", "José María de la Peña y Fernández-Villaverde",
    "Fête de l'Île d'Yeu: aller-retour", "50% off — “Früh”bucher",
    "O\u2019Neil\u2019s 40ᵗʰ", "A. B. Ćosić",
]  # fmt: skip
HOSTILE = [
    "=?utf-8?q?Eve=0D=0ABcc=3A_evil=40x?=", "=?utf-8?b?RXZlDQpCY2M6IGV2aWw=?=", "a =? b ?= c",
    "?=", "=?", "=?=?=?", "??==", "=?utf-8?q?\u00e9?=", "?=\u00e9=?", "é?= =?é", "=?iso-8859-1?q?",
    "a\tb\r\n c", "  two  spaces  ", "\u00a0nbsp\u00a0", "\u3000wide\u3000space", "e\u0301 \u0301",
    "\u200b\u200d\ufeff", "\u202egnp.exe", "x" * 79, "é" * 79, "a" * 70 + " é", ";,:<>@",
    "\"quoted\" 'é'", "back\\slash é", "(comment é)", "<a@b.c>", "_under_é", "=3D=20é",
    "%é&#x41;", "\x00\x07\x1b[31m", " ", "é é é " * 13,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 6,
]  # fmt: skip
MADE_FROM = (
    "abc XYZ 09 .,;:=?_\"'<>()@\\-#$%&*[]{}"
    "éàÎßøñł李小龍日本דמß\U0001f6a2\U0001f305\u200d\u0301\u00a0"
)


@cache
def named() -> list[tuple[str, str]]:
    """1,000 patrons at events: half from real life, half from nowhere. The same every time."""
    chance = random.Random(2026)  # noqa: S311 - no secret
    made = ["".join(chance.choices(MADE_FROM, k=chance.randrange(1, 70))) for _ in range(150)]
    pairs = [(a, b) for a in REALISTIC for b in REALISTIC[:20]]
    names = [*HOSTILE, *made, *REALISTIC]
    while len(pairs) < 1_000:
        pairs.append((chance.choice([*HOSTILE, *made]), chance.choice(names)))
    return pairs


@cache
def mails() -> list[tuple[str, bytes]]:
    """Each with the subject that people are to see; whole mails of every kind are among them."""
    found = []
    token = search_token(entry().payment_id)
    for number, (patron, event) in enumerate(named()):
        names = " - ".join(clipped(each) for each in (patron, event))
        subject = f"[SCC Audit] #000001 $125.00 check - {names} - {token}"
        if number % 20:
            mail = header_field("Subject", subject) + b"From: a@b.example\r\n\r\n"
        else:
            row = entry(patron_name=patron, event_name=event).to_row()
            mail = compose(row, ADDRESSES).content
        found.append((header_line(subject), mail))
    for who in (*REALISTIC, *HOSTILE):
        record: dict[str, Any] = {"ops_id": "ops_1", "phase": "done", "at": NOW, "messages": ["m"]}
        mail = ops_mail.compose(record | {"action": "replay", "who": who}, ADDRESSES).content
        subject = f"[SCC Ops] replay done - {clipped(who)} - {search_token('ops_1')}"
        found.append((header_line(subject), mail))
    return found


def wrong(read: list[str]) -> list[tuple[str, str]]:
    wanted = [subject for subject, _ in mails()]
    return [pair for pair in zip(wanted, read, strict=True) if pair[0] != pair[1]]


@LONG
def test_pythons_parsers_read_every_subject_as_it_was_written() -> None:
    assert len(mails()) > 1_000
    parsed = [message_from_bytes(mail, policy=default) for _, mail in mails()]
    assert wrong([str(each["Subject"]) for each in parsed]) == []
    assert not [defect for each in parsed for defect in each["Subject"].defects]
    old = [str(message_from_bytes(mail)["Subject"]) for _, mail in mails()]
    unfolded = [each.replace("\r\n", "").replace("\n", "") for each in old]
    assert wrong([str(make_header(decode_header(each))) for each in unfolded]) == []


def test_other_mail_parsers_read_every_subject_as_it_was_written() -> None:
    if not INSTALLED.is_dir():
        pytest.fail("mailparser and postal-mime are missing: `make test` installs them.")
    sent = json.dumps([base64.b64encode(mail).decode() for _, mail in mails()])
    ran = subprocess.run(
        [node(), str(READ), str(INSTALLED)],
        input=sent, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    answers = json.loads(ran.stdout)
    for reader in ("mailparser", "postal-mime"):
        assert wrong([each[reader]["subject"] for each in answers]) == [], reader
        assert answers[0][reader]["from"] == [{"address": AUDIT, "name": "SCC Payment Audit"}]
        assert answers[0][reader]["attachments"] == ["sunset-charter-000001.json"]


def test_no_line_of_a_subject_is_longer_than_mail_servers_like() -> None:
    for _, mail in mails():
        header, _, _ = mail.partition(b"\r\nFrom: ")
        assert max(map(len, header.split(b"\r\n"))) <= 100
        assert header.isascii()


@pytest.mark.parametrize("name", ["=?utf-8?q?a?=", "?=", "=?", "=?=", "?=?=?"])
def test_what_looks_like_the_end_of_an_encoded_word_is_taken_apart(name: str) -> None:
    for said in (header_line(name), header_line(f"é{name}é")):
        assert "=?" not in said
        assert "?=" not in said


def test_the_subjects_of_voids_and_statements_are_encoded_in_the_same_way() -> None:
    payment = entry(patron_name="Passage àl'Île de Ré", method="crédit ?= =?")
    void = entry(Head(seq=1), kind="void", voids="pay_1", patron_name=payment.patron_name)
    made = drawn_up([payment.to_row() | {"event_id": "=?utf-8?q?é?="}])
    for mail in (
        compose(void.to_row(), ADDRESSES, Related(original=payment)),
        statement_mail.compose(stored(made), ADDRESSES),
    ):
        subject = str(message_from_bytes(mail.content, policy=default)["Subject"])
        assert subject == header_line(subject)
        assert mail.content.startswith(b"Subject: ")
    assert "=?" not in subject
