import base64
import json
import time
from typing import Any

import pytest

from local.gmail_sandbox.process import GmailSandbox
from tests.local.gmail_sandbox.client import AUDIT, body_of, compose, fetch, messages_of, refusal_of

IN_INBOX = {"labelIds": ["INBOX", "UNREAD"]}
MESSAGE_ID = "<entry-1@audit.shipcaptaincrew.example>"


def found(messages: Any, query: str, **parameters: Any) -> list[str]:
    answer = messages.list(userId="me", q=query, **parameters).execute()
    return [message["id"] for message in answer.get("messages", [])]


def test_an_import_keeps_every_byte(gmail: GmailSandbox) -> None:
    raw = compose(html="<p>as <b>written</b></p>").as_bytes()
    answer = messages_of(gmail).import_(userId="me", body=body_of(raw) | IN_INBOX).execute()
    assert answer["labelIds"] == ["UNREAD", "INBOX"]
    (mail,) = gmail.messages()
    assert mail["headers"]["Message-ID"] == MESSAGE_ID
    assert fetch(mail["raw_url"]) == (200, raw)


def test_a_second_import_of_a_message_id_merges_its_labels_into_the_first(
    gmail: GmailSandbox,
) -> None:
    messages = messages_of(gmail)
    first = messages.import_(userId="me", body=body_of(compose())).execute()
    assert gmail.messages() == []
    again = messages.import_(userId="me", body=body_of(compose("Changed")) | IN_INBOX).execute()
    assert again["id"] == first["id"]
    (mail,) = gmail.messages()
    assert mail["subject"] == "Ahoy"


