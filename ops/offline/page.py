"""What a reader sees of a mail's HTML, and what tries to hide from the reader. Standard library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html.parser import HTMLParser

_NO_CONTENT = frozenset({"meta", "col", "br"})
_TAGS = frozenset({
    "html", "head", "meta", "title", "body", "div", "h1", "p", "strong", "br", "a",
    "table", "caption", "colgroup", "col", "thead", "tbody", "tr", "th", "td",
})  # fmt: skip
_ATTRIBUTES = {
    "style": None, "lang": None, "content": None, "charset": "utf-8", "dir": "auto",
    "name": None, "scope": None, "href": None,
}  # fmt: skip
_PX = r"(0|\d{1,3}px)"
_STYLES: Mapping[str, str] = {  # what the mailer writes; nothing that hides, moves or colors text
    "word-break": r"break-word",
    "margin": rf"{_PX}( {_PX}){{0,3}}",
    "padding": rf"{_PX}( {_PX}){{0,3}}",
    "padding-right": _PX,
    "font-family": r"[a-z, -]+",
    "font-size": r"(1[0-9]|2[0-9])px",
    "font-weight": r"bold|normal",
    "font-variant-numeric": r"tabular-nums",
    "line-height": r"1(\.\d+)?",
    "max-width": r"[3-9]\d\dpx",
    "width": r"100%|38%",
    "border-collapse": r"collapse",
    "table-layout": r"fixed",
    "text-align": r"left|right",
    "vertical-align": r"top",
    "overflow-wrap": r"anywhere",
    "border-top": r"1px solid rgba\(128,128,128,\.35\)",
    "border-left": r"4px solid #d93025",
    "opacity": r"\.[5-9]\d?",
}


class SeenPage(HTMLParser):
    """rows: cells of tables, one line each. lines: other blocks of text. odd: what hides text.

    links: address and text of each.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[tuple[str, ...]] = []
        self.lines: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.odd = ""
        self._address: str | None = None
        self._linked: list[str] = []
        self._cells: list[str] | None = None
        self._text: list[str] = []
        self._is_head = False
        self.feed(html)
        self.close()
        self._end_line()
        if self._address is not None:
            self._is_odd("a link without an end")

    def cell_of(self, label: str) -> str:
        """The value of the first row with this label, or an empty text."""
        return next((row[1] for row in self.rows if len(row) == 2 and row[0] == label), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._judge(tag, attrs)
        match tag:
            case "head":
                self._is_head = True
            case "tr":
                self._end_line()
                self._cells = []
            case "td" | "th":
                if "".join(self._text).strip():
                    self._is_odd("text between cells")
                self._text = []
            case "a":
                if self._address is not None:
                    self._is_odd("a link in a link")
                self._address, self._linked = dict(attrs).get("href") or "", []
            case "strong":
                pass
            case _:
                self._end_line()

    def _judge(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self._is_odd(f"<{tag}>")
        for name, value in attrs:
            if name not in _ATTRIBUTES or (_ATTRIBUTES[name] or value) != value:
                self._is_odd(f"the attribute {name}")
            elif name == "style":
                for declaration in _foreign_styles(value or ""):
                    self._is_odd(f"the style {declaration}")

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
                if self._address is not None:
                    self.links.append((self._address, one_space("".join(self._linked))))
                self._address = None
            case "strong":
                pass
            case _:
                self._end_line()

    def handle_data(self, data: str) -> None:
        if not self._is_head:
            self._text.append(data)
            self._linked.append(data)

    def handle_comment(self, data: str) -> None:
        self._is_odd(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self._is_odd(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self._is_odd(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self._is_odd(f"<?{data}>")

    def _end_line(self) -> None:
        text, self._text = one_space("".join(self._text)), []
        if text and self._cells is None:
            self.lines.append(text)

    def _is_odd(self, what: str) -> None:
        self.odd = self.odd or what[:60]


@lru_cache(maxsize=1_000)
def _foreign_styles(style: str) -> tuple[str, ...]:
    """The declarations that no mail of ours has."""
    declarations = [each.strip() for each in style.lower().split(";")]
    return tuple(each for each in declarations if each and not _is_our_style(each))


def _is_our_style(declaration: str) -> bool:
    name, _, value = (each.strip() for each in declaration.partition(":"))
    return name in _STYLES and re.fullmatch(_STYLES[name], value) is not None


def one_space(text: str) -> str:
    return " ".join(text.split())


def squeezed(text: str) -> str:
    """Text as Gmail and mail programs cannot change it: without spaces and marks around words."""
    return re.sub(r"[\s*_:>-]", "", text)


def unspaced(text: str) -> str:
    """A header's text: encoding it in several words may lose or add a space."""
    return "".join(text.split())
