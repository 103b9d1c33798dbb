"""How a command talks: its data on stdout (tables or JSON), everything else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console as Rich
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ops.terminal.safe_text import safe, safe_lines

PLAIN_WIDTH = 200  # of facts and lists outside a terminal: wide enough for grep
PLAIN_PROGRESS_SECONDS = 5.0


class Meter:
    """How far a long step has come. The step calls `advance` as often as it likes."""

    def __init__(self, name: str, bar: Progress | None, total: int | None, say: Any) -> None:
        self._name, self._bar, self._total, self._say = name, bar, total, say
        self._task = bar.add_task(name, total=total) if bar else None
        self._told = time.monotonic()
        self.done = 0
        self.has_told = False  # a step that ends at once is not worth a line in a log

    def advance(self, by: int = 1) -> None:
        self.done += by
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, by)
        elif time.monotonic() - self._told >= PLAIN_PROGRESS_SECONDS:
            self._told, self.has_told = time.monotonic(), True
            self._say(self.line())

    def line(self) -> str:
        return f"{self._name}: {self.done}" + (f" of {self._total}" if self._total else "")


class Console:
    """as_json: data as JSON instead of tables. Colors and bars only on a terminal (NO_COLOR)."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Rich(highlight=False, soft_wrap=False)
        if not self._out.is_terminal:
            self._out = Rich(highlight=False, width=PLAIN_WIDTH)
        self._err = Rich(stderr=True, highlight=False, soft_wrap=True)

    def say(self, message: str, style: str = "") -> None:
        """A message for the person, on stderr."""
        self._err.print(Text(safe_lines(message), style=style))

    def show(self, content: Any) -> None:
        """One JSON document on stdout."""
        click.echo(json.dumps(content, indent=2, ensure_ascii=not _is_utf8()))

    def stream(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """A JSON array on stdout, one element per line, written as it comes; returns how many."""
        count = 0
        for row in rows:
            click.echo(("[\n " if count == 0 else ",\n ") + json.dumps(row), nl=False)
            count += 1
        click.echo("\n]" if count else "[]")
        return count

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table on stdout; every cell is made safe and kept on one line.

        Nothing is ever cut off: what is too wide for the terminal is a block of lines for each row.
        """
        if not self._out.is_terminal:
            self._whole_table(columns, rows)
            return
        cells = [["" if cell is None else safe(str(cell), 4_000) for cell in row] for row in rows]
        widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
        if sum(widths) + 2 * (len(widths) - 1) > self._out.width:
            self._blocks(columns, cells)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(name, no_wrap=True)
        for line in cells:
            table.add_row(*map(Text, line))
        self._out.print(table)

    def _blocks(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            block = Table(box=None, pad_edge=False, show_header=False)
            block.add_column(style="bold", no_wrap=True)
            block.add_column(overflow="fold")
            for name, cell in zip(columns, row, strict=True):
                if cell:
                    block.add_row(name, Text(cell))
            self._out.print(block)
            self._out.print()

    def _whole_table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        cells = [["" if cell is None else safe(str(cell), sys.maxsize) for cell in r] for r in rows]
        lines = [list(columns), *cells]
        widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            shown = (set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True))
            self._out.print(Text("  ".join(shown).rstrip()), soft_wrap=True)

    def lines(self, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[object]]) -> int:
        """A table on stdout, written row by row as it comes; returns how many.

        columns: name and width in cells; 0 takes the rest of the terminal.
        """
        rest = self._out.width - sum(width + 2 for _, width in columns if width)
        widths = [width or max(20, rest) for _, width in columns]
        count = 0
        for row in rows:
            if count == 0:
                self._line([name for name, _ in columns], widths, "bold")
            self._line(["" if cell is None else safe(str(cell)) for cell in row], widths)
            count += 1
        return count

    def _line(self, cells: Sequence[str], widths: Sequence[int], style: str = "") -> None:
        shown = (set_cell_size(cell, width) for cell, width in zip(cells, widths, strict=True))
        self._out.print(Text("  ".join(shown).rstrip(), style=style), no_wrap=True, crop=True)

    def facts(self, facts: Iterable[tuple[str, object]]) -> None:
        """Name and value, one pair per line, on stdout."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in facts:
            table.add_row(name, Text("" if value is None else safe(str(value), 4000)))
        self._out.print(table)

    @contextmanager
    def meter(self, name: str, total: int | None = None) -> Iterator[Meter]:
        """Show progress on stderr: a bar with the time left, or a plain line every few seconds."""
        if not self._err.is_terminal:
            meter = Meter(name, None, total, self.say)
            yield meter
            if meter.has_told:
                self.say(meter.line())
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._err, transient=True) as bar:
            yield Meter(name, bar, total, self.say)


def _is_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
