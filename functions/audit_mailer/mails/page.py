"""A page of facts as plain text and as HTML, the latter for a narrow pane, by day and by night.

Mail programs keep little of a style sheet, so every rule is inline, nothing is loaded, and colours
are left to the reader's own theme: only lines and one accent are set, readable on white and black.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LINE = "rgba(128,128,128,.35)"
ALARM = "#d93025"
CELL = "padding:5px 0;vertical-align:top;text-align:left;overflow-wrap:anywhere"
PLAIN_WIDTH = 26  # of the labels in plain text


@dataclass(frozen=True, slots=True)
class Section:
    """A table. headers: none for label and value; else one for each value, as Before and After."""

    heading: str
    rows: Sequence[tuple[str, ...]]
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """heading: what it is about. notice: what must not be missed, if anything is."""

    heading: str
    subheading: str
    notice: str
    sections: Sequence[Section]
    closing: Sequence[str]


def to_text(page: Page) -> str:
    parts = [f"{page.heading}\n{page.subheading}"]
    if page.notice:
        parts.append(page.notice)
    parts += [_text_section(each) for each in page.sections]
    return "\n\n".join([*parts, *page.closing]) + "\n"


def to_html(page: Page) -> str:
    notice = (
        f'<p style="margin:0 0 14px;padding:6px 0 6px 10px;border-left:4px solid {ALARM}">'
        f"<strong>{escape(page.notice)}</strong></p>\n"
        if page.notice
        else ""
    )
    closing = "".join(
        f'<p style="margin:10px 0 0;overflow-wrap:anywhere">{escape(each)}</p>\n'
        for each in page.closing
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(page.heading)}</title></head>\n"
        '<body style="margin:0;padding:12px;font-family:Arial,Helvetica,sans-serif;'
        'font-size:14px;line-height:1.45">\n<div style="max-width:640px">\n'
        '<h1 style="margin:0;font-size:20px;line-height:1.3;overflow-wrap:anywhere">'
        f"{escape(page.heading)}</h1>\n"
        '<p style="margin:2px 0 14px;font-size:15px;overflow-wrap:anywhere">'
        f"{escape(page.subheading)}</p>\n"
        + notice
        + "".join(_html_section(each) for each in page.sections)
        + closing
        + "</div>\n</body></html>\n"
    )


def _text_section(section: Section) -> str:
    lines = [section.heading.upper()]
    if section.headers:
        lines.append(f"{'':<{PLAIN_WIDTH}}{' -> '.join(section.headers)}")
    lines += [f"{row[0] + ':':<{PLAIN_WIDTH}}{' -> '.join(row[1:])}" for row in section.rows]
    return "\n".join(lines)


def _html_section(section: Section) -> str:
    head = ""
    if section.headers:
        cells = "".join(
            f'<th scope="col" style="{CELL};padding-right:10px">{escape(each)}</th>'
            for each in section.headers
        )
        head = f"<thead><tr><td></td>{cells}</tr></thead>\n"
    rows = "\n".join(_html_row(row) for row in section.rows)
    return (
        '<table style="width:100%;border-collapse:collapse;margin:0 0 18px;table-layout:fixed">\n'
        '<caption style="text-align:left;font-size:15px;font-weight:bold;padding:0 0 4px">'
        f"{escape(section.heading)}</caption>\n"
        f'<colgroup><col style="width:38%">{"<col>" * max(1, len(section.headers))}</colgroup>\n'
        f"{head}<tbody>\n{rows}\n</tbody></table>\n"
    )


def _html_row(row: tuple[str, ...]) -> str:
    line = f"border-top:1px solid {LINE}"
    cells = "".join(
        f'<td dir="auto" style="{CELL};padding-right:10px;{line}">{escape(each)}</td>'
        for each in row[1:]
    )
    return (
        f'<tr><th scope="row" style="{CELL};padding-right:10px;font-weight:normal;font-size:13px;'
        f'{line};opacity:.75">{escape(row[0])}</th>{cells}</tr>'
    )
