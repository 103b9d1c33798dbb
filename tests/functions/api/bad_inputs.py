"""Inputs that no route may accept, each with the one field that the answer must name."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LOG, VOID, SIGN_IN = "POST /api/payments", "POST /api/payments/{id}/void", "POST /api/session"
LIST, CSV, EVENTS = "GET /api/payments", "GET /api/payments.csv", "GET /api/events"
ROSTER = "GET /api/events/sunset-charter/roster"
WRITES = (LOG, VOID, SIGN_IN)
KEY = "7f6d1f0e-8a55-4f0a-9d58-3f3b0f1c2d3e"
GOOD: dict[str, dict[str, Any]] = {
    LOG: {
        "event_id": "sunset-charter",
        "patron_email": "jane.doe@example.com",
        "amount": "125.00",
        "method": "cash",
    },
    VOID: {"reason": "entered_twice"},
    SIGN_IN: {"email": "admin@shipcaptaincrew.example", "password": "Anchors-aweigh-1"},
}
REPLACEMENT = {"patron_email": "lee@example.com", "amount": "80.00", "method": "cash"}
CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111.1111.1111.1111",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "4111 - 1111 - 1111 - 1111",
    "4111\u00a01111\u00a01111\u00a01111",
    "4111\u20091111\u20131111\u20141111",
    "card 5555555555554444 exp 12/29",
    "3782 822463 10005",
    "6011000990139424",
    "4222222222222",
    "\uff14\uff11\uff11\uff11 1111 1111 1111",
    "\u0664\u0661\u0661\u0661 1111 1111 1111",
    "411\u200b1 11\u20601111\ufeff11 111\u00ad1",
    "paid 20.00 4111 1111 1111 1111",
]
HOSTILE = {  # what no text may hold
    "a null": "a\x00b",
    "a line break": "a\nb",
    "a header": "a\r\nBcc: everyone@example.com",
    "an escape": "\x1b[31mred",
    "a delete": "a\x7fb",
    "a C1 control": "a\x85b",
    "a line separator": "a\u2028b",
    "a paragraph separator": "a\u2029b",
    "a right-to-left override": "\u202egnp.exe",
    "an isolate": "\u2066hidden\u2069",
    "a right-to-left mark": "a\u200fb",
    "an Arabic letter mark": "a\u061cb",
    "half a surrogate pair": "a\ud83db",
    "halves in the wrong order": "\udea2\ud83d",
}
INVISIBLE = ("\u200b", "\u2060\ufeff\u00ad", "\u3164\u115f", "\u2800\ufe0f", " \u200b ", "\u3000")
AMOUNTS = (
    """
