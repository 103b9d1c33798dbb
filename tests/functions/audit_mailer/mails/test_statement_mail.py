"""The statement as it arrives in the inbox."""

from __future__ import annotations

import email
import hashlib
import json
import re
from decimal import Decimal
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from functions.audit_mailer.mails.statement_mail import compose
from functions.audit_mailer.mails.statement_page import statement_page, statement_subject
from functions.daily_statement.rules.account import Previous, Statement
from functions.daily_statement.rules.evidence import Damage
from functions.daily_statement.rules.record import statement_record
from shared.ledger import canonical_json
from shared.methods import METHODS, title_of
from shared.text import dollars, search_token
from tests.builders import entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.statements import drawn_up, signature_of, stored


def statement(*rows: dict[str, Any], is_final: bool = True, state: str = "sent") -> Statement:
    """Its entries need not follow each other: gaps are given by the tests."""
    made = drawn_up(rows, is_final=is_final, state=state)
    for account in made.events:
        account.missing, account.rewritten = [], ""
    return made


def token_of(made: Statement) -> str:
    return search_token(stored(made).place.delivery_id)


def row(**changes: Any) -> dict[str, Any]:
    return entry(**changes).to_row()


def voiding(payment_id: str, **changes: Any) -> dict[str, Any]:
    void = {"kind": "void", "voids": payment_id, "reason": "wrong_amount"}
    return row(payment_id="pay_void", **(void | changes))


def refunding(payment_id: str, **changes: Any) -> dict[str, Any]:
    refund = {"kind": "refund", "refunds": payment_id, "reason": "goodwill"}
    return row(payment_id="pay_refund", **(refund | changes))


