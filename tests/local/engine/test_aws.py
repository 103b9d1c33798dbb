from __future__ import annotations

import pytest

from local.engine.aws import LocalAws


def test_a_shell_that_is_set_up_for_aws_does_not_stop_make_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    client = LocalAws("http://127.0.0.1:9").client("sqs")
    assert client.meta.region_name == "us-east-1"
