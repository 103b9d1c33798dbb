"""`make lighthouse`: Lighthouse scores of the app's two entry pages.

Each page is measured as a phone on a slow line sees it (Lighthouse's default), signed in and out;
then the time from pressing Log Payment to a form that takes keys. Exits with 1 below a goal.
With SCC_TEST_STACK=<state folder> a running stack is used, else one is started and thrown away.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from local.running_stack import RunningStack
from tests.browser.chromium import chromium_path, launch, open_tab
from tests.browser.scenes.photograph import some_stack
from tests.dock import Dock

TOOLS = Path(__file__).parents[2] / ".tools"
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100}
PATHS = ("/", "/g/sunset-charter")
INTERACTIVE_MS = 100
ROUNDS = 10

MEASURE = """() => new Promise((done) => {
  const buttons = [...document.querySelectorAll("button")];
  const button = buttons.find((each) => each.textContent === "Log Payment");
  const start = performance.now();
  button.click();
  const ready = () => document.activeElement?.id === "payment-patron"
    ? done(performance.now() - start) : requestAnimationFrame(ready);
  requestAnimationFrame(ready); // a frame in which the form is painted and has the focus
})"""


def lighthouse(url: str, cookie: str) -> dict[str, Any]:
    """Lighthouse's report on one page. cookie: of who is signed in; empty for nobody."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [
            str(TOOLS / "engine" / "bin" / "node"),
            str(TOOLS / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"),
            url,
            "--quiet",
            "--output=json",
            f"--output-path={report.name}",
            f"--only-categories={','.join(GOALS)}",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        ]
        if cookie:
            command.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
        subprocess.run(
            command,
            check=True,
            timeout=180,
            env=os.environ | {"CHROME_PATH": chromium_path(whole=True)},
        )
        found: dict[str, Any] = json.loads(Path(report.name).read_text())
        return found


def scores(report: dict[str, Any]) -> dict[str, int]:
    return {name: round(report["categories"][name]["score"] * 100) for name in GOALS}


def failed_audits(report: dict[str, Any]) -> list[str]:
    """What kept a category below 100; not for speed, which has many causes."""
    audits = report["audits"]
    return [
        f"{name}: {audits[ref['id']]['title']}"
        for name in ("accessibility", "best-practices")
        for ref in report["categories"][name]["auditRefs"]
        if ref["weight"]
        and (audits[ref["id"]]["score"] or 0) < 1
        and audits[ref["id"]]["scoreDisplayMode"] not in {"notApplicable", "manual", "informative"}
    ]


def modal_times(stack: RunningStack, cookie: str) -> list[float]:
    """Milliseconds from the press to a painted form with the focus in its first field."""
    with sync_playwright() as playwright:
        browser = launch(playwright, whole=True)
        times: list[float] = []
        for _ in range(ROUNDS):
            page = open_tab(browser, stack, cookie)
            page.goto("/g/sunset-charter", wait_until="networkidle")
            times.append(page.evaluate(MEASURE))
            page.context.close()
        browser.close()
        return times


def main() -> None:
    reached = True
    with some_stack() as stack:
        admin = Dock(stack).sign_in().cookie
        for path in PATHS:
            for who, cookie in (("signed out", ""), ("admin", admin)):
                report = lighthouse(stack.url + path, cookie)
                found = scores(report)
                reached &= all(found[name] >= goal for name, goal in GOALS.items())
                print(f"{path:20} {who:10}", ", ".join(f"{k} {v}" for k, v in found.items()))
                for line in failed_audits(report):
                    print("   ", line)
        times = modal_times(stack, admin)
    middle = statistics.median(times)
    reached &= middle <= INTERACTIVE_MS
    print(f"payment form interactive after {middle:.0f} ms (median of {ROUNDS})")
    sys.exit(0 if reached else 1)


if __name__ == "__main__":
    main()