def read(made: Statement) -> tuple[EmailMessage, str, str]:
    """The mail, its plain text and its HTML."""
    mail = email.message_from_bytes(compose(stored(made), ADDRESSES).content, policy=default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    text = plain.get_content().replace("\r\n", "\n")
    return mail, text, html.get_content()


def test_the_subject_of_a_normal_day_has_count_and_total() -> None:
    rows = [row(payment_id=f"pay_{n}", seq=n) for n in range(14)]
    void = voiding("pay_0")
    made = statement(*rows, void)
    mail, _, _ = read(made)
    assert mail["Subject"] == (
        f"[SCC Audit] Statement 2025-11-24 - 14 payments, 1 void, $1,625.00 net - {token_of(made)}"
    )


def test_refunds_are_in_the_subject_of_a_day_that_has_some() -> None:
    mail, _, _ = read(statement(row(payment_id="pay_1"), refunding("pay_1", amount_cents=5_000)))
    assert "1 payment, 0 voids, 1 refund, $75.00 net" in mail["Subject"]


def test_the_mail_says_whose_midnight_ends_the_day() -> None:
    for made in (statement(row()), statement()):
        _, text, html = read(made)
        assert "2025-11-24, America/New_York time" in text
        assert "2025-11-24, America/New_York time" in html


def test_a_row_that_is_not_an_entry_is_named_by_its_key_in_the_mail_not_in_the_subject() -> None:
    made = statement(row())
    made.add([row(patron_email="lee@example.com") | {"amount_cents": Decimal("1000.99")}], {})
    mail, text, html = read(made)
    assert "MALFORMED ROWS 1" in mail["Subject"]
    assert "lee@example.com" not in mail["Subject"]
    for body in (text, html):
        assert "sunset-charter#lee@example.com" in body
        assert "amount_cents is not a whole number" in body


def test_a_head_that_cannot_be_read_is_shown_as_such() -> None:
    made = statement(row())
    made.events[0].head = None
    mail, text, _ = read(made)
    assert "HEAD UNREADABLE in sunset-charter" in mail["Subject"]
    assert re.search(r"Latest entry of the event: +cannot be read", text)


def test_totals_and_entries_that_cannot_be_found_are_in_subject_and_page() -> None:
    made = statement(row())
    made.events[0].unlinked = [1, 7]
    made.events[0].impossible = {3: "it voids a payment that is not there"}
    made.events[0].totals_differ = "collected is $0.01 in its head, and $125.00 by its entries"
    mail, text, html = read(made)
    assert (
        "UNLINKED sunset-charter #000001 and 1 more - IMPOSSIBLE sunset-charter #000003 - "
        "TOTALS in sunset-charter - " in (mail["Subject"])
    )
    assert re.search(r"Not found by their ids: +#000001, #000007", text)
    assert re.search(r"Not written by the app, #000003: +it voids a payment that is not", text)
    assert re.search(r"Totals of its screen: +collected is \$0\.01 in its head", text)
    for body in (text, html):
        assert "UNLINKED sunset-charter #000007" in body


def test_what_happened_to_sealed_statements_is_on_the_page_and_in_the_subject_once() -> None:
    made = statement(row())
    made.previous = Previous(
        day="2025-11-23", sha256="0" * 64, damages=frozenset({Damage("2025-11-20", "old")})
    )
    made.damages = [
        Damage("2025-11-20", "old"), Damage("2025-11-21", "one"), Damage("2025-11-21", "two")
    ]  # fmt: skip
    mail, text, _ = read(made)
    assert "EVIDENCE 2025-11-21" in mail["Subject"]
    assert "more" not in mail["Subject"]
    assert re.search(r"2025-11-20: +old, as told before", text)
    assert re.search(r"2025-11-21: +one\n", text)


def test_the_page_of_a_release_that_did_not_look_for_these_is_as_it_was() -> None:
    record = statement_record(statement(row()))
    (event,) = record["events"]
    unknown = {"unlinked", "impossible", "totals_differ"}
    before = {k: v for k, v in event.items() if k not in unknown}
    assert before != event
    old = {k: v for k, v in record.items() if k != "evidence"} | {"events": [before]}
    assert statement_page(old, "0" * 64, "token") == statement_page(record, "0" * 64, "token")
    assert statement_subject(old) == statement_subject(record)


def test_a_day_without_payments_has_a_normal_statement() -> None:
    made = statement()
    mail, text, html = read(made)
    assert mail["Subject"] == f"[SCC Audit] Statement 2025-11-24 - 0 entries - {token_of(made)}"
    assert "none were logged on this day" in text
    assert "none were logged on this day" in html


def test_problems_are_in_the_subject_and_at_the_top_of_the_mail() -> None:
    made = statement(row(), state="failed")
    made.events[0].missing = [(12, 12), (20, 21)]
    mail, text, html = read(made)
    assert mail["Subject"] == (
        "[SCC Audit] Statement 2025-11-24 - 1 payment, 0 voids, $125.00 net - "
        f"GAP in sunset-charter #000012 and 1 more - NOT MAILED 1 - {token_of(made)}"
    )
    for body in (text, html):
        wrong = body.index("GAP in sunset-charter #000020-#000021")
        assert body.index("Needs attention") < wrong
        assert wrong < body.index("Sunset Charter (sunset-charter)")
    assert "Needs attention" not in read(statement(row()))[1]


def test_text_and_html_have_what_a_clerk_compares() -> None:
    cash = row(payment_id="pay_1", method="cash", amount_cents=100_000)
    made = statement(cash, row(payment_id="pay_2", method="ach", amount_cents=1))
    _, text, html = read(made)
    account = made.events[0]
    assert account.head
    for fact in ["#000001", account.last[1], account.head.hash, token_of(made)]:
        assert fact in text, fact
        assert fact in html, fact
    sums = (("Cash", "1", "$1,000.00"), ("ACH", "1", "$0.01"), ("Net", "", "$1,000.01"))
    for label, count, amount in sums:
        assert re.search(rf"^{label}: +{count} +{re.escape(amount)}$", text, re.MULTILINE), label
        cells = rf">{label}</th><td[^>]*>{count}</td><td[^>]*>{re.escape(amount)}</td>"
        assert re.search(cells, html), label


def test_voids_and_refunds_are_subtracted_in_the_column_of_amounts() -> None:
    void = voiding("pay_1", amount_cents=12_500)
    refund = refunding("pay_2", amount_cents=2_500)
    _, text, _ = read(statement(row(payment_id="pay_1"), row(payment_id="pay_2"), void, refund))
    columns = [line.split() for line in text.splitlines() if "$" in line][1:5]
    assert columns == [
        ["Check:", "2", "$250.00"],
        ["Voided:", "1", "-$125.00"],
        ["Refunded:", "1", "-$25.00"],
        ["Net:", "$100.00"],
    ]


def test_the_statements_tables_label_their_cells() -> None:
    _, _, html = read(statement(row()))
    assert html.count("<table") == html.count("<caption") == 6
    assert html.count('scope="col"') == 4
    assert len(re.findall(r"<tr>", html)) == html.count('scope="row"') + 2


def busy_day(events: int, name: str = "Charter") -> Statement:
    """Every event with all methods, voids, refunds, gaps and mails that failed."""
    made = drawn_up([])
    failed = {"state": "failed", "last_error": {"code": "userRateLimitExceeded"}}
    for number in range(events):
        of: dict[str, Any] = {"event_id": f"event-{number}", "event_name": f"{name} {number}"}
        rows = [
            row(payment_id=f"pay_{number}_{seq}", method=method, **of) | {"seq": seq}
            for seq, method in enumerate([*METHODS] * 15, start=1)
        ]
        rows += [voiding(rows[0]["payment_id"], **of) | {"seq": 61}]
        rows += [refunding(rows[1]["payment_id"], **of) | {"seq": 62}]
        made.add(rows, {each["payment_id"]: failed for each in rows})
    for account in made.events:
        account.missing = [(seq * 2, seq * 2) for seq in range(50)]
    return made


@pytest.mark.parametrize("name", ["Charter", "\u5348\u5f8c\u306e\u8239 &" * 9])
def test_gmail_shows_the_statement_of_fifty_busy_events_to_its_end(name: str) -> None:
    mail, text, html = read(busy_day(50, name))
    assert len(html.encode()) < 102_000
    shown = len(set(re.findall(r"\(event-(\d+)\)", html)))
    more = re.search(r"^(\d+) more events are in statement.json", text, re.MULTILINE)
    assert more
    assert int(more[1]) == 50 - shown
    assert f"{more[1]} more events are in statement.json" in html
    assert "more findings in statement.json" in html
    assert html.index("Proof") < html.index("more events are in")
    attachment, _ = mail.iter_attachments()
    assert len(json.loads(attachment.get_content())["events"]) == 50


def test_a_statement_that_gmail_shows_whole_is_not_cut() -> None:
    _, text, html = read(busy_day(3))
    assert "more event" not in text + html
    for number in range(3):
        assert f"Charter {number} (event-{number})" in html


def test_the_attachment_is_canonical_and_its_hash_is_in_the_mail() -> None:
    made = statement(row())
    mail, text, _ = read(made)
    attachment, signature = mail.iter_attachments()
    content = attachment.get_content()
    assert attachment.get_filename() == "statement.json"
    assert content == canonical_json(statement_record(made))
    assert json.loads(content)["schema"] == "scc.statement/2"
    assert signature.get_filename() == "statement.sig"
    assert signature.get_content() == signature_of(content)
    assert hashlib.sha256(content).hexdigest() in text
    assert compose(stored(made), ADDRESSES).record_sha256 in text


def test_its_headers_file_it_with_the_payments_but_not_as_one() -> None:
    made = statement()
    mail, _, _ = read(made)
    assert mail["X-SCC-Statement"] == "2025-11-24"
    assert mail["X-SCC-Payment-Id"] is None
    own_id = stored(made).place.delivery_id
    assert str(mail["Message-ID"]).strip() == f"<{own_id}@shipcaptaincrew.example>"
    assert mail["List-Id"] == "<payment-audit.shipcaptaincrew.example>"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_statement_made_before_the_day_is_over_is_marked() -> None:
    mail, text, html = read(statement(is_final=False))
    assert mail["Subject"].strip().startswith("[SCC Audit] Statement 2025-11-24 so far - ")
    assert mail["X-SCC-Statement"] == "2025-11-24 so far"
    assert "The final statement will follow" in text
    assert "The final statement will follow" in html


@pytest.mark.parametrize(
    "name",
    [
        "Sunset\r\nBcc: thief@example.com",
        "Sunset\u2028Bcc: thief@example.com",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        '"><a href="https://evil.example">click</a>',
        "\u202egnp.exe\u202c",
        "nul\0byte",
        "=?utf-8?q?=0d=0aBcc:thief=40example.com?=",
        "a" * 5_000,
        "李小龍 🚢",
    ],
)
def test_a_hostile_event_stays_harmless_text(name: str) -> None:
    made = statement(row(event_name=name), row(event_id=name), state="queued")
    made.account(name).missing = [(3, 3)]
    mail, text, html = read(made)
    assert mail.get_all("Bcc") is None
    assert mail.get_all("To") == [AUDIT]
    assert "\n" not in mail["Subject"]
    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert "\u202e" not in html + text + mail["Subject"]
    assert not [line for line in text.splitlines() if line.startswith("Bcc")]


def test_nothing_in_the_mail_is_loaded_from_elsewhere() -> None:
    _, _, html = read(statement(row()))
    for loaded in ("http", "src=", "url(", "<link", "<script"):
        assert loaded not in html


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "$0.00"), (5, "$0.05"), (-5, "-$0.05"), (-123_456, "-$1,234.56"), (10_000, "$100.00")],
)
def test_more_voided_than_paid_is_a_negative_amount(cents: int, text: str) -> None:
    assert dollars(cents) == text


def test_every_method_has_its_line_in_the_order_of_the_form() -> None:
    rows = [row(payment_id=f"pay_{each}", method=each) for each in list(METHODS)[::-1]]
    _, text, _ = read(statement(*rows))
    places = [text.index(f"\n{title_of(each)}: ") for each in METHODS]
    assert places == sorted(places)