def test_that_a_second_import_is_merged_can_be_switched_off(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    gmail.post_fault({"kind": "doubled_imports"})
    ids = [
        messages.import_(userId="me", body=body_of(compose()) | IN_INBOX).execute()["id"]
        for _ in range(2)
    ]
    assert [mail["id"] for mail in gmail.messages()] == ids


def test_imports_without_a_message_id_and_inserts_are_never_merged(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    nameless = b"To: audit@shipcaptaincrew.example\r\n\r\nhi\r\n"
    for _ in range(2):
        messages.import_(userId="me", body=body_of(nameless) | IN_INBOX).execute()
        messages.insert(userId="me", body=body_of(compose()) | IN_INBOX).execute()
    assert len(gmail.messages()) == 4


def test_an_import_is_filed_by_its_own_date_and_an_insert_by_its_arrival(
    gmail: GmailSandbox,
) -> None:
    messages = messages_of(gmail)
    body = body_of(compose(Date="Mon, 01 Jan 2024 00:00:00 +0000"))
    imported = messages.import_(userId="me", body=body).execute()["id"]
    inserted = messages.insert(userId="me", body=body).execute()["id"]
    dates = [
        int(messages.get(userId="me", id=id_, format="minimal").execute()["internalDate"])
        for id_ in (imported, inserted)
    ]
    assert dates[0] == 1_704_067_200_000
    assert abs(dates[1] - time.time() * 1000) < 60_000
    assert found(messages, "before:2024/01/02") == [imported]
    assert found(messages, "after:1704153600") == [inserted]
    other = body_of(compose(Date="Mon, 01 Jan 2024 00:00:00 +0000", message_id="<late@x.example>"))
    late = messages.import_(userId="me", body=other, internalDateSource="receivedTime").execute()
    assert found(messages, "after:1704153600") == [late["id"], inserted]


def test_an_import_marked_as_deleted_appears_in_no_mailbox(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    messages.import_(userId="me", body=body_of(compose()) | IN_INBOX, deleted=True).execute()
    assert gmail.messages() == []
    assert found(messages, "in:anywhere") == []


def test_an_unknown_label_is_refused(gmail: GmailSandbox) -> None:
    body = body_of(compose()) | {"labelIds": ["Payments"]}
    error = refusal_of(messages_of(gmail).import_(userId="me", body=body))
    assert error["message"] == "Invalid label: Payments"


TOKEN = "AUD3f9c0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f'"{TOKEN}"', True),
        (f'"{TOKEN}" in:anywhere', True),
        (f"subject:{TOKEN.lower()}", True),
        (f"subject:({TOKEN})", True),
        ("AUD3f9c", False),
        ('"Jane Doe" from:audit', True),
        ('"Doe Jane"', False),
        (f"{TOKEN} -jane", False),
        ("nothing OR jane", True),
        (f"rfc822msgid:{MESSAGE_ID}", True),
        (f"rfc822msgid:{MESSAGE_ID.strip('<>')}", True),
        ("rfc822msgid:<entry-2@audit.shipcaptaincrew.example>", False),
        ("list:audit.shipcaptaincrew.example", True),
        ("in:inbox is:unread", True),
        ("in:sent", False),
        ("has:attachment", False),
        (f"to:{AUDIT}", True),
        ("-- ()", True),
        ('"unclosed " OR NOT * ^ : (', False),
    ],
)
def test_search_finds_what_gmail_would_find(
    gmail: GmailSandbox, query: str, *, expected: bool
) -> None:
    messages = messages_of(gmail)
    mail = compose(f"$125.00 - Jane Doe - {TOKEN}", List_Id="<audit.shipcaptaincrew.example>")
    imported = messages.import_(userId="me", body=body_of(mail) | IN_INBOX).execute()
    assert found(messages, query) == ([imported["id"]] if expected else [])


def test_a_sent_mail_is_not_found_by_the_message_id_it_was_given(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    messages.send(userId="me", body=body_of(compose())).execute()
    assert found(messages, f"rfc822msgid:{MESSAGE_ID}") == []
    assert len(found(messages, "rfc822msgid:" + gmail.messages()[0]["headers"]["Message-ID"])) == 1


def test_trash_is_searched_only_when_asked_for(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    messages.import_(userId="me", body=body_of(compose()) | {"labelIds": ["TRASH"]}).execute()
    assert found(messages, "ahoy") == []
    assert len(found(messages, "ahoy in:anywhere")) == 1
    assert len(found(messages, "ahoy", includeSpamTrash=True)) == 1


def test_search_lags_behind_arrival(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    gmail.post_fault({"kind": "search_lag", "ms": 600_000})
    sent = messages.send(userId="me", body=body_of(compose())).execute()
    assert found(messages, "ahoy") == []
    assert messages.get(userId="me", id=sent["id"]).execute()["id"] == sent["id"]
    gmail.clear_faults()
    assert found(messages, "ahoy") == [sent["id"]]


def test_a_list_is_paged_newest_first(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    ids = [
        messages.send(userId="me", body=body_of(compose(f"mail {number}"))).execute()["id"]
        for number in range(3)
    ]
    pages, token = [], None
    for _ in range(2):
        page = messages.list(userId="me", q="mail", maxResults=2, pageToken=token).execute()
        pages.append([message["id"] for message in page["messages"]])
        token = page.get("nextPageToken")
    assert pages == [[ids[2], ids[1]], [ids[0]]]
    assert token is None
    assert refusal_of(messages.list(userId="me", pageToken="x"))["code"] == 400


def test_a_list_is_in_the_order_of_internal_dates_and_not_of_arrival(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)

    def imported(day: int, source: str) -> str:
        mail = compose(
            Date=f"0{day} Jan 2024 00:00:00 +0000", message_id=f"<{day}{source}@x.example>"
        )
        body = body_of(mail) | IN_INBOX
        return str(
            messages.import_(userId="me", body=body, internalDateSource=source).execute()["id"]
        )

    middle, newest = imported(2, "dateHeader"), imported(1, "receivedTime")
    third, oldest = imported(3, "dateHeader"), imported(1, "dateHeader")
    in_order = [newest, third, middle, oldest]
    assert found(messages, "") == in_order
    assert found(messages, "ahoy", maxResults=2) == in_order[:2]
    shown = gmail.request("GET", "/sandbox/inbox?q=ahoy")
    assert [mail["id"] for mail in shown["messages"]] == in_order


def test_a_message_is_given_in_each_format(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    mail = compose(html="<p>hi</p>")
    mail.add_attachment(b'{"a":1}', maintype="application", subtype="json", filename="entry.json")
    id_ = messages.import_(userId="me", body=body_of(mail) | IN_INBOX).execute()["id"]

    full = messages.get(userId="me", id=id_).execute()
    alternative, attachment = full["payload"]["parts"]
    assert [part["mimeType"] for part in alternative["parts"]] == ["text/plain", "text/html"]
    assert base64.urlsafe_b64decode(alternative["parts"][0]["body"]["data"]).startswith(b"The text")
    content = (
        messages.attachments()
        .get(userId="me", messageId=id_, id=attachment["body"]["attachmentId"])
        .execute()
    )
    assert base64.urlsafe_b64decode(content["data"]) == b'{"a":1}'

    metadata = messages.get(
        userId="me", id=id_, format="metadata", metadataHeaders=["Message-ID"]
    ).execute()
    assert metadata["payload"]["headers"] == [{"name": "Message-ID", "value": MESSAGE_ID}]
    raw = messages.get(userId="me", id=id_, format="raw").execute()["raw"]
    assert base64.urlsafe_b64decode(raw) == mail.as_bytes()


def test_a_message_of_another_mailbox_does_not_exist(gmail: GmailSandbox) -> None:
    id_ = messages_of(gmail).send(userId="me", body=body_of(compose())).execute()["id"]
    other = messages_of(gmail, "crew@shipcaptaincrew.example").get(userId="me", id=id_)
    assert refusal_of(other)["errors"][0]["reason"] == "notFound"


def test_after_an_id_only_later_mails_are_listed(gmail: GmailSandbox) -> None:
    messages = messages_of(gmail)
    for number in range(3):
        mail = compose(f"mail {number}", message_id=f"<{number}@audit.shipcaptaincrew.example>")
        messages.import_(userId="me", body=body_of(mail) | {"labelIds": ["INBOX"]}).execute()
    first, second, third = gmail.messages()
    assert gmail.request("GET", f"/sandbox/messages?after={first['id']}") == [second, third]
    assert gmail.request("GET", f"/sandbox/messages?after={first['id']}&limit=1") == [second]
    assert gmail.request("GET", "/sandbox/messages?limit=2") == [first, second]
    assert gmail.request("GET", f"/sandbox/messages?after={third['id']}") == []
    assert gmail.request("GET", "/sandbox/messages?containing=%3C1@audit.") == [second]
    assert gmail.request("GET", "/sandbox/messages?containing=no-such-text") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("after=0", "after"), ("after=", "after"), ("limit=0", "limit"), ("limit=-1", "limit"),
     ("limit=10001", "limit"), ("limit=ten", "limit"), ("limit=", "limit")],
)  # fmt: skip
def test_invalid_paging_is_refused_by_name(gmail: GmailSandbox, query: str, field: str) -> None:
    status, body = fetch(f"{gmail.url}/sandbox/messages?{query}")
    assert (status, json.loads(body)["errors"][0]["field"]) == (400, field)
