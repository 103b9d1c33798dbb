"""`make bench`, `make bench ONLY=cold,router`: measure, save the runs, print the table."""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from benchmarks.catalogue import FAMILIES, Family, UnknownFamilyError, chosen
from benchmarks.report import record
from benchmarks.report.plots import draw
from benchmarks.report.table import table
from benchmarks.rig.environment import environment


def main(arguments: list[str]) -> int:
    """0 if everything was measured, whether or not goals are met; 1 if something failed."""
    names = "\n".join(f"  {each.name:<10} {each.what}" for each in FAMILIES)
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        epilog=f"families:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="", help="families, comma-separated")
    try:
        families = chosen(parser.parse_args(arguments).only)
    except UnknownFamilyError as error:
        parser.error(str(error))
    failed = [each.name for each in families if not _measured(each)]
    results = record.kept(record.RESULTS, [each.name for each in FAMILIES])
    rendered = table(results)
    page = record.HERE / "README.md"
    page.write_text(record.with_table(page.read_text("utf-8"), rendered), "utf-8")
    draw(results, record.RESULTS)
    print(rendered)
    if failed:
        say(f"could not measure {', '.join(failed)}; the table shows the last run, if any")
    return 1 if failed else 0


def _measured(family: Family) -> bool:
    """Measure a family and save it; False if it failed, so that the others still run."""
    say(f"{family.name}: {family.what}")
    started, where = time.monotonic(), environment()
    try:
        results = family.measure(lambda text: say(f"  {text}"))
    except Exception:  # noqa: BLE001 - whatever it was, the other families are worth their minutes
        traceback.print_exc()
        return False
    took = {"seconds": round(time.monotonic() - started, 1)}
    record.keep(record.RESULTS, family.name, where | took, results)
    return True


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
