from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.template.transformed import Template, strings

ROOT = Path(__file__).parents[2]


# AWS's own metrics, from the pages "Metrics" in Lambda's and SQS's developer guides.
OF_AWS = {
    "AWS/Lambda": {
        "DestinationDeliveryFailures", "Errors", "IteratorAge",
        "OnFailureDestinationDeliveredEventCount", "RecursiveInvocationsDropped", "Throttles",
        "Url4xxCount", "Url5xxCount",
        "UrlRequestCount", "UrlRequestLatency",
    },
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
    },
}  # fmt: skip
WRITERS = {
    "sweep": "functions/stream_router/sweep_handler.py",
    "statement": "functions/daily_statement/handler.py",
    "stream_router": "functions/stream_router/handler.py",
    "audit_mailer": "functions/audit_mailer/delivery/consumer.py",
    "mailbox_watch": "functions/audit_mailer/watch/handler.py",
}


def is_written(namespace: Any, metric: str, dimensions: Mapping[str, Any], prod: Template) -> bool:
    """Whether anything writes this metric with exactly these dimensions."""
    if namespace in OF_AWS:
        kind = "FunctionName" if namespace == "AWS/Lambda" else "QueueName"
        if metric.endswith(
            "EventCount"
        ):  # a mapping's metric, written only if the mapping asks for it
            kind = "EventSourceMappingUUID"
            mapping = prod[dimensions[kind]["Ref"]]
            assert mapping["MetricsConfig"] == {"Metrics": ["EventCount"]}
        return metric in OF_AWS[namespace] and list(dimensions) == [kind]
    if not dimensions:
        (written,) = prod["PaymentsLoggedFilter"]["MetricTransformations"]
        return (written["MetricNamespace"], written["MetricName"]) == (namespace, metric)
    environments = [
        each["Environment"]["Variables"] for each in prod.of_type("AWS::Lambda::Function").values()
    ]
    service = dimensions["service"]
    (variables,) = [each for each in environments if each["POWERTOOLS_SERVICE_NAME"] == service]
    is_there = variables["POWERTOOLS_METRICS_NAMESPACE"] == namespace
    return is_there and f'"{metric}"' in (ROOT / WRITERS[service]).read_text()


def test_every_alarm_watches_a_metric_that_is_written_and_tells_the_topic(prod: Template) -> None:
    for name, alarm in prod.of_type("AWS::CloudWatch::Alarm").items():
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert is_written(alarm["Namespace"], alarm["MetricName"], dimensions, prod), name
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_everything_that_needs_a_person_is_an_alarm(prod: Template) -> None:
    watched = {
        (each["MetricName"], *(str(one["Value"]) for one in each["Dimensions"]))
        for each in prod.of_type("AWS::CloudWatch::Alarm").values()
    }
    dead = (
        "ApproximateNumberOfMessagesVisible",
        "{'Fn::GetAtt': ['DeadLetterQueue', 'QueueName']}",
    )
    waiting = ("ApproximateAgeOfOldestMessage", "{'Fn::GetAtt': ['AuditQueue', 'QueueName']}")
    assert watched >= {
        dead,
        waiting,
        ("AuditMissing", "sweep"),
        ("CredentialFailures", "audit_mailer"),
        ("RecordsUnroutable", "stream_router"),
        ("LedgerTampered", "stream_router"),
        ("StreamMappingOff", "sweep"),
        ("IteratorAge", "{'Ref': 'RouterFunction'}"),
        ("OnFailureDestinationDeliveredEventCount", "{'Ref': 'RouterFunctionNewLedgerRows'}"),
        ("DestinationDeliveryFailures", "{'Ref': 'RouterFunction'}"),
        ("Url5xxCount", "{'Ref': 'ApiFunction'}"),
        ("Throttles", "{'Ref': 'ApiFunction'}"),
    }


def test_every_alarm_links_to_its_entry_in_the_runbook_and_there_are_no_others(
    prod: Template,
) -> None:
    slugs = set()
    for alarm in prod.of_type("AWS::CloudWatch::Alarm").values():
        slug = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AppName}-")
        assert alarm["AlarmDescription"].endswith(f" See docs/runbook.md#{slug}")
        slugs.add(slug)
    headings = re.findall(r"^### (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert slugs == set(headings)


def test_the_dashboard_shows_metrics_that_are_written(prod: Template) -> None:
    body = json.loads(next(strings(prod["Dashboard"]["DashboardBody"])))
    shown = set()
    for widget in body["widgets"]:
        for namespace, metric, *rest in widget["properties"]["metrics"]:
            names = [each for each in rest if isinstance(each, str)]
            dimensions = dict(zip(names[::2], names[1::2], strict=True))
            ours = namespace.replace("${AppName}", "shipcaptaincrew")
            assert is_written(ours, metric, dimensions, prod), metric
            shown.add(metric)
    assert shown >= {
        "PaymentsLogged", "MessagesOut", "MailsSent", "AuditMissing", "CredentialFailures",
        "DeliveryLatency",
    }  # fmt: skip


def test_payments_are_counted_by_the_line_that_the_api_logs(prod: Template) -> None:
    pattern = prod["PaymentsLoggedFilter"]["FilterPattern"]
    assert pattern == '{ $.message = "payment logged" && $.replayed IS FALSE }'
    source = (ROOT / "functions" / "api" / "routes" / "payments.py").read_text()
    assert 'logger.info(\n        "payment logged",' in source
    assert "replayed=logged.replayed" in source


def test_a_sweep_or_a_statement_that_does_not_run_is_an_alarm_too(prod: Template) -> None:
    for name in ("AuditMissingAlarm", "StatementsMissingAlarm", "StreamMappingOffAlarm"):
        assert prod[name]["TreatMissingData"] == "breaching"


def test_a_stream_that_is_not_read_is_an_alarm_within_the_hour(prod: Template) -> None:
    alarm = prod["StreamMappingOffAlarm"]
    assert alarm["Statistic"] == "Maximum", "it may be off for a moment only"
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 3600


def test_tampering_is_an_alarm_within_minutes_that_no_later_silence_takes_back(
    prod: Template,
) -> None:
    alarm = prod["LedgerTamperedAlarm"]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 0)
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 300
    assert "OKActions" not in alarm


def test_dead_letters_are_counted_by_what_is_in_the_queue(prod: Template) -> None:
    """NumberOfMessagesSent leaves out what a redrive policy moves."""
    alarm = prod["DeadLettersAlarm"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (0, 1)
