"""The raw runs on disk: one JSON file per family, and the table of all in the README."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report.result import Result

HERE = Path(__file__).parents[1]
RESULTS = HERE / "results"
BEGIN, END = "<!-- table: written by make bench -->\n", "<!-- end of table -->\n"


def keep(folder: Path, family: str, where: Mapping[str, Any], results: Sequence[Result]) -> Path:
    """Replace the saved run of a family."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"environment": where, "results": [each.to_json() for each in results]}
    file = folder / f"{family}.json"
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return file


def kept(folder: Path, families: Iterable[str]) -> list[Result]:
    """The saved runs, in the order of the families; families without a run are left out."""
    found: list[Result] = []
    for family in families:
        file = folder / f"{family}.json"
        if file.exists():
            content = json.loads(file.read_text("utf-8"))
            found += [Result.from_json(each) for each in content["results"]]
    return found


def with_table(page: str, table: str) -> str:
    """The page with the table between its two marks. Raises ValueError if a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN.strip()} … {END.strip()}")
    return f"{before}{begin}\n{table}\n{end}{after}"
