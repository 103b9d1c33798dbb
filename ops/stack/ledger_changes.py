"""Whether changes of the ledger reach the router, and which ones nobody should have made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from functions.stream_router.routing import Tampered
from functions.stream_router.stream_mapping import fault_of
from ops.session import Session
from ops.stack.functions import mappings_of


@dataclass(frozen=True, slots=True)
class KeptChanges:
    """Rows altered or removed behind the API's back, as the router kept them. newest: epoch ms."""

    count: int = 0
    newest: int | None = None


def mapping_faults(session: Session) -> Iterator[str]:
    """For each mapping from the ledger's stream to the router why it does not do; empty if it does.

    The sweep judges the stack's own mapping by the same rule.
    """
    table = session.aws.client("dynamodb").describe_table(
        TableName=session.aws.output("PaymentsTableName")
    )["Table"]
    mappings = mappings_of(session, "RouterFunctionName")
    for each in mappings:
        yield fault_of(each, table, session.aws.output("RouterFunctionName"))
    if not mappings:
        yield "the mapping is gone"


def kept_changes(session: Session, since: int) -> KeptChanges:
    """since: epoch ms."""
    pages = session.aws.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(
        Bucket=session.aws.output("FailuresBucketName"), Prefix=f"{Tampered.folder}/"
    )
    times = [
        int(each["LastModified"].timestamp() * 1000)
        for page in found
        for each in page.get("Contents", ())
    ]
    recent = [each for each in times if each >= since]
    return KeptChanges(len(recent), max(recent, default=None))
