"""The text/plain part as Gmail makes it from the HTML: bold as *bold*, links with their target."""

import re
import textwrap
from html.parser import HTMLParser

WIDTH = 75
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figure"),
    *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "li", "main", "nav", "ol"),
    *("p", "pre", "section", "table", "tbody", "thead", "tr", "ul"),
}
_SPACED = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "pre"}
_UNSEEN = {"style", "script", "head", "title", "template"}
_MARKS = {"b": "*", "strong": "*", "i": "_", "em": "_", "th": "*"}


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._unseen = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self.lines.append("")
        elif tag == "hr":
            self.lines += ["-" * 30, ""]
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.lines[-1])))
        elif tag in _BLOCKS:
            self._break(blank=tag in _SPACED)
            if tag == "li":
                self.lines[-1] = "   - "
        if tag in ("td", "th"):
            self._say(" ")
        self._say(_MARKS.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self._say(_MARKS.get(tag, ""))
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._links:
            href, start = self._links.pop()
            shown = self.lines[-1][start:].strip()
            if href.startswith(("http:", "https:", "mailto:")) and href not in (
                shown,
                f"mailto:{shown}",
            ):
                self._say(f" <{href}>")
        elif tag in _BLOCKS:
            self._break(blank=tag in _SPACED)

    def handle_data(self, data: str) -> None:
        self._say(re.sub(r"\s+", " ", data))

    def _say(self, text: str) -> None:
        if text and not self._unseen:
            line = self.lines[-1]
            starts_blank = not line or line.endswith(" ")
            self.lines[-1] = line + (text.lstrip(" ") if starts_blank else text)

    def _break(self, *, blank: bool) -> None:
        if self.lines[-1].strip():
            self.lines.append("")
        if blank and len(self.lines) > 1 and self.lines[-2].strip():
            self.lines.append("")


def plain_from_html(html: str) -> str:
    """Return the text that Gmail adds to an HTML part: wrapped, but never within a word."""
    parser = _Plain()
    parser.feed(html)
    parser.close()
    lines: list[str] = []
    for line in parser.lines:
        wrapped = textwrap.wrap(
            line.rstrip(), WIDTH, break_long_words=False, break_on_hyphens=False
        )
        lines += wrapped or [""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
