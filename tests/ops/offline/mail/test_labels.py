"""A mail in the trash is found in whatever language the mailbox was exported."""

from __future__ import annotations

from email.header import Header

import pytest

from ops.offline.mails import read_mail
from ops.offline.report import findings_of, report, summary
from ops.offline.settled import Judged
from tests.ops.mailboxes import chain, mail

RAW = mail(chain(1)[0].to_row())


def labelled(labels: str) -> bytes:
    return f"X-Gmail-Labels: {Header(labels, 'utf-8').encode()}\r\n".encode() + RAW


@pytest.mark.parametrize(
    "label",
    [
        "Trash", "Bin", "Papierkorb", "Papelera", "Corbeille", "Cestino", "Lixeira", "Prullenbak",
        "Papperskorgen", "Roskakori", "Kosz", "Корзина", "Кошик", "Çöp Kutusu", "ゴミ箱", "휴지통",
        "垃圾桶", "已删除邮件", "المهملات", "אשפה", "Spam", "SPAM", "Junk", "迷惑メール",
        "垃圾邮件", "Спам", "Courrier indésirable", "[Gmail]/Trash", "[Google Mail]/Papierkorb",
    ],
)  # fmt: skip
def test_a_mail_in_the_trash_or_in_spam_is_found_in_any_language(label: str) -> None:
    for labels in (label, f'Inbox,"{label}"'):
        (found,) = findings_of(read_mail(labelled(labels)))
        assert (found.kind, found.seq) == ("misplaced", 1)


def test_labels_that_mean_nothing_to_us_are_told_and_are_no_finding() -> None:
    box = read_mail(labelled("Inbox,Opened,Category Updates,Poubelle,Audit 2025"))
    assert findings_of(box) == []
    told = "  note: audit mails have these labels, none of which should mean trash or spam: "
    assert told + "Audit 2025, Poubelle" in report(summary(box, Judged([])))
    quiet = read_mail(labelled("Inbox,Opened,Important,Category Personal"))
    assert not any("labels" in each for each in report(summary(quiet, Judged([]))))


def test_a_second_header_with_labels_counts_too() -> None:
    (found,) = findings_of(read_mail(b"X-Gmail-Labels: Inbox\r\n" + labelled("Trash")))
    assert found.kind == "misplaced"
