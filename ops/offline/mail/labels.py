"""Gmail's labels as exports write them: in the language of whoever exported the mailbox."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_TRASH = (
    "trash", "bin", "deleted messages", "deleted items", "papierkorb", "papelera", "corbeille",
    "cestino", "lixeira", "lixo", "reciclagem", "prullenbak", "papperskorgen", "papirkurv",
    "søppel", "søppelkurv", "roskakori", "kosz", "koš", "kôš", "kuka", "coș de gunoi", "smetnjak",
    "smeće", "otpad", "отпад", "prügikast", "miskaste", "šiukšliadėžė", "šiukšlinė", "rusl",
    "paperera", "zakarrontzia", "papeleira", "çöp kutusu", "çöp", "thùng rác", "sampah",
    "tong sampah", "basura", "tupio", "κάδος απορριμμάτων", "κάδος", "корзина", "кошик", "кошче",
    "אשפה", "المهملات", "سلة المهملات", "زباله‌دان", "ट्रैश", "कचरा", "ถังขยะ", "ゴミ箱",
    "휴지통", "已删除邮件", "已删除", "回收站", "垃圾箱", "垃圾桶",
)  # fmt: skip
_SPAM = (
    "spam", "junk", "junk e-mail", "junk email", "bulk mail", "courrier indésirable",
    "correo no deseado", "posta indesiderata", "ongewenste e-mail", "skräppost", "søppelpost",
    "nettsøppel", "uønsket", "uønsket post", "roskaposti", "rämpspost", "mēstules", "surogātpasts",
    "šlamštas", "brukalai", "ruslpóstur", "correu brossa", "nevyžádaná pošta", "nevyžiadaná pošta",
    "levélszemét", "istenmeyen", "thư rác", "ανεπιθύμητα", "спам", "нежељено", "ספאם", "דואר זבל",
    "الرسائل غير المرغوب فيها", "غير مرغوب فيها", "هرزنامه", "स्पैम", "สแปม", "จดหมายขยะ",
    "迷惑メール", "스팸함", "스팸", "垃圾邮件", "垃圾郵件", "垃圾內容",
)  # fmt: skip
_HARMLESS = frozenset({
    "", "inbox", "sent", "unread", "opened", "read", "important", "starred", "archived", "all mail",
})  # fmt: skip
_GMAIL = ("[gmail]/", "[google mail]/", "category ", "category_")
_MOST = 40  # labels to be told
_LONGEST = 60  # characters


def _plain_label(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().strip('"').casefold().strip()


_MISPLACED = frozenset(_plain_label(each) for each in (*_TRASH, *_SPAM))


def is_misplaced(labels: Iterable[str]) -> bool:
    """Whether one of these says trash or spam, in a language of Gmail's interface."""
    plain = (_plain_label(each) for each in labels)
    return any(each in _MISPLACED or _without_root(each) in _MISPLACED for each in plain)


def _without_root(label: str) -> str:
    """As IMAP programs name Gmail's own labels: [Gmail]/Trash."""
    return label.rpartition("/")[2] if label.startswith(_GMAIL[:2]) else label


def note_labels(known: set[str], labels: Iterable[str]) -> None:
    """Add the labels that mean nothing to us: one may be the trash in yet another language."""
    for each in labels:
        plain = _plain_label(each)
        if plain in _HARMLESS or plain.startswith(_GMAIL) or is_misplaced([each]):
            continue
        if len(known) < _MOST:
            known.add(each.strip().strip('"')[:_LONGEST])
