"""`make deploy-role`: whose tokens it trusts, and what it does with what is already there."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from click.testing import CliRunner

from ops.cli import scc
from ops.errors import OpsError
from release.deploy_role.command import AUDIENCE, ISSUER, apply, subject_of, trust_github
from tests.contracts.authorization import listed
from tests.release.deploy_role.role import raw_role

ARN = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
ROLE = "arn:aws:iam::123456789012:role/deploy/DeployRole"


@pytest.mark.parametrize(
    ("repository", "subject"),
    [
        ("octo-org/payments", "repo:octo-org/payments:environment:staging"),
        ("octo-org@123/payments@456", "repo:octo-org@123/payments@456:environment:staging"),
    ],
)
def test_a_repository_is_named_as_githubs_tokens_name_it(repository: str, subject: str) -> None:
    """Repositories made since July 2026 have their ids in it.

    https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
    """
    assert subject_of(repository, "staging") == subject


@pytest.mark.parametrize(
    "repository",
    ["", "payments", "octo-org/*", "*/payments", "octo-org/payments:*", "a/b/c", "a@1/b", "a/b?"],
)
def test_whatever_would_let_another_repository_in_is_refused(repository: str) -> None:
    with pytest.raises(OpsError, match="REPOSITORY must be OWNER/NAME or OWNER@ID/NAME@ID"):
        subject_of(repository, "staging")
    done = CliRunner().invoke(
        scc, ["release", "deploy-role", "--stage", "staging", "--repository", repository]
    )
    assert done.exit_code == 2


def test_the_template_takes_no_other_subject_either() -> None:
    pattern = raw_role()["Parameters"]["Subject"]["AllowedPattern"]
    assert "*" not in pattern.replace("]*", "")
    for name in listed(pattern):
        assert ":environment:" in name


class Iam:
    """An account with one identity provider, or none. clients: its audiences."""

    def __init__(self, clients: list[str] | None = None) -> None:
        self._clients = clients
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def list_open_id_connect_providers(self) -> dict[str, Any]:
        found = [] if self._clients is None else [{"Arn": ARN}]
        other = {"Arn": "arn:aws:iam::123456789012:oidc-provider/gitlab.com"}
        return {"OpenIDConnectProviderList": [other, *found]}

    def get_open_id_connect_provider(self, **request: Any) -> dict[str, Any]:
        assert request == {"OpenIDConnectProviderArn": ARN}
        return {"ClientIDList": self._clients}

    def add_client_id_to_open_id_connect_provider(self, **request: Any) -> None:
        self.asked.append(("add", request))

    def create_open_id_connect_provider(self, **request: Any) -> None:
        self.asked.append(("create", request))


def test_github_becomes_an_identity_provider_of_the_account_once() -> None:
    new, there, older = Iam(), Iam([AUDIENCE]), Iam(["https://github.com/octo-org"])
    for each in (new, there, older):
        trust_github(each)
    assert new.asked == [("create", {"Url": f"https://{ISSUER}", "ClientIDList": [AUDIENCE]})]
    assert there.asked == []
    assert older.asked == [("add", {"OpenIDConnectProviderArn": ARN, "ClientID": AUDIENCE})]


class CloudFormation:
    """is_there: the role's stack. update, end: what CloudFormation says of it, if not yes."""

    class exceptions:  # noqa: N801 - boto3's name
        AlreadyExistsException = type("AlreadyExistsException", (Exception,), {})

    def __init__(self, *, is_there: bool = False, update: str = "", end: str = "") -> None:
        self._is_there, self._update, self._end = is_there, update, end
        self.waited: list[str] = []
        self.request: dict[str, Any] = {}

    def create_stack(self, **request: Any) -> None:
        if self._is_there:
            raise self.exceptions.AlreadyExistsException
        self.request = request

    def update_stack(self, **request: Any) -> None:
        self.request = request
        if self._update:
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": self._update}}, "UpdateStack"
            )

    def get_waiter(self, name: str) -> CloudFormation:
        self.waited.append(name)
        return self

    def wait(self, **_: Any) -> None:
        if self._end:
            raise WaiterError("stack", self._end, {})

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        return {"Stacks": [{"Outputs": [{"OutputKey": "RoleArn", "OutputValue": ROLE}]}]}


@pytest.fixture
def wanted() -> dict[str, str]:
    return {"StackName": "shipcaptaincrew-staging"}


def test_the_role_is_created_and_later_brought_up_to_date(wanted: dict[str, str]) -> None:
    new, there = CloudFormation(), CloudFormation(is_there=True)
    assert apply(new, "s-deploy-role", wanted) == apply(there, "s-deploy-role", wanted) == ROLE
    assert (new.waited, there.waited) == (["stack_create_complete"], ["stack_update_complete"])
    assert new.request == there.request
    assert new.request["Capabilities"] == ["CAPABILITY_IAM"]


def test_a_role_that_needs_no_change_is_left_alone(wanted: dict[str, str]) -> None:
    same = CloudFormation(is_there=True, update="No updates are to be performed.")
    assert apply(same, "s-deploy-role", wanted) == ROLE
    assert same.waited == []


def test_what_cloudformation_refuses_is_told(wanted: dict[str, str]) -> None:
    broken = CloudFormation(is_there=True, update="Stack is in ROLLBACK_COMPLETE state")
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE"):
        apply(broken, "s-deploy-role", wanted)
    rolled_back = CloudFormation(end="ROLLBACK_COMPLETE")
    with pytest.raises(OpsError, match="describe-stack-events --stack-name s-deploy-role"):
        apply(rolled_back, "s-deploy-role", wanted)
