"""A warm POST /api/payments; the ledger's adapter; the bare calls; the transaction alone."""

from typing import Any

import boto3

from functions.api import handler, wiring
from functions.api.payments.appending import Snapshot
from shared.ledger import Head, LedgerEntry

SIDES = ("post", "append", "bare_calls", "bare_transaction")
client: Any = boto3.client("dynamodb")
head = Head(seq=41, hash="a" * 64)
snapshot = Snapshot(event=None, patron=None, head=head, same_number=frozenset())


class Context:
    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request-1"


def post(event: dict[str, Any]) -> None:
    answer = handler.lambda_handler(event["post"], Context())  # type: ignore[arg-type]
    if answer["statusCode"] != 200:
        raise RuntimeError(answer["body"])


def append(event: dict[str, Any]) -> None:
    """Turn an entry into attributes, and run the transaction."""
    wiring.ledger().append([LedgerEntry.from_row(event["row"])], "f" * 64, snapshot)


def bare_calls(event: dict[str, Any]) -> None:
    for name, arguments in event["calls"]:
        getattr(client, name)(**arguments)


def bare_transaction(event: dict[str, Any]) -> None:
    name, arguments = event["calls"][-1]
    getattr(client, name)(**arguments)
