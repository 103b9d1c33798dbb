import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from local.demo.data import EVENTS, load_events, load_users
from local.demo.people import USERS
from local.engine.aws import LocalAws

TABLE = "shipcaptaincrew-Events"
TODAY = dt.date(2027, 5, 1)


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with mock_aws():
        aws = LocalAws("https://dynamodb.us-east-1.amazonaws.com")
        aws.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("event_id", "SK")
            ],
            KeySchema=[
                {"AttributeName": "event_id", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
        )
        yield aws


def items(aws: LocalAws, event_id: str) -> list[dict[str, Any]]:
    query = "event_id = :id"
    values = {":id": event_id}
    table = aws.resource("dynamodb").Table(TABLE)
    found: list[dict[str, Any]] = table.query(
        KeyConditionExpression=query, ExpressionAttributeValues=values
    )["Items"]
    return found


def test_there_are_at_least_six_events_and_the_sunset_charter_has_its_patrons(
    aws: LocalAws,
) -> None:
    assert load_events(aws, TABLE, TODAY) >= 6
    meta, *roster = items(aws, "sunset-charter")
    assert (meta["SK"], meta["name"], meta["listing"]) == ("META", "Sunset Charter", "event")
    assert meta["event_date"] == "2027-05-01"
    assert meta["roster_size"] == len(roster) >= 25
    patrons = {patron["email"]: patron["name"] for patron in roster}
    assert patrons["jane.doe@example.com"] == "Jane Doe"
    assert patrons["o'brien+dock@example.com"] == "Séamus O'Brien"
    assert patrons["lee@example.com"] == "李小龍"


def test_every_key_is_lower_case_and_no_patron_is_twice_on_a_roster() -> None:
    for event in EVENTS:
        emails = [email for email, _ in event.roster]
        assert emails == [email.lower() for email in emails]
        assert len(set(emails)) == len(emails)


def test_loading_again_keeps_all_later_changes(aws: LocalAws) -> None:
    load_events(aws, TABLE, TODAY)
    table = aws.resource("dynamodb").Table(TABLE)
    key = {"event_id": "sunset-charter", "SK": "PATRON#lee@example.com"}
    table.update_item(
        Key=key,
        UpdateExpression="SET waiver_signed_at = :t",
        ExpressionAttributeValues={":t": 1},
    )
    assert load_events(aws, TABLE, TODAY + dt.timedelta(days=3)) == 0
    assert table.get_item(Key=key)["Item"]["waiver_signed_at"] == 1
    assert items(aws, "sunset-charter")[0]["event_date"] == "2027-05-01"


def test_an_event_whose_loading_was_interrupted_is_completed(aws: LocalAws) -> None:
    load_events(aws, TABLE, TODAY)
    table = aws.resource("dynamodb").Table(TABLE)
    table.delete_item(Key={"event_id": "sunset-charter", "SK": "META"})
    table.delete_item(Key={"event_id": "sunset-charter", "SK": "PATRON#lee@example.com"})
    assert load_events(aws, TABLE, TODAY) == 1
    assert items(aws, "sunset-charter")[0]["roster_size"] == len(items(aws, "sunset-charter")) - 1


class BusyAws:
    """Its DynamoDB leaves something out once, of every batch it is asked to read or to write."""

    def __init__(self, aws: LocalAws) -> None:
        self._there = aws.client("dynamodb")
        self._is_busy = True

    def client(self, service: str) -> Any:
        return self

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        ((table, wanted),) = request["RequestItems"].items()
        less = {table: {**wanted, "Keys": wanted["Keys"][self._room() :]}}
        answer: dict[str, Any] = self._there.batch_get_item(RequestItems=less)
        left = wanted["Keys"][: len(wanted["Keys"]) - len(less[table]["Keys"])]
        return answer | {"UnprocessedKeys": {table: {**wanted, "Keys": left}} if left else {}}

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        ((table, puts),) = request["RequestItems"].items()
        room = self._room()
        self._there.batch_write_item(RequestItems={table: puts[room:]})
        return {"UnprocessedItems": {table: puts[:room]} if room else {}}

    def _room(self) -> int:
        self._is_busy = not self._is_busy
        return 0 if self._is_busy else 1


def test_what_a_busy_table_left_out_is_neither_lost_nor_loaded_twice(aws: LocalAws) -> None:
    busy: Any = BusyAws(aws)
    waits = list[float]()
    assert load_events(busy, TABLE, TODAY, pause=waits.append) == len(EVENTS)
    assert len(waits) > 2
    meta, *roster = items(aws, "sunset-charter")
    assert meta["roster_size"] == len(roster)
    assert load_events(busy, TABLE, TODAY, pause=waits.append) == 0


def test_each_user_signs_in_with_the_password_of_the_last_start() -> None:
    with mock_aws():
        check_sign_ins(LocalAws("https://cognito-idp.us-east-1.amazonaws.com"))


def check_sign_ins(aws: LocalAws) -> None:
    cognito = aws.client("cognito-idp")
    pool = cognito.create_user_pool(
        PoolName="pool",
        UsernameAttributes=["email"],
        Policies={
            "PasswordPolicy": {
                "MinimumLength": 12,
                "RequireLowercase": True,
                "RequireNumbers": False,
                "RequireSymbols": False,
                "RequireUppercase": False,
            }
        },
    )["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    for group in ("admins", "auditors", "crew"):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    load_users(aws, pool, "First-password1")
    load_users(aws, pool, "anchors-aweigh")
    for user in USERS:
        answer = cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client,
            AuthParameters={"USERNAME": user.email, "PASSWORD": "anchors-aweigh"},
        )
        assert "AuthenticationResult" in answer
        groups = cognito.admin_list_groups_for_user(UserPoolId=pool, Username=user.email)
        assert [group["GroupName"] for group in groups["Groups"]] == [user.group]
