"""What docs/deploy.md says of new accounts and of the key, against the template and the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.template.transformed import Template, raw_template, template_for

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
NEW_ACCOUNT = 10  # concurrent executions
HEADERS_POLICIES = 20  # in an account
NUMBERS = {3: "three", 4: "four", 20: "twenty"}
# A scope after the last slash of its address; the mailer's code adds the address to it.
SCOPE = re.compile(
    r"\b(gmail\.(?:compose|insert|labels|metadata|modify|readonly|send|settings\.\w+)"
    r"|mail\.google\.com)\b"
)


@pytest.fixture(scope="module")
def prod() -> Template:
    return template_for("prod")


def test_nothing_reserves_concurrency_until_somebody_asks_for_it(prod: Template) -> None:
    """AWS refuses any reservation that leaves less than ten for the account's other functions.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    assert raw_template()["Parameters"]["ApiReservedConcurrency"]["Default"] == "0"
    for function in prod.of_type("AWS::Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in function


def test_a_new_account_leaves_the_api_what_the_page_says(prod: Template) -> None:
    mailer = prod["MailerFunctionAuditMessages"]["ScalingConfig"]["MaximumConcurrency"]
    router = 1  # the stream of a small table has one shard
    scheduled = len(prod.of_type("AWS::Scheduler::Schedule"))
    left = NEW_ACCOUNT - mailer - router - scheduled
    assert f"At least {NUMBERS[left]} are left for the API" in PAGE


def test_the_nearest_quota_is_the_one_that_the_page_names(prod: Template) -> None:
    policies = len(prod.of_type("AWS::CloudFront::ResponseHeadersPolicy"))
    assert f"[{NUMBERS[HEADERS_POLICIES]} in an account]" in PAGE
    assert re.search(rf"a stack has\s+{NUMBERS[policies]}\.", PAGE)


def test_no_code_asks_google_for_more_than_the_page_grants() -> None:
    """Whoever holds the key could delete evidence with gmail.modify or mail.google.com."""
    asked = {
        scope
        for folder in ("functions", "ops", "release", "shared")
        for file in (ROOT / folder).rglob("*.py")
        for scope in SCOPE.findall(file.read_text("utf-8"))
    }
    assert asked == {"gmail.insert", "gmail.readonly", "gmail.send"}


def test_the_page_grants_no_other_scope() -> None:
    told = set(re.findall(r"`https://www\.googleapis\.com/auth/([a-z.]+)`", PAGE))
    assert told == {"gmail.send", "gmail.readonly"}
    assert "use `gmail.insert` instead of `gmail.send`" in PAGE
