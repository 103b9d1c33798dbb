"""docs/operations.md on a deployed stack: each planned change, carried out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.gmail_sandbox.accounts import new_service_account
from tests.dock import until
from tests.release.walk import Account, blocks, git
from tests.suites import LONG

INDEX = """\
        - IndexName: GSI3 # what was logged on a day: sweep, statement, export
"""
ANOTHER_INDEX = """\
        - IndexName: GSI5 # all payments that an admin logged
          KeySchema:
            - { AttributeName: logged_by, KeyType: HASH }
            - { AttributeName: logged_at, KeyType: RANGE }
          Projection: { ProjectionType: ALL }
"""
ATTRIBUTE = "        - { AttributeName: logged_at, AttributeType: N }"


def pay(account: Account, amount: str) -> str:
    """Log a payment as the walk does, and return its id."""
    address, payment = blocks()[-2:]
    script = (
        "ADMIN=grace@shipcaptaincrew.example\n"
        'PASSWORD=$(.venv/bin/scc users password "$ADMIN" --json |'
        """ sed -n 's/.*"password": *"\\([^"]*\\)".*/\\1/p')\n"""
        + address
        + payment.replace("125.00", amount)
    )
    done = account.shell(script)
    assert done.returncode == 0, done.stdout
    found = re.findall(r'"payment_id": *"([^"]+)"', done.stdout)
    assert found, done.stdout
    return str(found[0])


def mail_of(account: Account, payment_id: str, seconds: float = 60) -> dict[str, Any]:
    def look() -> list[dict[str, Any]]:
        return [
            each for each in account.mails() if each["headers"]["X-SCC-Payment-Id"] == payment_id
        ]

    until(look, seconds)
    (mail,) = look()
    return mail


@contextmanager
def changed(account: Account, **files: str) -> Iterator[None]:
    """Changed files in the clone, committed; restored afterward."""
    before = git(account.clone, "rev-parse", "HEAD").strip()
    for name, text in files.items():
        (account.clone / name).write_text(text)
    account.commit("A change")
    try:
        yield
    finally:
        git(account.clone, "reset", "--quiet", "--hard", before)
        account.commit("As before")


def test_after_a_key_rotation_mails_continue(walked: Account) -> None:
    mail_of(walked, pay(walked, "101.00"))
    old = walked.sandbox.service_account_info
    key = new_service_account(old["token_uri"]) | {"client_email": old["client_email"]}
    file = walked.clone / "service-account-next.json"
    file.write_text(json.dumps(key))
    done = walked.shell("make gmail-key STAGE=staging FILE=service-account-next.json")
    assert done.returncode == 0, done.stdout
    walked.sandbox.forget_key_for(key)
    walked.sandbox.post_fault({"kind": "expire_tokens"})
    mail_of(walked, pay(walked, "102.00"))
    assert walked.shell(".venv/bin/scc doctor").returncode == 0


@LONG
def test_a_revoked_key_stops_no_payment_and_its_mail_follows_the_next_key(walked: Account) -> None:
    old = walked.sandbox.service_account_info
    key = new_service_account(old["token_uri"]) | {"client_email": old["client_email"]}
    walked.sandbox.forget_key_for(key)
    walked.sandbox.post_fault({"kind": "expire_tokens"})
    payment = pay(walked, "103.00")
    until(lambda: walked.shell(".venv/bin/scc doctor").returncode == 1)
    assert payment not in {each["headers"]["X-SCC-Payment-Id"] for each in walked.mails()}
    (walked.clone / "service-account-next.json").write_text(json.dumps(key))
    done = walked.shell("make gmail-key STAGE=staging FILE=service-account-next.json")
    assert done.returncode == 0, done.stdout
    mail_of(walked, payment, 120)


@LONG
def test_a_moved_inbox_gets_everything_logged_from_then_on(walked: Account) -> None:
    before = pay(walked, "104.00")
    assert mail_of(walked, before)["mailbox"] == "compliance@shipcaptaincrew.example"
    done = walked.shell(
        "make deploy STAGE=staging CONFIRM=yes "
        "PARAMETERS=GmailAuditRecipient=ledger@shipcaptaincrew.example"
    )
    assert done.returncode == 0, done.stdout[-3000:]
    after = pay(walked, "105.00")
    assert mail_of(walked, after)["mailbox"] == "ledger@shipcaptaincrew.example"
    assert mail_of(walked, before)["mailbox"] == "compliance@shipcaptaincrew.example"


@LONG
def test_another_index_comes_without_touching_a_row(walked: Account) -> None:
    dynamodb, table = walked.aws.client("dynamodb"), "shipcaptaincrew-staging-Payments"
    payment = pay(walked, "106.00")
    mail_of(walked, payment)
    rows = dynamodb.scan(TableName=table)["Items"]
    template = (walked.clone / "template.yaml").read_text()
    assert template.count(INDEX) == 1
    text = template.replace(INDEX, ANOTHER_INDEX + INDEX).replace(
        ATTRIBUTE,
        "        - { AttributeName: logged_by, AttributeType: S }\n" + ATTRIBUTE,
        1,
    )
    with changed(walked, **{"template.yaml": text}):
        done = walked.shell("make deploy STAGE=staging CONFIRM=yes")
        assert done.returncode == 0, done.stdout[-3000:]
        description = dynamodb.describe_table(TableName=table)["Table"]
        names = {each["IndexName"] for each in description["GlobalSecondaryIndexes"]}
        assert names == {"GSI1", "GSI2", "GSI3", "GSI4", "GSI5"}
        assert sorted(map(str, dynamodb.scan(TableName=table)["Items"])) == sorted(map(str, rows))
        found = dynamodb.query(
            TableName=table,
            IndexName="GSI5",
            KeyConditionExpression="logged_by = :who",
            ExpressionAttributeValues={":who": {"S": "grace@shipcaptaincrew.example"}},
        )
        assert payment in {item["payment_id"]["S"] for item in found["Items"]}
        mail_of(walked, pay(walked, "107.00"))
        verified = walked.shell(".venv/bin/scc verify")
        assert verified.returncode == 0, verified.stdout


@LONG
def test_a_second_region_is_a_second_installation_that_never_meets_the_first(
    walked: Account, tmp_path: Path
) -> None:
    samconfig = (walked.clone / "samconfig.toml").read_text()
    head, prod = samconfig.split("[prod.deploy.parameters]")
    prod = prod.replace('region = "us-east-1"', 'region = "us-west-2"').replace(
        "Stage=prod ", "Stage=prod AppName=shipcaptaincrew-west "
    )
    with changed(walked, **{"samconfig.toml": f"{head}[prod.deploy.parameters]{prod}"}):
        done = walked.shell(
            "make gmail-key STAGE=prod FILE=service-account.json\n"
            "make deploy STAGE=prod CONFIRM=yes PARAMETERS='"
            "GmailServiceAccountEmail=a@scc-local.iam.gserviceaccount.com "
            "GmailAuditRecipient=west@shipcaptaincrew.example'\n"
        )
        assert done.returncode == 0, done.stdout[-3000:]
        done = walked.shell(
            "unset SCC_STACK\n"
            ".venv/bin/python -m ops.cli web publish --stack shipcaptaincrew --stage prod\n"
            ".venv/bin/python -m ops.cli web publish --stack shipcaptaincrew --stage staging\n"
            "make smoke STAGE=prod"
        )
        assert done.returncode == 0, done.stdout[-3000:]
    west = walked.shell(".venv/bin/scc status --stack shipcaptaincrew --region us-west-2")
    assert west.returncode == 0, west.stdout
    for stack, region in (("shipcaptaincrew", "us-east-1"), ("$SCC_STACK", "us-west-2")):
        other = walked.shell(f'.venv/bin/scc status --stack "{stack}" --region {region}')
        assert other.returncode == 2, other.stdout
        assert "There is no stack" in other.stdout


@pytest.mark.parametrize("name", ["operations.md", "deploy.md"])
def test_everything_the_documents_point_to_exists(name: str) -> None:
    docs = Path(__file__).parents[2] / "docs"
    for target in re.findall(r"\]\(([a-z./-]+?)(?:#[a-z-]+)?\)", (docs / name).read_text()):
        assert (docs / target).exists(), target
    for test in re.findall(r"`(tests/[a-z_/.]+)`", (docs / name).read_text()):
        assert (docs.parent / test).exists(), test
    for target in re.findall(r"(?m)(?:^|`)make ([a-z-]+)", (docs / name).read_text()):
        assert f"\n{target}:" in (docs.parent / "Makefile").read_text(), target
