"""A payment on a running stack, logged by our API and by one that mails inside the request."""

from typing import Any

from benchmarks.rig import synchronous
from functions.api import handler

SIDES = ("pipeline", "in_the_request")


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def pipeline(event: dict[str, Any]) -> bool:
    """Whether the payment was logged."""
    answer = handler.lambda_handler(event["pipeline"], Context())  # type: ignore[arg-type]
    return bool(answer["statusCode"] == 200)


def in_the_request(event: dict[str, Any]) -> bool:
    """Whether the payment was logged and its mail sent."""
    return bool(synchronous.lambda_handler(event["in_the_request"], Context())["statusCode"] == 200)
