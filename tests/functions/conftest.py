"""What the Lambda environment sets before a handler is imported."""

from __future__ import annotations

import os

os.environ["POWERTOOLS_SERVICE_NAME"] = "test"
os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "ShipCaptainCrew"
