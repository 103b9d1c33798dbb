"""Statements as the function seals them, without its bucket: rules, and a key made for this run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.audit_mailer.mails.envelope import Addresses
from functions.audit_mailer.mails.statement_mail import StoredStatement, compose
from functions.daily_statement.rules.account import Previous, Statement
from functions.daily_statement.rules.continuity import ChainEnd, continue_from
from functions.daily_statement.rules.record import statement_content
from shared.ledger import Head
from shared.statements.places import StatementPlace
from tests.builders import NOW, ZONE

DAY = "2025-11-24"


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def public_key(encoding: Encoding = Encoding.PEM) -> bytes:
    return key().public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def signature_of(content: bytes) -> bytes:
    return key().sign(content, padding.PKCS1v15(), SHA256())


def drawn_up(
    rows: Iterable[Mapping[str, Any]],
    day: str = DAY,
    *,
    before: ChainEnd | None = None,
    head: Head | None = None,
    is_final: bool = True,
    state: str = "sent",
    ops: Mapping[str, str] = MappingProxyType({}),
) -> Statement:
    """before: the end of the only event's chain the day before. head: as it is now.

    ops: SHA-256 of what operators did, by ops id.
    """
    statement = Statement(day, ZONE.key, NOW, is_final)
    statement.ops_records.update(ops)
    statement.key_sha256 = hashlib.sha256(public_key(Encoding.DER)).hexdigest()
    for row in rows:
        statement.add([row], {row.get("payment_id", ""): {"state": state}})
    for account in statement.events:
        account.report(continue_from(before or ChainEnd(), account.links))
        last_seq, last_hash = account.last
        account.head = head or Head(seq=last_seq, hash=last_hash)
    return statement


def stored(statement: Statement, previous: StoredStatement | None = None) -> StoredStatement:
    if previous:
        statement.previous = Previous(day=previous.place.day, sha256=previous.place.sha256)
    content = statement_content(statement)
    place = StatementPlace(
        day=statement.day,
        final=statement.is_final,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return StoredStatement(place, content, signature_of(content))


def mailed(statement: Statement, addresses: Addresses) -> bytes:
    return compose(stored(statement), addresses).content
