"""What a snapshot of the started API must not carry into the copies that start from it.

Lambda's SnapStart freezes a function once its modules are loaded, and starts every environment from
that one snapshot, days later perhaps: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
Time is read with each request, and tokens come from the system's own randomness, which a copy gets
anew. The rest is dropped here.
"""

from __future__ import annotations

import random

from functions.api import wiring
from shared import aws


def prepare() -> None:
    """Read what is the same in every copy, and is most of a first request."""
    aws.describe("dynamodb")


def forget() -> None:
    """Drop clients with their connections and credentials, the cursors' key and the settings.

    `random` is seeded anew: two copies that want the same head would else wait equally long.
    """
    random.seed()
    wiring.forget()
    aws.forget()


def register() -> None:
    """Have Lambda call both; only its runtime has the hooks.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        from snapshot_restore_py import (  # type: ignore[import-not-found]  # noqa: PLC0415
            register_after_restore,
            register_before_snapshot,
        )
    except ImportError:
        return
    register_before_snapshot(prepare)
    register_after_restore(forget)
