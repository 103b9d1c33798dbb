"""Kinds of arguments that several verbs take; each refuses what it cannot be with a sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from functions.api.free_text.card_numbers import no_card_number
from functions.api.free_text.plain_text import shown

LONGEST_REASON = 500


class Day(click.ParamType):
    """YYYY-MM-DD, a business day of the stack."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            day = date.max
        if day.isoformat() != str(value):  # fromisoformat takes 20261124 and 2026-W48-2 too
            self.fail(f"{value!r} is not a day such as 2026-11-24", param, ctx)
        return day


class EventId(click.ParamType):
    """An event's id. An empty one is an unset variable, and must not mean every event."""

    name = "event"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:
            self.fail("it is empty: give an event's id, or leave the option out", param, ctx)
        return str(value)


class NewFile(click.Path):
    """Where to write a file. Not stdout, which is for what a command tells."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        _refuse_no_name("file", self, value, param, ctx)
        return super().convert(value, param, ctx)


class NewFolder(click.Path):
    """Where to write several files. An empty one is an unset variable, and must not mean here."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        _refuse_no_name("folder", self, value, param, ctx)
        return super().convert(value, param, ctx)


def _refuse_no_name(
    what: str,
    kind: click.ParamType,
    value: Any,
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> None:
    if value == "":
        kind.fail(f"it is empty: name a {what}, or leave the option out", param, ctx)
    if value == "-":
        kind.fail(f"nothing is written to stdout: name a {what}", param, ctx)


class Reason(click.ParamType):
    """What a person says for the ops record, which is mailed."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = shown(str(value))
        if not text:
            self.fail("it is empty: say why, for those who read the record", param, ctx)
        if len(text) > LONGEST_REASON:
            self.fail(f"it is longer than {LONGEST_REASON} characters", param, ctx)
        try:
            return no_card_number(text)
        except ValueError:
            self.fail("it looks like a card number, and everybody may read it", param, ctx)
