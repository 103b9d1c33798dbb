"""A page of facts as plain text and as HTML, readable in a narrow pane, by day and by night.

Mail programs keep little of a style sheet, so every rule is inline and nothing is loaded. Colors
are left to the reader's theme: only lines and one accent are set, visible on white and on black.

Gmail shows the first 102 KB of a mail and hides the rest behind a link, so a page has a budget:
long values are cut, and whoever adds rows or sections in numbers asks `size_of` or `fitting` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from shared.text import one_line

LINE = "border-top:1px solid rgba(128,128,128,.35)"
ALARM = "#d93025"
BREAK = "overflow-wrap:anywhere;word-break:break-word"  # Gmail keeps the second only
CELL = "padding:5px 10px 5px 0;text-align:left"
NUMBER = "padding:5px 10px 5px 0;text-align:right;font-variant-numeric:tabular-nums"
LONGEST_UNDERLINE = 60  # of a heading in plain text
LONGEST_NAME = 80  # in a subject or a heading
LONGEST_ADDRESS = 254
LARGEST_VALUE = 2_600  # bytes of a cell or line as HTML; the API lets nobody write more
KEPT_OF_VALUE = 400  # characters of a larger one
CUT = "\u2026 (the rest is in the attachment)"
LARGEST_HTML = 90_000  # bytes; Gmail's 102 KB, less what encoding and its own marks may add


@dataclass(frozen=True, slots=True)
class Sum:
    """A line of a table of sums. count, amount: as shown, empty if there are none."""

    label: str
    count: str
    amount: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table. headers: none for label and value; else one for each value, as Before and After.

    sums: a table of counts and amounts above the rows.
    """

    heading: str
    rows: Sequence[tuple[str, ...]]
    headers: tuple[str, ...] = ()
    sums: Sequence[Sum] = ()


@dataclass(frozen=True, slots=True)
class PageLink:
    """address: http or https, quoted."""

    label: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """heading: what it is about. notice: what must not be missed, findings: its details."""

    heading: str
    subheading: str
    sections: Sequence[Section]
    notice: str = ""
    findings: Sequence[str] = ()
    link: PageLink | None = None
    closing: Sequence[str] = ()


def clipped(text: str, longest: int = LONGEST_NAME) -> str:
    """A name where there is little room for it."""
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def to_text(page: Page) -> str:
    parts = [f"{as_shown(page.heading)}\n{as_shown(page.subheading)}"]
    if page.notice:
        parts.append("\n".join(as_shown(each) for each in (page.notice, *page.findings)))
    if page.link:
        parts.append(f"{page.link.label}: {page.link.address}")
    parts += [_text_section(each) for each in page.sections]
    return "\n\n".join([*parts, *(as_shown(each) for each in page.closing)]) + "\n"


def size_of(page: Page) -> int:
    """Bytes of the page as HTML."""
    return len(to_html(page).encode())


def fitting(sections: Sequence[Section], budget: int) -> int:
    """How many of these sections, from the first, fit into so many bytes of HTML."""
    for number, each in enumerate(sections):
        budget -= len(_html_section(each).encode())
        if budget < 0:
            return number
    return len(sections)


def to_html(page: Page) -> str:
    closing = "".join(
        f'<p style="margin:10px 0 0;{BREAK}">{_safe(each)}</p>\n' for each in page.closing
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{_safe(page.heading)}</title></head>\n"
        '<body style="margin:0;padding:12px;font-family:Arial,Helvetica,sans-serif;'
        'font-size:14px;line-height:1.45">\n<div style="max-width:640px">\n'
        f'<h1 style="margin:0;font-size:20px;line-height:1.3;{BREAK}">'
        f"{_safe(page.heading)}</h1>\n"
        f'<p style="margin:2px 0 14px;font-size:15px;{BREAK}">'
        f"{_safe(page.subheading)}</p>\n"
        + _html_notice(page)
        + _html_link(page.link)
        + "".join(_html_section(each) for each in page.sections)
        + closing
        + "</div>\n</body></html>\n"
    )


def as_shown(text: str) -> str:
    """Data on one line, without what hides or turns text; cut where it is far too long."""
    line = one_line(text)
    is_large = len(escape(line).encode()) > LARGEST_VALUE
    return line[:KEPT_OF_VALUE] + CUT if is_large else line


def _safe(text: str) -> str:
    return escape(as_shown(text))


def _text_section(section: Section) -> str:
    heading = as_shown(section.heading)
    labels = [each.label for each in section.sums] + [label for label, *_ in section.rows]
    width = max((len(as_shown(label)) for label in labels), default=0) + 2
    lines = [heading, "-" * min(len(heading), LONGEST_UNDERLINE)]
    if section.headers:
        lines.append(" " * width + " -> ".join(section.headers))
    for label, count, amount in ((each.label, each.count, each.amount) for each in section.sums):
        lines.append(f"{as_shown(label) + ':':<{width}}{count:>6}{amount:>16}")
    for label, *values in section.rows:
        lines.append(f"{as_shown(label) + ':':<{width}}{' -> '.join(map(as_shown, values))}")
    return "\n".join(lines)


def _html_notice(page: Page) -> str:
    if not page.notice:
        return ""
    lines = [f"<strong>{_safe(page.notice)}</strong>", *(_safe(each) for each in page.findings)]
    return (
        f'<p style="margin:0 0 14px;padding:6px 0 6px 10px;{BREAK};'
        f'border-left:4px solid {ALARM}">{"<br>".join(lines)}</p>\n'
    )


def _html_link(link: PageLink | None) -> str:
    if link is None:
        return ""
    address = escape(link.address)
    return f'<p style="margin:0 0 14px"><a href="{address}">{_safe(link.label)}</a></p>\n'


def _html_section(section: Section) -> str:
    columns = max(1, len(section.headers))
    rows = [_html_row(label, *values) for label, *values in section.rows]
    if not section.sums:
        return _html_table(section.heading, columns, _html_head(section.headers), rows)
    sums = [_html_row(each.label, each.count, each.amount, style=NUMBER) for each in section.sums]
    head = _html_head(("Count", "Amount"), style=NUMBER)
    return _html_table(section.heading, 2, head, sums) + _html_table(
        f"{section.heading}: entries", 1, "", rows
    )


def _html_table(caption: str, columns: int, head: str, rows: Sequence[str]) -> str:
    """A style of the table holds for its cells where CSS hands it down, which saves a third."""
    body = "\n".join(rows)
    return (
        '<table style="width:100%;border-collapse:collapse;margin:0 0 18px;table-layout:fixed;'
        f'{BREAK}">\n'
        '<caption style="text-align:left;font-size:15px;font-weight:bold;padding:0 0 4px">'
        f"{_safe(caption)}</caption>\n"
        f'<colgroup><col style="width:38%">{"<col>" * columns}</colgroup>\n'
        f'{head}<tbody style="vertical-align:top">\n{body}\n</tbody></table>\n'
    )


def _html_head(headers: Sequence[str], style: str = CELL) -> str:
    if not headers:
        return ""
    cells = "".join(f'<th scope="col" style="{style}">{_safe(each)}</th>' for each in headers)
    return f"<thead><tr><td></td>{cells}</tr></thead>\n"


def _html_row(label: str, *values: str, style: str = CELL) -> str:
    cells = "".join(f'<td dir="auto" style="{style};{LINE}">{_safe(each)}</td>' for each in values)
    return (
        f'<tr><th scope="row" style="{CELL};{LINE};font-weight:normal;font-size:13px;opacity:.75">'
        f"{_safe(label)}</th>{cells}</tr>"
    )
