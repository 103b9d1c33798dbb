"""`make test` as a whole and by folder. It takes minutes, so it runs only if named."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.catalogue import Say
from benchmarks.report.result import Goal, Result
from local.settings import REPOSITORY

SHOWN = 1.0  # seconds; shorter phases get no row


def measure(say: Say) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="scc-suite-") as folder:
        report = Path(folder) / "report.xml"
        say("make test")
        began = time.monotonic()
        subprocess.run(
            ["make", "test"],
            cwd=REPOSITORY,
            env=os.environ | {"PYTEST_ADDOPTS": f"--junitxml={report}"},
            stdout=sys.stderr,
            check=True,
        )
        took = time.monotonic() - began
        seconds = seconds_by_folder(report.read_text("utf-8"))
    return [
        Result(row="make test", unit="s", ours=[took], goal=Goal("value", "≤", 480)),
        *(
            Result(row=f"make test, of all workers: {folder}", unit="s", ours=[each])
            for folder, each in seconds.items()
            if each >= SHOWN
        ),
    ]


def seconds_by_folder(report: str) -> dict[str, float]:
    """How long each folder's tests took, fixtures included, from pytest's JUnit report."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        folder = "/".join(case.attrib["classname"].split(".")[:-1][:2])
        seconds[folder] += float(case.attrib["time"])
    return dict(sorted(seconds.items(), key=lambda each: -each[1]))
