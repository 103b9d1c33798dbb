"""What people and tests do to mail that has arrived, and what Gmail's API then says of it."""

import json
from typing import Any

import pytest

from local.gmail_sandbox.mailbox.places import Place
from local.gmail_sandbox.process import GmailSandbox
from tests.dock import until
from tests.local.gmail_sandbox.client import (
    AUDIT,
    body_of,
    compose,
    fetch,
    messages_of,
    refusal_of,
)


def send(gmail: GmailSandbox, subject: str = "Ahoy") -> str:
    sent = messages_of(gmail).send(userId="me", body=body_of(compose(subject))).execute()
    return str(sent["id"])


def listed(gmail: GmailSandbox, **query: Any) -> list[str]:
    answer = messages_of(gmail).list(userId="me", **query).execute()
    return [message["id"] for message in answer.get("messages", [])]


@pytest.mark.parametrize("place", ["spam", "trash"])
def test_a_moved_mail_keeps_its_ids_and_is_in_no_list_of_the_inbox(
    gmail: GmailSandbox, place: Place
) -> None:
    messages, sent = messages_of(gmail), send(gmail)
    before = messages.get(userId="me", id=sent).execute()
    gmail.move(sent, place)
    after = messages.get(userId="me", id=sent).execute()
    assert (after["id"], after["threadId"]) == (before["id"], before["threadId"])
    assert after["labelIds"] == ["UNREAD", "SENT", place.upper()]
    assert gmail.messages() == []
    assert fetch(gmail.url + "/sandbox/export.mbox")[1] == b""
    assert gmail.request("GET", "/sandbox/inbox")["messages"] == []
    assert [(mail["id"], mail["place"]) for mail in gmail.messages(place)] == [(sent, place)]
    assert listed(gmail) == listed(gmail, q="ahoy") == []
    assert listed(gmail, includeSpamTrash=True) == listed(gmail, q=f"in:{place}") == [sent]
    gmail.move(sent, "inbox")
    assert [mail["labels"] for mail in gmail.messages()] == [["UNREAD", "SENT", "INBOX"]]
    assert gmail.messages(place) == []


def test_a_deleted_mail_is_known_to_nobody(gmail: GmailSandbox) -> None:
    sent, kept = send(gmail), send(gmail)
    gmail.delete(sent)
    assert listed(gmail, includeSpamTrash=True) == [kept]
    assert listed(gmail, q="ahoy in:anywhere") == [kept]
    assert refusal_of(messages_of(gmail).get(userId="me", id=sent))["code"] == 404
    assert [mail["id"] for mail in gmail.messages()] == [kept]
    address = f"{gmail.url}/sandbox/messages/{sent}"
    assert fetch(address)[0] == fetch(address, method="DELETE")[0] == 404
    assert fetch(address + "/move", data=b'{"to": "inbox"}')[0] == 404


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (b'{"to": "archive"}', "to", "must be one of inbox, spam, trash"),
        (b'{"to": ["spam"]}', "to", "must be one of inbox, spam, trash"),
        (b"{}", "to", "must be one of inbox, spam, trash"),
        (b'{"to": "spam", "from": "inbox"}', "from", "is not a field of a move"),
        (b'["spam"]', "", "must be a JSON object"),
        (b"spam", "", "must be a JSON object"),
    ],
)
def test_a_move_to_nowhere_is_refused_and_moves_nothing(
    gmail: GmailSandbox, body: bytes, field: str, says: str
) -> None:
    sent = send(gmail)
    status, answer = fetch(f"{gmail.url}/sandbox/messages/{sent}/move", data=body)
    error = json.loads(answer)["errors"][0]
    assert (status, error["field"]) == (400, field)
    assert says in error["message"]
    assert [mail["id"] for mail in gmail.messages()] == [sent]


def test_a_place_that_does_not_exist_is_refused(gmail: GmailSandbox) -> None:
    status, answer = fetch(gmail.url + "/sandbox/messages?place=attic")
    assert (status, json.loads(answer)["errors"][0]["field"]) == (400, "place")


def test_the_inbox_page_finds_whatever_a_search_names(gmail: GmailSandbox) -> None:
    def found(query: str) -> list[str]:
        answer = gmail.request("GET", f"/sandbox/inbox?q={query}")
        assert answer["total"] == len(answer["messages"])
        return [message["subject"] for message in answer["messages"]]

    gmail.move(send(gmail, "one"), "spam")
    gmail.move(send(gmail, "two"), "trash")
    send(gmail, "three")
    messages = messages_of(gmail)
    messages.insert(userId="me", deleted=True, body=body_of(compose("for Vault only"))).execute()
    assert found("") == found("in:inbox") == ["three"]
    assert found("in:spam") == ["one"]
    assert found("in:trash") == ["two"]
    assert found("in:sent") == ["three"]
    assert found("in:anywhere") == ["three", "two", "one"]


def test_faults_after_acceptance_strike_through_the_api(gmail: GmailSandbox) -> None:
    gmail.post_fault(
        *({"kind": kind, "user": AUDIT, "times": 1} for kind in ("spam", "trash")),
        {"kind": "bounce", "ms": 0, "times": 1},
    )
    bounced, spam, trash = (send(gmail) for _ in range(3))
    until(lambda: len(gmail.messages()) == 1)
    assert gmail.messages()[0]["subject"] == "Delivery Status Notification (Failure)"
    assert [mail["id"] for mail in gmail.messages("spam")] == [spam]
    assert [mail["id"] for mail in gmail.messages("trash")] == [trash]
    assert messages_of(gmail).get(userId="me", id=bounced).execute()["labelIds"] == ["SENT"]
    assert gmail.request("GET", "/sandbox/faults") == []


def test_an_import_says_whether_it_may_be_spam(gmail: GmailSandbox) -> None:
    gmail.post_fault({"kind": "spam"})
    messages, body = messages_of(gmail), body_of(compose()) | {"labelIds": ["INBOX"]}
    spam = messages.import_(userId="me", body=body).execute()
    assert spam["labelIds"] == ["SPAM"]
    gmail.clear_messages()
    safe = messages.import_(userId="me", body=body, neverMarkSpam=True).execute()
    assert safe["labelIds"] == ["INBOX"]