0|0.00|-1|+1|1.001|1.|.5|1,23|1,2345|12,34.00|100000.01|1e3|0x10|NaN|Infinity|1 000|$|$-5|€5|5 USD|1
|\t1|1;DROP TABLE|$$5|1.0.0|½|\u0661\u0662\u0665|\uff11|99999999999999999999|
""".removeprefix("\n")
    .removesuffix("\n")
    .split("|")
)
STRANGERS = ("stranger@example.com", "META", "jane.doe@example.com#", "jane.doe@example.co")
NO_TEXT: dict[str, Any] = {
    "null": None,
    "a number": 5,
    "a list": ["a"],
    "an object": {"a": 1},
    "a truth": True,
}


@dataclass(frozen=True, slots=True)
class Bad:
    """route: "METHOD path", in which {id} is a payment that is there. content: a body as is."""

    why: str
    route: str
    field: str
    status: int
    body: Any = None
    content: str | None = None
    is_base64: bool = False
    query: dict[str, str] | None = None
    headers: dict[str, str] | None = None


def bad_inputs() -> Iterator[Bad]:
    yield from _bad_bodies()
    yield from _bad_headers()
    yield from _bad_payments()
    yield from _bad_voids()
    yield from _bad_sign_ins()
    yield from _bad_queries()
    yield from _bad_paths()


def _bad_bodies() -> Iterator[Bad]:
    good = json.dumps(GOOD[LOG])
    texts = {
        "nothing but space": " ",
        "half an object": good[:-1],
        "two objects": good + good,
        "a comma too many": '{"amount":"1",}',
        "single quotes": "{'amount':'1'}",
        "a comment": '{/* */"amount":"1"}',
        "no quotes": "{amount:1}",
        "a raw control character": '{"note":"a\tb"}',
        "a byte order mark": "\ufeff" + good,
        "NaN": '{"timestamp":NaN}',
        "infinity": '{"timestamp":Infinity}',
        "minus infinity": '{"timestamp":-Infinity}',
        "a key twice": '{"amount":"1","amount":"2"}',
        "a key twice, once escaped": '{"amount":"1","\\u0061mount":"2"}',
        "a key twice, deep inside": '{"replacement":{"amount":"1","amount":"2"}}',
        "a number of 5,000 digits": '{"timestamp":' + "9" * 5_000 + "}",
        "lists 15,000 deep": "[" * 15_000,
        "objects 2,500 deep": '{"a":' * 2_500,
        "a form": "amount=1&method=cash",
        "XML": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x/>',
        "a list": "[]",
        "a list of payments": f"[{good}]",
        "null": "null",
        "a number": "5",
        "text": '"amount"',
        "true": "true",
        "half a surrogate pair, unescaped": '{"note":"\ud800"}',
    }
    for why, text in texts.items():
        yield Bad(why, LOG, "body", 400, content=text)
    for route in WRITES:
        yield Bad("more than 16 KB", route, "body", 413, content=f'{{"note":"{"x" * 16_384}"}}')
        yield Bad("cut off", route, "body", 400, content='{"note"')
    yield Bad("10 MB", LOG, "body", 413, content=f'{{"note":"{"x" * 10_000_000}"}}')
    yield Bad("10 MB of lists", VOID, "body", 413, content="[" * 10_000_000)
    yield Bad("16 KB in wide characters", LOG, "body", 413, content=f'{{"n":"{"🚢" * 4_100}"}}')
    binary = {
        "a lone continuation byte": b'{"note":"\x80"}',
        "an overlong slash": b'{"note":"\xc0\xaf"}',
        "a surrogate in UTF-8": b'{"note":"\xed\xa0\x80"}',
        "beyond Unicode": b'{"note":"\xf4\x90\x80\x80"}',
        "UTF-16": good.encode("utf-16"),
        "UTF-32": good.encode("utf-32"),
        "Latin-1": '{"note":"é"}'.encode("latin-1"),
        "gzip": gzip.compress(good.encode()),
    }
    for why, raw in binary.items():
        content = base64.b64encode(raw).decode()
        yield Bad(why, LOG, "body", 400, content=content, is_base64=True)
    for text in ("not base64", "e30", "e30=e30=", "e3-_"):
        yield Bad(f"bad base64: {text}", LOG, "body", 400, content=text, is_base64=True)


def _bad_headers() -> Iterator[Bad]:
    types = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json")
    for kind in (*types, "application/json+x", "text/html; application/json"):
        headers = {"content-type": kind}
        yield Bad(f"sent as {kind!r}", LOG, "Content-Type", 415, body=GOOD[LOG], headers=headers)
    keys = {
        "no key": "",
        "a key that is no UUID": "abc",
        "a key without hyphens": KEY.replace("-", ""),
        "a key in braces": f"{{{KEY}}}",
        "a key with a space": f" {KEY}",
        "two keys": f"{KEY},{KEY}",
        "a key with a line break": f"{KEY}\r\nSet-Cookie: a=b",
        "a key in full-width digits": "\uff17" + KEY[1:],
        "a huge key": "7" * 5_000,
        "a URN": f"urn:uuid:{KEY}",
    }
    for route in (LOG, VOID):
        for why, key in keys.items():
            headers = {"idempotency-key": key}
            field = "Idempotency-Key"
            yield Bad(why, route, field, 400, body=GOOD[route], headers=headers)
    origins = ("null", "https://pay.example.com.evil.example", "http://pay.example.com", "x\r\ny")
    for origin in origins:
        headers = {"origin": origin}
        yield Bad(f"from {origin!r}", LOG, "Origin", 403, body=GOOD[LOG], headers=headers)


def _bad_payments() -> Iterator[Bad]:
    for field, value in _bad_fields():
        why = f"{field} {value!r:.40}"
        yield Bad(why, LOG, field, 422, body=GOOD[LOG] | {field: value})
    yield Bad("an event that is not there", LOG, "event_id", 404, body=_log(event_id="nothing"))
    for field in GOOD[LOG]:
        body = {name: value for name, value in GOOD[LOG].items() if name != field}
        yield Bad(f"no {field}", LOG, field, 422, body=body)
    for value in (["x"], ["pay_" + "0" * 31], ["\ud800"], [None], [["pay_" + "0" * 32]]):
        body = _log(acknowledge_duplicates=value)
        yield Bad(f"acknowledging {value!r}", LOG, "acknowledge_duplicates.0", 422, body=body)
    for value in ("pay_" + "0" * 32, {}, ["pay_" + "0" * 32] * 21):
        body = _log(acknowledge_duplicates=value)
        yield Bad(f"acknowledging {value!r:.20}", LOG, "acknowledge_duplicates", 422, body=body)
    unknown = ("recorded_at", "logged_at", "logged_by", "seq", "hash", "currency", "amount_cents")
    for name in (*unknown, "__proto__", "constructor", "Amount", "amount ", "<script>", "a.b", ""):
        yield Bad(f"field {name!r}", LOG, name or "body", 422, body=_log(**{name: "x"}))
    for shown, name in (("body", "\ud800"), ("a\ufffdb", "a\nb"), ("\ufffda", "\u202ea")):
        yield Bad(f"field {name!r}", LOG, shown, 422, body=_log(**{name: "x"}))
    yield Bad("a field of 9,000 letters", LOG, "x" * 64, 422, body=_log(**{"x" * 9_000: 1}))


def _bad_fields() -> Iterator[tuple[str, Any]]:
    wrong: dict[str, tuple[Any, ...]] = {
        "amount": (*NO_TEXT.values(), *AMOUNTS, 125.0, 0.1),
        "method": (*NO_TEXT.values(), "", "Cash", "CASH", "cash ", "bitcoin", "c\u0430sh"),
        "timestamp": ("now", "1764000000000", True, 1.5, 1e30, [], {}, 0, -1, 1, 10**13, 10**25),
        "event_id": (*NO_TEXT.values(), "", "_a", "a#b", "a/b", "../x", "x" * 65, "-a", "a\n", "é"),
        "patron_email": (
            *NO_TEXT.values(),
            *HOSTILE.values(),
            *INVISIBLE,
            "",
            "a",
            "x" * 255,
            *STRANGERS,
        ),
        "note": (*NO_TEXT.values(), *HOSTILE.values(), *CARDS, "x" * 281),
        "reference": (*NO_TEXT.values(), *HOSTILE.values(), *CARDS[:5], "x" * 41),
    }
    for field, values in wrong.items():
        for value in values:
            yield field, value


def _bad_voids() -> Iterator[Bad]:
    for value in (*NO_TEXT.values(), "", "because", "Other", "wrong_amount "):
        yield Bad(f"reason {value!r}", VOID, "reason", 422, body={"reason": value})
    yield Bad("no reason", VOID, "reason", 422, body={})
    yield Bad("other, unsaid", VOID, "note", 422, body={"reason": "other"})
    yield Bad("other, said with a space", VOID, "note", 422, body={"reason": "other", "note": " "})
    for text in INVISIBLE:
        body = {"reason": "other", "note": text}
        yield Bad(f"other, said invisibly {text!a}", VOID, "note", 422, body=body)
    for text in INVISIBLE:
        yield Bad(
            f"check {text!a}", LOG, "reference", 422, body=_log(method="check", reference=text)
        )
    for why, text in HOSTILE.items():
        yield Bad(f"a note with {why}", VOID, "note", 422, body=GOOD[VOID] | {"note": text})
    for text in CARDS[:6]:
        yield Bad(f"a note with {text!r}", VOID, "note", 422, body=GOOD[VOID] | {"note": text})
    replacements: dict[str, Any] = {"amount": "0", "method": "x", "patron_email": "x@y.example"}
    replacements |= {"timestamp": 1, "note": "a\nb", "reference": CARDS[1], "event_id": "another"}
    for name, value in (replacements | {"kind": "void"}).items():
        body = GOOD[VOID] | {"replacement": REPLACEMENT | {name: value}}
        yield Bad(f"replacement with {name}", VOID, f"replacement.{name}", 422, body=body)
    for value in ("x", 5, [], True):
        body = GOOD[VOID] | {"replacement": value}
        yield Bad(f"replacement {value!r}", VOID, "replacement", 422, body=body)
    ids = ("x", "pay_" + "0" * 32, "pay_" + "0" * 31, "PAY_" + "0" * 32, "pay_" + "g" * 32)
    for name in (*ids, "x" * 3_000, "pay_%30" + "0" * 30, "%00", "..", "pay_" + "0" * 32 + "%0A"):
        route = f"POST /api/payments/{name}/void"
        yield Bad(f"voiding {name:.40}", route, "payment_id", 404, body=GOOD[VOID])


def _bad_sign_ins() -> Iterator[Bad]:
    for field in ("email", "password"):
        for value in (*NO_TEXT.values(), "", "x" * 300, "a\ud800"):
            body = GOOD[SIGN_IN] | {field: value}
            yield Bad(f"{field} {value!r:.20}", SIGN_IN, field, 422, body=body)
        body = {name: value for name, value in GOOD[SIGN_IN].items() if name != field}
        yield Bad(f"no {field}", SIGN_IN, field, 422, body=body)
    yield Bad("groups", SIGN_IN, "groups", 422, body=GOOD[SIGN_IN] | {"groups": ["admins"]})
    yield Bad("a header", SIGN_IN, "email", 422, body=GOOD[SIGN_IN] | {"email": "a\r\nX: y"})


def _bad_queries() -> Iterator[Bad]:
    event = {"event_id": "sunset-charter"}
    for route, query in ((LIST, event), (EVENTS, {})):
        for limit in ("0", "101", "-1", "x", "1e2", "1.0", "٣", "", " 5", "9" * 50, "5,6", "0x5"):
            yield Bad(f"limit {limit:.9}", route, "limit", 400, query=query | {"limit": limit})
        for cursor in ("x", "%%%", "é", "AAAA" * 20, "=" * 9, "\ud800", "e30", "a" * 9_000):
            yield Bad(
                f"cursor {cursor!r:.9}", route, "cursor", 400, query=query | {"cursor": cursor}
            )
    for value in ("", "a#b", "_a", "x" * 3_000, "a,b", "a\x00", "%61", "é", " sunset-charter"):
        yield Bad(f"event_id {value!r:.9}", LIST, "event_id", 400, query={"event_id": value})
        yield Bad(f"event_id {value!r:.9}", CSV, "event_id", 400, query={"event_id": value})
    for value in (
        "",
        "nobody",
        "a@b@c",
        "a b@c.d",
        "@",
        "x" * 65 + "@y",
        "a\x00@b.c",
        "\ud800@b.c",
    ):
        query = {"patron_email": value}
        yield Bad(f"patron {value!r:.9}", LIST, "patron_email", 400, query=query)
    yield Bad("of nobody", LIST, "event_id", 400, query={})
    yield Bad("of both", LIST, "event_id", 400, query=event | {"patron_email": "a@b.c"})
    for day in (
        "",
        "yesterday",
        "2026-13-01",
        "2026-02-30",
        "20261101",
        "2026-W48-1",
        "2026-11-1",
        "٢026-11-01",
    ):
        query = {"from": day, "to": "2026-11-02"}
        yield Bad(f"from {day!r}", CSV, "from", 400, query=query)
        query = {"from": "2026-11-01", "to": day}
        yield Bad(f"to {day!r}", CSV, "to", 400, query=query)
    yield Bad("backwards", CSV, "to", 400, query={"from": "2026-11-02", "to": "2026-11-01"})
    yield Bad("ten years", CSV, "to", 400, query={"from": "2016-11-02", "to": "2026-11-01"})
    yield Bad("event and days", CSV, "from", 400, query=event | {"from": "2026-11-01"})
    yield Bad("the end of time", CSV, "to", 400, query={"from": "0001-01-01", "to": "9999-12-31"})
    for text in ("x" * 101, "a\x00", "\u202ea", "\ud800", "a\r\nb"):
        yield Bad(f"q {text!r:.9}", ROSTER, "q", 400, query={"q": text})


def _bad_paths() -> Iterator[Bad]:
    names = ("nothing", "A", "x" * 3_000, "%2e%2e", "%00", "sunset-charter%0a", "sunset charter")
    for name in (*names, "sunset-charter%23", "..", "'", "<script>", "é", "{}", "a;b", "$x"):
        yield Bad(f"event {name:.20}", f"GET /api/events/{name}", "event_id", 404)
    for name in ("nothing", "%2e%2e", "x" * 3_000, "<img src=x>"):
        yield Bad(f"roster {name:.20}", f"GET /api/events/{name}/roster", "event_id", 404)
    for name in ("x", "pay_" + "0" * 32, "pay_%3", "x" * 3_000, "PAY_" + "0" * 32, "'or'1'='1"):
        yield Bad(f"payment {name:.20}", f"GET /api/payments/{name}", "payment_id", 404)
    for name in ("x", KEY[:-1], KEY + "0", "%00", "x" * 3_000, KEY.replace("7", "g")):
        yield Bad(f"key {name:.20}", f"GET /api/payments/by-key/{name}", "Idempotency-Key", 400)
    for path in ("/", "/api", "/api/", "/api/events/a/b", "/api/../admin", "/api/payments/", "//x"):
        yield Bad(f"address {path}", f"GET {path}", "path", 404)


def _log(**changes: Any) -> dict[str, Any]:
    return GOOD[LOG] | changes
