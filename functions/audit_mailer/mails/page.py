"""A page of facts as plain text and as HTML, readable in a narrow pane, by day and by night.

Mail programs keep little of a style sheet, so every rule is inline and nothing is loaded. Colors
are left to the reader's theme: only lines and one accent are set, visible on white and on black.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from shared.text import one_line

LINE = "rgba(128,128,128,.35)"
ALARM = "#d93025"
CELL = "padding:5px 0;vertical-align:top;text-align:left;overflow-wrap:anywhere"
NUMBER = ";text-align:right;font-variant-numeric:tabular-nums"
LONGEST_UNDERLINE = 60  # of a heading in plain text


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """heading: what it is about. notice: what must not be missed, findings: its details."""

    heading: str
    subheading: str
    sections: Sequence[Section]
    notice: str = ""
    findings: Sequence[str] = ()
    closing: Sequence[str] = ()


def to_text(page: Page) -> str:
    parts = [f"{one_line(page.heading)}\n{one_line(page.subheading)}"]
    if page.notice:
        parts.append("\n".join(one_line(each) for each in (page.notice, *page.findings)))
    parts += [_text_section(each) for each in page.sections]
    return "\n\n".join([*parts, *(one_line(each) for each in page.closing)]) + "\n"


def to_html(page: Page) -> str:
    closing = "".join(
        f'<p style="margin:10px 0 0;overflow-wrap:anywhere">{_safe(each)}</p>\n'
        for each in page.closing
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{_safe(page.heading)}</title></head>\n"
        '<body style="margin:0;padding:12px;font-family:Arial,Helvetica,sans-serif;'
        'font-size:14px;line-height:1.45">\n<div style="max-width:640px">\n'
        '<h1 style="margin:0;font-size:20px;line-height:1.3;overflow-wrap:anywhere">'
        f"{_safe(page.heading)}</h1>\n"
        '<p style="margin:2px 0 14px;font-size:15px;overflow-wrap:anywhere">'
        f"{_safe(page.subheading)}</p>\n"
        + _html_notice(page)
        + "".join(_html_section(each) for each in page.sections)
        + closing
        + "</div>\n</body></html>\n"
    )


def _safe(text: str) -> str:
    return escape(one_line(text))


def _text_section(section: Section) -> str:
    heading = one_line(section.heading)
    labels = [each.label for each in section.sums] + [label for label, *_ in section.rows]
    width = max(len(one_line(label)) for label in labels) + 2
    lines = [heading, "-" * min(len(heading), LONGEST_UNDERLINE)]
    if section.headers:
        lines.append(" " * width + " -> ".join(section.headers))
    for label, count, amount in ((each.label, each.count, each.amount) for each in section.sums):
        lines.append(f"{one_line(label) + ':':<{width}}{count:>6}{amount:>16}")
    for label, *values in section.rows:
        lines.append(f"{one_line(label) + ':':<{width}}{' -> '.join(map(one_line, values))}")
    return "\n".join(lines)


def _html_notice(page: Page) -> str:
    if not page.notice:
        return ""
    lines = [f"<strong>{_safe(page.notice)}</strong>", *(_safe(each) for each in page.findings)]
    return (
        '<p style="margin:0 0 14px;padding:6px 0 6px 10px;overflow-wrap:anywhere;'
        f'border-left:4px solid {ALARM}">{"<br>".join(lines)}</p>\n'
    )


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
    body = "\n".join(rows)
    return (
        '<table style="width:100%;border-collapse:collapse;margin:0 0 18px;table-layout:fixed">\n'
        '<caption style="text-align:left;font-size:15px;font-weight:bold;padding:0 0 4px;'
        f'overflow-wrap:anywhere">{_safe(caption)}</caption>\n'
        f'<colgroup><col style="width:38%">{"<col>" * columns}</colgroup>\n'
        f"{head}<tbody>\n{body}\n</tbody></table>\n"
    )


def _html_head(headers: Sequence[str], style: str = "") -> str:
    if not headers:
        return ""
    cells = "".join(
        f'<th scope="col" style="{CELL};padding-right:10px{style}">{_safe(each)}</th>'
        for each in headers
    )
    return f"<thead><tr><td></td>{cells}</tr></thead>\n"


def _html_row(label: str, *values: str, style: str = "") -> str:
    line = f"border-top:1px solid {LINE}"
    cells = "".join(
        f'<td dir="auto" style="{CELL};padding-right:10px;{line}{style}">{_safe(each)}</td>'
        for each in values
    )
    return (
        f'<tr><th scope="row" style="{CELL};padding-right:10px;font-weight:normal;font-size:13px;'
        f'{line};opacity:.75">{_safe(label)}</th>{cells}</tr>'
    )
