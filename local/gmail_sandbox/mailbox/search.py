"""The commonly used part of Gmail's search language, turned into SQL.

Words and "quoted phrases" match whole words. Text is split at everything except letters and digits,
so only an alphanumeric token is safe to search for. `-x` excludes, `a OR b` matches either.
Operators: subject from to cc list filename rfc822msgid in label is has after before. Unknown
operators are searched for as text, as in Gmail.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.gmail_sandbox.mime import normalized_message_id

Condition = tuple[str, list[Any]]

_TERM = re.compile(
    r'(?P<minus>-)?(?:(?P<name>[a-z0-9_]+):)?(?P<value>"[^"]*"?|\([^)]*\)?|\S+)', re.IGNORECASE
)
_COLUMNS = {
    "subject": "subject",
    "from": "sender",
    "to": "recipients",
    "cc": "recipients",
    "list": "list_id",
    "filename": "filenames",
}
_PLACES = {
    "inbox": "INBOX",
    "sent": "SENT",
    "spam": "SPAM",
    "trash": "TRASH",
    "unread": "UNREAD",
    "starred": "STARRED",
    "important": "IMPORTANT",
    "drafts": "DRAFT",
}


@dataclass(frozen=True, slots=True)
class Search:
    where: str
    """A condition on `messages`, with one `?` for each of `values`."""
    values: list[Any]
    anywhere: bool
    """Spam and trash are looked into as well."""
    says_where: bool
    """The query names a place, such as in:spam."""


def parse_search(query: str, *, prefixes: bool = False) -> Search:
    """Read a query. `prefixes`: match the beginnings of words, for typing into a search box."""
    conditions: list[Condition] = []
    anywhere = says_where = offer_choice = False
    for match in _TERM.finditer(query):
        if match["value"] == "OR" and not match["name"]:
            offer_choice = bool(conditions)
            continue
        name, value = (match["name"] or "").lower(), _unquoted(match["value"])
        if name in ("in", "label") and not match["minus"]:
            says_where = True
            anywhere = anywhere or value.lower() in ("anywhere", "spam", "trash")
        condition = _condition(name, value, prefixes=prefixes)
        if condition is None:
            continue
        if match["minus"]:
            condition = (f"NOT ({condition[0]})", condition[1])
        if offer_choice:
            earlier = conditions.pop()
            condition = (f"({earlier[0]} OR {condition[0]})", earlier[1] + condition[1])
            offer_choice = False
        conditions.append(condition)
    where = " AND ".join(sql for sql, _ in conditions) or "1"
    return Search(
        where, [value for _, values in conditions for value in values], anywhere, says_where
    )


def _condition(name: str, value: str, *, prefixes: bool) -> Condition | None:
    if name == "rfc822msgid":
        return "message_id = ?", [normalized_message_id(value)]
    if name in ("in", "label", "is"):
        return _place(value.lower())
    if name == "has" and value.lower() == "attachment":
        return "has_attachment", []
    if name in ("after", "before"):
        moment = _moment_ms(value)
        if moment is not None:
            return f"internal_date {'>=' if name == 'after' else '<'} ?", [moment]
    if name in _COLUMNS:
        return _words(value, column=_COLUMNS[name], prefixes=prefixes)
    return _words(f"{name} {value}" if name else value, column=None, prefixes=prefixes)


def _place(value: str) -> Condition | None:
    if value in ("anywhere", "all"):
        return None
    if value == "read":
        return "seq NOT IN (SELECT seq FROM labels WHERE label = 'UNREAD')", []
    return "seq IN (SELECT seq FROM labels WHERE label = ?)", [_PLACES.get(value, value.upper())]


def _words(value: str, *, column: str | None, prefixes: bool) -> Condition | None:
    if not any(sign.isalnum() for sign in value):
        return None
    phrase = '"' + value.replace('"', " ").replace("\0", " ") + '"' + ("*" if prefixes else "")
    match = f"{{{column}}} : {phrase}" if column else phrase
    return "seq IN (SELECT rowid FROM words WHERE words MATCH ?)", [match]


def _unquoted(value: str) -> str:
    if value.startswith("("):
        return value.strip("()")
    return value.strip('"')


def _moment_ms(value: str) -> int | None:
    """Read epoch seconds or yyyy/mm/dd (yyyy-mm-dd); a day starts at midnight UTC."""
    if value.isdecimal() and len(value) < 14:
        return int(value) * 1000
    try:
        day = datetime.strptime(value.replace("-", "/"), "%Y/%m/%d")  # noqa: DTZ007  # set below
    except ValueError:
        return None
    return int(day.replace(tzinfo=UTC).timestamp() * 1000)
