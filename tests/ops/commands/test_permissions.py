"""The stack's ops policies, one user each: each may run its commands and no more."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from local.running_stack import RunningStack
from tests.dock import until
from tests.ops.conftest import DeadLetters
from tests.ops.letters import numbered
from tests.shells import Scc
from tests.suites import later

QUICKLY = ("--rate", "20", "--yes")


@contextmanager
def holding(stack: RunningStack, *policies: str) -> Iterator[Mapping[str, str]]:
    """The environment of someone who has these policies and nothing else."""
    iam, name = stack.aws.client("iam"), f"ops-{uuid.uuid4().hex[:8]}"
    arns = [stack.outputs[f"Ops{each}PolicyArn"] for each in policies]
    iam.create_user(UserName=name)
    for arn in arns:
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    try:
        yield {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_ENDPOINT_URL": stack.settings.engine_url,
        }
    finally:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for arn in arns:
            iam.detach_user_policy(UserName=name, PolicyArn=arn)
        iam.delete_user(UserName=name)


@pytest.mark.parametrize(
    ("arguments", "policies"),
    [
        (["status"], ["Read"]),
        later(["findings", "ls"], ["Read"]),
        later(["findings", "ls", "--mailbox"], ["Read", "Mailbox"]),
        (["dlq", "ls"], ["Read"]),
        later(["dlq", "groups"], ["Read"]),
        later(["dlq", "replay", "--all", "--dry-run"], ["Read"]),
        (["verify", "--event", "{event}"], ["Read"]),
        later(["reconcile", "--event", "{event}"], ["Read"]),
        later(["payment", "{payment}"], ["Read"]),
        later(["reconcile", "--event", "{event}", "--mailbox"], ["Read", "Mailbox"]),
        later(["payment", "{payment}", "--mailbox"], ["Read", "Mailbox"]),
        (["doctor"], ["Read", "Mailbox"]),
    ],
)
def test_looking_requires_the_read_policies(
    scc: Scc, dead: DeadLetters, arguments: list[str], policies: list[str]
) -> None:
    payment = dead.dock.logged()["payment_id"]
    dead.dock.await_mail(payment)
    words = [each.format(event="sunset-charter", payment=payment) for each in arguments]
    with holding(dead.stack, *policies) as env:
        answer = scc(*words, env=env)
    assert answer.returncode in (0, 1), answer.stderr
    assert "may not" not in answer.stderr
    with holding(dead.stack, *policies[1:]) as env:
        answer = scc(*words, env=env)
    assert answer.returncode == 2
    assert "These credentials may not" in answer.stderr
    assert "OpsReadPolicy" in answer.stderr


def test_someone_who_may_only_look_cannot_move_anything(scc: Scc, dead: DeadLetters) -> None:
    (payment,) = dead.unmailed(1)
    poison = dead.put("nonsense")
    with holding(dead.stack, "Read", "Mailbox") as env:
        replay = scc("dlq", "replay", "--id", payment, *QUICKLY, env=env)
        discard = scc("dlq", "discard", "--id", poison, "--reason", "x", "--yes", env=env)
        add = scc("users", "add", "a@b.example", "--name", "A", "--group", "admins", env=env)
        publish = scc("web", "publish", "--stage", "staging", env=env)
    for answer in (replay, discard, add, publish):
        assert answer.returncode == 2, answer.stdout
        assert "These credentials may not" in answer.stderr
    assert dead.depth().waiting == 2
    assert dead.dock.mails_of(payment) == []


def test_someone_who_may_replay_can_replay_but_not_discard(scc: Scc, dead: DeadLetters) -> None:
    (payment,) = dead.unmailed(1)
    poison = dead.put("nonsense")
    with holding(dead.stack, "Read", "Replay") as env:
        replay = scc("dlq", "replay", "--id", payment, *QUICKLY, env=env)
        discard = scc("dlq", "discard", "--id", poison, "--reason", "x", "--yes", env=env)
    assert replay.returncode == 0, replay.stderr
    dead.dock.await_mail(payment)
    assert discard.returncode == 2
    assert "These credentials may not PutObject" in discard.stderr
    assert [each["MessageId"] for each in dead.messages()] == [poison]


def test_someone_who_may_discard_discards_after_archiving(scc: Scc, dead: DeadLetters) -> None:
    poison = dead.put(numbered(1).to_json())
    with holding(dead.stack, "Read", "Replay", "Discard") as env:
        answer = scc("dlq", "discard", "--id", poison, "--reason", "a drill", "--yes", "--json",
                     env=env)  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert dead.depth().total == 0
    ops_id = json.loads(answer.stdout)["ops_id"]
    kept = dead.stack.aws.client("s3").list_objects_v2(
        Bucket=dead.stack.outputs["FailuresBucketName"], Prefix="discarded/"
    )["Contents"]
    assert f"discarded/{ops_id.removesuffix('_done')}.json" in {each["Key"] for each in kept}
    until(lambda: dead.mails_of_ops(ops_id))
