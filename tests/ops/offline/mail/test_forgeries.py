"""Tricks with the text of a mail: whatever it shows a reader must be what its record makes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email import message_from_bytes

import pytest

from ops.offline.mails import read_mail
from ops.offline.report import findings_of
from tests.ops.mailboxes import chain, mails, ops_mail, sent_by_gmail, statement_mail

Change = Callable[[str], str]
AMOUNT = ">$1,200.02 USD"


def edited(raw: bytes, kind: str, change: Change) -> bytes:
    """The mail with one of its texts changed. kind: its type, such as text/html."""
    mail = message_from_bytes(raw)
    (part,) = (each for each in mail.walk() if each.get_content_type() == kind)
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    before = content.decode().replace("\r\n", "\n")
    after = change(before)
    assert after != before, "the trick has nothing to change"
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(after.encode()).decode())
    return mail.as_bytes()


def kinds(raw: bytes) -> set[str]:
    return {each.kind for each in findings_of(read_mail(raw))} - {"missing"}


PAYMENT = mails(chain(2))[1]
OPS = ops_mail()
STATEMENT = statement_mail("2025-11-24", chain(3), chain(3)[-1])

IN_HTML: dict[str, tuple[bytes, Change]] = {
    "a line before the amount": (PAYMENT, lambda s: s.replace(AMOUNT, ">$1.00<br>" + AMOUNT[1:])),
    "a paragraph in a cell": (PAYMENT, lambda s: s.replace(AMOUNT, "><p>$1.00</p>" + AMOUNT[1:])),
    "a row without an end": (
        PAYMENT,
        lambda s: s.replace("\n<tr><th", "\n<tr><th>Amount</th><td>$1.00 USD</td>\n<tr><th", 1),
    ),
    "text in the head": (PAYMENT, lambda s: s.replace("</head>", "<h1>$1.00 cash</h1></head>")),
    "a second head": (PAYMENT, lambda s: s.replace("<h1", "<head>$1.00 cash</head><h1", 1)),
    "all of it in a title": (
        PAYMENT,
        lambda s: s.replace("<h1", "<title><h1", 1).replace("</body>", "</title></body>"),
    ),
    "a caption of another kind": (PAYMENT, lambda s: s.replace(">Payment<", ">Void<", 1)),
    "letters that are pictures": (PAYMENT, lambda s: s.replace("Arial", "wingdings", 1)),
    "text pushed out of sight": (PAYMENT, lambda s: s.replace("padding:12px", "padding:999px", 1)),
    "a heading twice": (PAYMENT, lambda s: s.replace("<h1", "<h1>$1.00</h1><h1", 1)),
    "a comment": (PAYMENT, lambda s: s.replace("<h1", "<!-- $1.00 --><h1", 1)),
    "a declaration": (PAYMENT, lambda s: s.replace("<h1", "<![x<h1", 1)),
    "rows in another order": (
        PAYMENT,
        lambda s: (
            s.replace(">Reference<", ">X<")
            .replace(">Note<", ">Reference<")
            .replace(">X<", ">Note<")
        ),
    ),
    "an operator's reason in two lines": (
        OPS,
        lambda s: s.replace(">credential renewed", ">test only<br>credential renewed"),
    ),
    "another sum of the day": (STATEMENT, lambda s: s.replace("$3,600.06", "$6.06")),
    "nothing was logged": (STATEMENT, lambda s: s.replace("<h1", "<h1>0 entries</h1><h1", 1)),
    "another hash of the day": (STATEMENT, lambda s: s.replace(chain(3)[-1].hash, "0" * 64)),
    "a number that is not missing": (
        STATEMENT,
        lambda s: s.replace('Missing numbers</th><td dir="auto"', 'Missing numbers</th><td x="y"'),
    ),
}
IN_TEXT: dict[str, tuple[bytes, Change]] = {
    "an amount above the mail": (PAYMENT, lambda s: "$1.00 cash, Jane\n\n" + s),
    "an amount below the mail": (PAYMENT, lambda s: s + "\nCorrected: $1.00\n"),
    "an operator's word": (OPS, lambda s: "Only a test.\n\n" + s),
    "another sum of the day": (STATEMENT, lambda s: s.replace("$3,600.06", "$6.06")),
    "a day without entries": (STATEMENT, lambda s: s.replace("3 payments", "0 payments")),
    "a number that is not missing": (STATEMENT, lambda s: s.replace(" none\n", " #000002\n", 1)),
}


@pytest.mark.parametrize("as_sent", [False, True], ids=["import", "send"])
@pytest.mark.parametrize("raw", [PAYMENT, OPS, STATEMENT], ids=["payment", "ops", "statement"])
def test_an_untouched_mail_is_what_its_record_makes(raw: bytes, *, as_sent: bool) -> None:
    assert kinds(sent_by_gmail(raw) if as_sent else raw) == set()


@pytest.mark.parametrize("trick", IN_HTML)
def test_a_trick_in_the_html_is_found(trick: str) -> None:
    raw, change = IN_HTML[trick]
    assert "altered" in kinds(edited(raw, "text/html", change))


@pytest.mark.parametrize("as_sent", [False, True], ids=["import", "send"])
@pytest.mark.parametrize("trick", IN_TEXT)
def test_a_trick_in_the_plain_text_is_found(trick: str, *, as_sent: bool) -> None:
    raw, change = IN_TEXT[trick]
    if as_sent:
        raw = sent_by_gmail(raw)
    assert "altered" in kinds(edited(raw, "text/plain", change))


def test_the_alarms_cut_from_a_statements_subject_are_found() -> None:
    entries = [chain(3)[0], chain(3)[2]]
    raw = statement_mail("2025-11-24", entries, chain(3)[-1])
    mail = message_from_bytes(raw)
    said = mail["Subject"]
    assert "GAP" in said or "3 payments" not in said
    del mail["Subject"]
    mail["Subject"] = said.replace(" net - ", " net - GAP in sunset-charter #000009 - ")
    assert "altered" in kinds(mail.as_bytes())


def test_where_no_time_zone_is_known_the_events_own_time_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Python on Windows is, which has no zones of its own."""

    def unknown(name: str) -> None:
        raise FileNotFoundError(name)

    monkeypatch.setattr("shared.zones.ZoneInfo", unknown)
    assert kinds(PAYMENT) == set()
    change: Change = lambda s: s.replace(" EST<", " EST, corrected<")  # noqa: E731
    assert "altered" in kinds(edited(PAYMENT, "text/html", change))
