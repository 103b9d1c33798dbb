"""What the functions write: a payment's id everywhere, and nothing that a log must not hold."""

from __future__ import annotations

import json

import pytest

from tests.functions.whole_way.told import Told
from tests.template.transformed import raw_template, strings, template_for

PARAMETERS = raw_template()["Parameters"]
SECRETS = (
    "patron's address", "patron's name", "note", "address in a note", "reference", "card number",
    "password", "wrong password", "session token", "admin's address", "amount", "private key",
    "bearer token", "cursor key",
)  # fmt: skip
# One line of each kind that the journey makes: without them an empty log would prove nothing.
EXPECTED = {
    "request refused",
    "request failed",
    "payment logged",
    "payment voided",
    "payments exported",
    "waiver signed",
    "row is not as it was written",
    "entries routed",
    "record unroutable",
    "ledger row altered",
    "ledger row removed",
    "legal hold",
    "stream mapping off",
    "audit mail delivered",
    "delivery postponed",
    "message quarantined",
    "statements handled",
    "statement has findings",
    "ledger swept",
}


def test_the_journey_makes_every_kind_of_line(told: Told) -> None:
    assert {str(line.get("message")) for line in told.lines} >= EXPECTED


@pytest.mark.parametrize("what", SECRETS)
def test_no_log_line_and_no_output_holds(told: Told, what: str) -> None:
    secret = told.secrets[what]
    escaped = json.dumps(secret)[1:-1]
    assert [line[:200] for line in told.output.splitlines() if secret in line] == []
    assert escaped not in told.output


def test_every_secret_is_searched_for_and_really_was_in_the_journey(told: Told) -> None:
    assert told.secrets.keys() == set(SECRETS)
    mailed = json.dumps(told.mails, ensure_ascii=False)
    for what in ("patron's address", "note", "reference", "admin's address"):
        assert told.secrets[what] in mailed, what


def test_a_payment_can_be_followed_by_its_id_from_click_to_inbox(told: Told) -> None:
    payment_id = told.payment["payment_id"]
    lines = [line for line in told.lines if payment_id in json.dumps(line)]
    stations = [str(line["message"]) for line in lines]
    assert stations[0] == "payment logged"
    assert "entries routed" in stations
    assert "audit mail delivered" in stations
    assert stations.index("entries routed") < stations.index("audit mail delivered")
    assert {line["seq"] for line in lines if "seq" in line} == {told.payment["seq"]}
    (mail,) = [each for each in told.mails if each["headers"].get("X-SCC-Payment-Id") == payment_id]
    assert payment_id in mail["text"]


def test_every_metric_of_an_alarm_and_of_the_dashboard_is_really_written(told: Told) -> None:
    prod = template_for("prod")
    namespace = PARAMETERS["AppName"]["Default"]
    watched = {
        each["MetricName"]
        for each in prod.of_type("AWS::CloudWatch::Alarm").values()
        if each["Namespace"] == namespace
    }
    body = json.loads(next(strings(prod["Dashboard"]["DashboardBody"])))
    watched |= {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == "${AppName}"
    }
    written = {
        each["Name"]
        for line in told.lines
        for metrics in line.get("_aws", {}).get("CloudWatchMetrics", ())
        for each in metrics["Metrics"]
    }
    by_filter = prod["PaymentsLoggedFilter"]["MetricTransformations"][0]["MetricName"]
    assert watched - written == {by_filter}
    counted = [
        line
        for line in told.lines
        if line.get("message") == "payment logged" and line["replayed"] is False
    ]
    assert counted, "what the filter counts"


def test_a_log_line_says_which_request_wrote_it(told: Told) -> None:
    assert told.lines
    for line in told.lines:
        if "_aws" not in line:
            assert line["function_request_id"] == "request-1", line
