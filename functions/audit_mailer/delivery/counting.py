"""Counting from several threads: Powertools' Metrics is not thread-safe."""

from __future__ import annotations

import threading

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

_metrics = Metrics()
_lock = threading.Lock()


def count(name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add to a metric that the handler's `log_metrics` writes out at the end of the batch."""
    with _lock:
        _metrics.add_metric(name, unit, value)
