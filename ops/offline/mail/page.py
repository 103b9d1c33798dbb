"""What a reader sees of a mail's HTML, as far as the verifier must read it. Standard library.

Whether something in it hides, moves or forges text is not for this file: a mail is compared whole
with what its record makes (shown.py).
"""

from __future__ import annotations

import re
from contextlib import suppress
from html.parser import HTMLParser

from functions.audit_mailer.mails.page import as_shown


class SeenPage(HTMLParser):
    """rows: cells of tables, one line each. lines: other blocks of text.

    links: address and text of each. said: all text in its order, a link's address after its text.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[tuple[str, ...]] = []
        self.lines: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.said: list[str] = []
        self._address = ""
        self._linked: list[str] = []
        self._cells: list[str] | None = None
        self._text: list[str] = []
        self._is_head = False
        with suppress(AssertionError):  # a declaration that HTMLParser cannot take apart
            self.feed(html)
            self.close()
        self._end_line()

    def cell_of(self, label: str) -> str:
        """The value of the first row with this label, or an empty text."""
        return next((row[1] for row in self.rows if len(row) == 2 and row[0] == label), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "head":
                self._is_head = True
            case "tr":
                self._end_line()
                self._cells = []
            case "td" | "th":
                self._text = []
            case "a":
                self._address, self._linked = dict(attrs).get("href") or "", []
            case "strong":
                pass
            case _:
                self._end_line()

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "head":
                self._is_head, self._text = False, []
            case "tr":
                if self._cells is not None:
                    self.rows.append(tuple(self._cells))
                self._cells = None
            case "td" | "th" if self._cells is not None:
                self._cells.append(one_space("".join(self._text)))
                self._text = []
            case "a":
                self.links.append((self._address, one_space("".join(self._linked))))
                self.said.append(self._address)
            case "strong":
                pass
            case _:
                self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._is_head:
            self.said.append(data)
            self._text.append(data)
            self._linked.append(data)

    def _end_line(self) -> None:
        text, self._text = one_space("".join(self._text)), []
        if text and self._cells is None:
            self.lines.append(text)


def one_space(text: str) -> str:
    return " ".join(text.split())


def plain(text: str) -> str:
    """Data as a mail shows it and as it is read back."""
    return one_space(as_shown(text))


def squeezed(text: str) -> str:
    """Text as mail programs cannot change it: without spaces and marks around words."""
    return re.sub(r"[\s*_:>-]", "", text)


def letters(text: str) -> str:
    """Text as Gmail cannot change it when it makes the plain text anew from the HTML."""
    return re.sub(r"[\W_]+", "", text).casefold()


def unspaced(text: str) -> str:
    """A header's text: encoding it in several words may lose or add a space."""
    return "".join(text.split())
