"""What docs/capacity.md counts is counted again, from the template and the code."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.families.pages import item_bytes
from benchmarks.rig import world
from shared.attributes import to_attributes
from tests.template.transformed import Template, template_for

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "capacity.md").read_text("utf-8")
METRIC_FUNCTIONS = {"add_metric", "count"}
# Each file that writes metrics, and its service: CloudWatch bills a name once per service.
SERVICES = {
    "functions/audit_mailer/delivery": "audit_mailer",
    "functions/audit_mailer/handler.py": "audit_mailer",
    "functions/audit_mailer/watch": "mailbox_watch",
    "functions/daily_statement": "statement",
    "functions/stream_router/handler.py": "stream_router",
    "functions/stream_router/sweep_handler.py": "sweep",
}
HOURLY = {"mailbox_watch", "statement", "sweep"}  # the services that a schedule runs
PARTITION_WRITE_UNITS = 1_000


@pytest.fixture(scope="module")
def prod() -> Template:
    return template_for("prod", AlarmEmail="ops@example.com")


def metrics() -> set[tuple[str, str]]:
    """Service and name of every metric that the functions write."""
    found = set()
    for file in sorted((ROOT / "functions").rglob("*.py")):
        place = file.relative_to(ROOT).as_posix()
        for name in _names(ast.parse(file.read_text("utf-8"))):
            (service,) = [each for path, each in SERVICES.items() if place.startswith(path)]
            found.add((service, name))
    return found


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called)) if (
                called in METRIC_FUNCTIONS and node.args
            ):
                if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                    yield node.args[0].value
            case ast.Assign(targets=[ast.Name(id="METRICS")], value=ast.Dict(values=values)):
                yield from (str(each.value) for each in values if isinstance(each, ast.Constant))
            case _:
                pass


def row(service: str) -> str:
    """The page's row about it."""
    (found,) = re.findall(rf"^\| {re.escape(service)} \|.*$", PAGE, re.MULTILINE)
    return str(found)


def dollars(line: str) -> float:
    return float(line.rstrip("| *").rsplit(" ", 1)[1].replace("*", ""))


def test_each_custom_metric_is_counted(prod: Template) -> None:
    written = metrics()
    filters = prod.of_type("AWS::Logs::MetricFilter")
    count = len(written) + sum(len(each["MetricTransformations"]) for each in filters.values())
    hourly = sum(service in HOURLY for service, _ in written)
    line = row("CloudWatch, custom metrics")
    assert f"{count} metrics at $0.30" in line
    assert f"{hourly} are written every hour" in line
    assert f"at most ${count * 0.30:.2f}" in line
    assert dollars(line) == pytest.approx(hourly * 0.30)


def test_every_metric_that_an_alarm_watches_is_among_them(prod: Template) -> None:
    watched = {
        (each["Dimensions"][0]["Value"], each["MetricName"])
        for each in prod.of_type("AWS::CloudWatch::Alarm").values()
        if each["Namespace"] == "shipcaptaincrew"
    }
    assert watched
    assert watched <= metrics()


def test_alarms_keys_secrets_and_schedules_are_counted(prod: Template) -> None:
    alarms = len(prod.of_type("AWS::CloudWatch::Alarm"))
    assert f"| {alarms} at $0.10 |" in row("CloudWatch, alarms")
    assert dollars(row("CloudWatch, alarms")) == pytest.approx(alarms / 10)
    dashboards = len(prod.of_type("AWS::CloudWatch::Dashboard"))
    assert f"| {dashboards} at $3.00 |" in row("CloudWatch, dashboard")
    keys = len(prod.of_type("AWS::KMS::Key"))
    assert f"| {keys} key that signs" in row("KMS")
    secrets = len(prod.of_type("AWS::SecretsManager::Secret")) + 1  # Gmail's is not the stack's
    assert f"| {secrets} secrets at $0.40" in row("Secrets Manager")
    assert dollars(row("Secrets Manager")) == pytest.approx(secrets * 0.40)


def test_a_months_scheduled_runs_are_counted(prod: Template) -> None:
    hours, runs = 730, 0
    for each in prod.of_type("AWS::Scheduler::Schedule").values():
        expression = each["ScheduleExpression"]
        quarterly = expression == "rate(15 minutes)"
        assert quarterly or re.fullmatch(r"cron\(\d+ \* \* \* \? \*\)", expression)
        runs += hours * 4 if quarterly else hours
    assert f"{runs:,} scheduled runs" in row("Lambda and Scheduler")


def test_what_is_counted_adds_up() -> None:
    tables = PAGE.split("## ")
    for title in ("What a million payments cost", "What it costs without payments"):
        (section,) = [each for each in tables if each.startswith(title)]
        lines = [each for each in section.splitlines() if re.search(r"\d\.\d\d \|$", each)]
        (total,) = [each for each in section.splitlines() if "**together**" in each]
        assert round(sum(map(dollars, lines))) == dollars(total), title


def test_a_days_partition_takes_what_the_page_says() -> None:
    """A write takes a unit per KB; an index of a table on demand has partitions like the table's.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
    """
    size = item_bytes(to_attributes(world.entry().to_row()))
    units = math.ceil(size / 1024)
    assert f"A row takes {size} bytes" in PAGE
    assert f"**{PARTITION_WRITE_UNITS // units:,} payments a second**" in PAGE
