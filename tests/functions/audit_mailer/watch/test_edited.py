"""What somebody edited by hand neither stops the watch nor blinds it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from functions.audit_mailer.gmail.mailbox import Gmail
from functions.audit_mailer.mails.payment_mail import compose
from local.gmail_sandbox.process import GmailSandbox
from shared import keys
from shared.attributes import to_attributes
from tests.builders import NOW, entry
from tests.functions.audit_mailer.conftest import ADDRESSES, AUDIT
from tests.functions.audit_mailer.watch.watching import (
    DAY,
    Watching,
    fill_up,
    ids,
    mail_others,
    put,
)
from tests.suites import later


def test_a_delivery_that_is_gone_is_not_made_by_the_watch(watching: Watching) -> None:
    watching.run()
    key = to_attributes({"payment_id": entry().payment_id})
    watching.world.dynamodb.delete_item(TableName=watching.world.table, Key=key)
    assert watching.run().looked == 0
    assert watching.delivery() == {}


@pytest.mark.parametrize(
    "edited",
    [
        {"day": {"S": "tomorrow"}, "after": {"S": "x"}, "unsettled": {"S": "pay_1"}},
        {"day": {"N": "1"}, "after": {"N": "1.5"}, "unsettled": {"L": [{"N": "1"}, {"S": ""}]}},
        {"day": {"B": b"1"}, "after": {"BOOL": True}, "unsettled": {"L": [{"S": "no such id"}]}},
        {"day": {"S": "9999-12-31"}, "after": {"N": "-1"}, "unsettled": {"NULL": True}},
    ],
)
def test_a_round_that_somebody_edited_begins_anew(
    watching: Watching, edited: dict[str, Any]
) -> None:
    item = to_attributes(keys.watch()) | edited
    watching.world.dynamodb.put_item(TableName=watching.world.table, Item=item)
    assert watching.run().looked == 1


@pytest.mark.parametrize(
    "edited",
    [
        {"mails": {"S": "own"}, "seen_at": {"S": "x"}, "mailbox_finding": {"N": "1"}},
        {"mails": {"M": {"x": {"N": "1"}, "y": {"S": "own"}}}, "gmail_id": {"N": "1"}},
        {"sent_at": {"S": "x"}, "record_sha256": {"NULL": True}, "gmail_id": {"BOOL": True}},
    ],
)
def test_a_delivery_that_somebody_edited_is_looked_at_all_the_same(
    watching: Watching, sandbox: GmailSandbox, edited: dict[str, Any]
) -> None:
    key = to_attributes({"payment_id": entry().payment_id})
    table, dynamodb = watching.world.table, watching.world.dynamodb
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.put_item(TableName=table, Item=item | edited)
    assert watching.run().found.total() == 0
    sandbox.delete(ids(sandbox)[0])
    assert watching.run().found == {"missing": 1}


@pytest.mark.parametrize(
    "edited",
    [
        {"recipient": {"S": AUDIT.upper()}},
        {"recipient": {"N": "1"}},
        {"sent_at": {"N": "9999999999999"}},
    ],
)
def test_an_edited_delivery_does_not_blind_the_watch(
    watching: Watching, sandbox: GmailSandbox, edited: dict[str, Any]
) -> None:
    key = to_attributes({"payment_id": entry().payment_id})
    table, dynamodb = watching.world.table, watching.world.dynamodb
    dynamodb.put_item(
        TableName=table, Item=dynamodb.get_item(TableName=table, Key=key)["Item"] | edited
    )
    sandbox.delete(ids(sandbox)[0])
    assert watching.run().found == {"missing": 1}


def edit(watching: Watching, changes: dict[str, Any]) -> None:
    key = to_attributes({"payment_id": entry().payment_id})
    table, dynamodb = watching.world.table, watching.world.dynamodb
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.put_item(TableName=table, Item=item | changes)


@pytest.mark.parametrize("edited", ["x" * 9_000, later("..")])
def test_an_id_that_no_mail_has_costs_the_others_nothing(
    watching: Watching, sandbox: GmailSandbox, edited: str
) -> None:
    made = mail_others(watching, 2)
    edit(watching, {"gmail_id": {"S": edited}})
    sandbox.delete(ids(sandbox)[0])
    watched = watching.run()
    assert (watched.found, watched.is_finished) == ({"missing": 1}, True)
    assert all("seen_at" in watching.delivery(each.payment_id) for each in made)


def test_a_delivery_that_has_no_room_left_costs_the_others_nothing(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    made = mail_others(watching, 2)
    sandbox.delete(ids(sandbox)[0])
    fill_up(watching.world, {"payment_id": entry().payment_id})
    watched = watching.run()
    assert (watched.found, watched.is_finished) == ({"missing": 1}, True)
    assert watching.unkept == [entry().payment_id]
    assert all("seen_at" in watching.delivery(each.payment_id) for each in made)


def test_an_ops_record_of_odd_types_does_not_end_the_run(watching: Watching) -> None:
    odd = to_attributes({"ops_id": "ops_odd", "part": 0, "at": NOW}) | {"x": {"N": "1.5"}}
    watching.world.dynamodb.put_item(TableName=watching.ops_table, Item=odd)
    assert watching.run().is_finished


def test_a_pointer_that_is_no_key_stops_nothing(watching: Watching, sandbox: GmailSandbox) -> None:
    watching.world.log(entry())
    sandbox.delete(ids(sandbox)[0])
    assert watching.run().found == {"missing": 1}
    ledger = watching.world.payments.replace("Payments", "Ledger")
    for place in ({"row_pk": "x", "row_sk": True}, {"row_pk": "x" * 3_000, "row_sk": 1}, {}):
        pointer = keys.pointer(entry().payment_id) | place
        watching.world.dynamodb.put_item(TableName=ledger, Item=to_attributes(pointer))
        assert watching.run().found == {"missing": 1}


def test_what_was_noted_by_hand_is_read_again_in_the_round(
    watching: Watching, sandbox: GmailSandbox, gmail: Callable[..., Gmail]
) -> None:
    watching.world.log(entry())
    quote = re.sub(rb"(?m)^X-SCC-.*\r\n", b"", compose(entry().to_row(), ADDRESSES).content)
    foreign = put(gmail, quote)
    watching.run()
    key = to_attributes({"payment_id": entry().payment_id})
    watching.world.dynamodb.update_item(
        TableName=watching.world.table,
        Key=key,
        UpdateExpression="SET mails = :mails",
        ExpressionAttributeValues=to_attributes({":mails": {foreign: "own"}}),
    )
    sandbox.delete(watching.delivery()["gmail_id"])
    watching.world.dynamodb.delete_item(
        TableName=watching.world.table, Key=to_attributes(keys.watch())
    )  # so that the round begins anew
    in_ten_days = date.fromordinal(DAY.toordinal() + 10)
    assert watching.run(in_ten_days).found == {"missing": 1}


def test_another_recipient_does_not_hide_a_mail_that_was_seen_here(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    watching.run()
    watching.world.dynamodb.update_item(
        TableName=watching.world.table,
        Key=to_attributes({"payment_id": entry().payment_id}),
        UpdateExpression="SET recipient = :old",
        ExpressionAttributeValues=to_attributes({":old": "former@shipcaptaincrew.example"}),
    )
    sandbox.delete(ids(sandbox)[0])
    assert watching.run().found == {"missing": 1}


def test_an_ack_whose_mail_is_not_there_is_looked_for(
    watching: Watching, sandbox: GmailSandbox
) -> None:
    sandbox.delete(ids(sandbox)[0])
    watching.run()
    (lost,) = watching.reported
    watching.settled = {lost.ops_id}
    record = {"ops_id": lost.ops_id, "part": 0, "action": "ack", "filter": lost.own_id, "at": 1}
    sent = {"payment_id": lost.ops_id, "state": "sent", "sent_at": 1}
    watching.world.dynamodb.put_item(TableName=watching.ops_table, Item=to_attributes(record))
    watching.world.dynamodb.put_item(TableName=watching.world.table, Item=to_attributes(sent))
    watched = watching.run()
    assert (watched.settled, watched.found) == (1, {"missing": 1})
    assert [each.own_id for each in watching.reported] == [lost.ops_id]
