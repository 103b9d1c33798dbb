"""What becomes of accepted mail, with a store and faults of the test's own."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from local.gmail_sandbox.errors import GmailError
from local.gmail_sandbox.faults import Faults, parse_faults
from local.gmail_sandbox.mailbox.delivery import Submission, import_message, insert, send
from local.gmail_sandbox.mailbox.fates import BOUNCE_MS, Fates
from local.gmail_sandbox.mailbox.messages import StoredMessage
from local.gmail_sandbox.mailbox.search import parse_search
from local.gmail_sandbox.mailbox.store import Store
from local.gmail_sandbox.mime import read_mail
from tests.local.gmail_sandbox.client import AUDIT, compose

CREW = "crew@shipcaptaincrew.example"
ADMIN = "admin@shipcaptaincrew.example"
NOW = 1_795_777_115_000
PUT_AWAY = pytest.mark.parametrize(("kind", "label"), [("spam", "SPAM"), ("trash", "TRASH")])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "gmail.sqlite3")
    yield opened
    opened.close()


def faults(*posted: dict[str, Any]) -> Faults:
    active = Faults()
    active.add(parse_faults(list(posted)))
    return active


def sent(store: Store, active: Faults, *, to: str = CREW, **fields: Any) -> StoredMessage:
    raw = compose("Ahoy", to=to).as_bytes()
    return send(store, Submission(AUDIT, raw, NOW, **fields), Fates(active))


def imported(store: Store, active: Faults, **fields: Any) -> StoredMessage:
    submission = Submission(AUDIT, compose().as_bytes(), NOW, labels=("INBOX", "UNREAD"), **fields)
    return import_message(store, submission, Fates(active))


def of(store: Store, mailbox: str, query: str = "in:anywhere") -> list[StoredMessage]:
    """Everything in a mailbox, newest first."""
    found, _ = store.list_ids(
        mailbox, parse_search(query), arrived_before=NOW + 10**9, offset=0, limit=10
    )
    return [message for id_, _ in found if (message := store.message(id_))]


@PUT_AWAY
def test_a_mail_to_another_lies_there_and_its_sender_sees_nothing_of_it(
    store: Store, kind: str, label: str
) -> None:
    own = sent(store, faults({"kind": kind}))
    assert own.labels == ["SENT"]
    (received,) = of(store, CREW)
    assert received.labels == ["UNREAD", label]
    assert b"Delivered-To: " + CREW.encode() in received.raw


@PUT_AWAY
def test_a_mail_to_oneself_leaves_the_inbox_but_the_answer_does_not_tell(
    store: Store, kind: str, label: str
) -> None:
    own = sent(store, faults({"kind": kind}), to=AUDIT)
    assert own.labels == ["UNREAD", "SENT", "INBOX"]
    (received,) = of(store, AUDIT)
    assert (received.id, received.labels) == (own.id, ["UNREAD", "SENT", label])


def test_a_bounced_mail_reaches_nobody_and_its_sender_hears_of_it_a_moment_later(
    store: Store,
) -> None:
    own = sent(store, faults({"kind": "bounce"}))
    store.deliver_due(NOW + BOUNCE_MS - 1)
    assert of(store, CREW) == []
    assert [message.labels for message in of(store, AUDIT)] == [["SENT"]]
    store.deliver_due(NOW + BOUNCE_MS)
    store.deliver_due(NOW + BOUNCE_MS)
    bounce, original = of(store, AUDIT)
    assert original.id == own.id
    assert (bounce.place, bounce.thread_id) == ("inbox", own.thread_id)
    assert bounce.received_at == NOW + BOUNCE_MS
    mail = read_mail(bounce.raw)
    assert mail.references == [read_mail(own.raw).message_id]
    assert mail.header("X-Failed-Recipients") == CREW


def test_a_mail_to_a_user_whom_the_domain_does_not_have_bounces(store: Store) -> None:
    own = sent(store, faults({"kind": "unknown_user", "user": CREW}))
    store.deliver_due(NOW + BOUNCE_MS)
    assert own.labels == ["SENT"]
    assert of(store, CREW) == []
    bounce, _ = of(store, AUDIT)
    assert read_mail(bounce.raw).header("X-Failed-Recipients") == CREW


def test_a_bounced_mail_to_oneself_is_only_sent(store: Store) -> None:
    own = sent(store, faults({"kind": "bounce", "ms": 0}), to=AUDIT)
    assert own.labels == ["UNREAD", "SENT", "INBOX"]
    (stored,) = of(store, AUDIT)
    assert stored.labels == ["SENT"]
    assert b"Delivered-To" not in stored.raw
    store.deliver_due(NOW)
    assert [message.labels for message in of(store, AUDIT, "in:inbox")] == [["UNREAD", "INBOX"]]


def test_a_bounce_on_its_way_survives_a_restart_but_not_an_emptied_mailbox(
    store: Store, tmp_path: Path
) -> None:
    sent(store, faults({"kind": "bounce"}))
    again = Store(tmp_path / "gmail.sqlite3")
    again.deliver_due(NOW + BOUNCE_MS)
    assert len(of(again, AUDIT)) == 2
    again.close()
    sent(store, faults({"kind": "bounce"}))
    store.clear()
    store.deliver_due(NOW + BOUNCE_MS)
    assert of(store, AUDIT) == []


def test_each_recipient_counts_and_one_may_be_named(store: Store) -> None:
    active = faults({"kind": "spam", "user": ADMIN, "times": 2}, {"kind": "trash", "times": 1})
    sent(store, active, to=f"{CREW}, {ADMIN}")
    assert [message.place for message in of(store, CREW)] == ["trash"]
    assert [message.place for message in of(store, ADMIN)] == ["spam"]
    assert active.as_json() == [{"kind": "spam", "user": ADMIN, "times": 1}]


def test_bounce_comes_before_spam_and_spam_before_trash(store: Store) -> None:
    once = [{"kind": kind, "times": 1} for kind in ("trash", "spam", "bounce")]
    active = faults(*once)
    for _ in once:
        sent(store, active)
    assert [message.place for message in of(store, CREW)] == ["trash", "spam"]


def test_a_refused_mail_uses_up_no_fault(store: Store) -> None:
    active = faults({"kind": "spam", "times": 1})
    with pytest.raises(GmailError):
        sent(store, active, thread_id="abc")
    assert active.as_json() == [{"kind": "spam", "times": 1}]


def test_an_imported_mail_is_spam_unless_the_call_forbids_it(store: Store) -> None:
    active = faults({"kind": "spam", "times": 1})
    assert imported(store, active, never_spam=True).labels == ["UNREAD", "INBOX"]
    store.clear()
    assert imported(store, active).labels == ["UNREAD", "SPAM"]


def test_a_second_import_is_not_looked_at_again(store: Store) -> None:
    imported(store, faults())
    active = faults({"kind": "spam", "times": 1})
    assert imported(store, active).place == "inbox"
    assert active.as_json() == [{"kind": "spam", "times": 1}]


def test_a_filter_moves_imported_mail_too_and_nothing_moves_inserted_mail(store: Store) -> None:
    trash = faults({"kind": "trash"})
    assert imported(store, trash, never_spam=True).labels == ["UNREAD", "TRASH"]
    inserted = insert(store, Submission(AUDIT, compose().as_bytes(), NOW, labels=("INBOX",)))
    assert inserted.labels == ["INBOX"]


def test_what_only_vault_keeps_is_not_looked_at(store: Store) -> None:
    active = faults({"kind": "trash", "times": 1})
    assert imported(store, active, vault_only=True).labels == []
    assert active.as_json() == [{"kind": "trash", "times": 1}]


def test_mail_in_the_trash_stays_there_when_it_is_imported_again(store: Store) -> None:
    first = imported(store, faults({"kind": "trash"}))
    assert imported(store, faults()).id == first.id
    assert list(store.lying_in("inbox")) == []
    assert [message.id for message in store.lying_in("trash")] == [first.id]


def test_imported_mail_never_bounces(store: Store) -> None:
    assert imported(store, faults({"kind": "bounce", "ms": 0})).place == "inbox"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["inbox"]),
        ("ahoy", ["inbox"]),
        ("in:spam", ["spam"]),
        ("in:trash", ["trash"]),
        ("label:spam", ["spam"]),
        ("ahoy in:anywhere", ["trash", "spam", "inbox"]),
        ("-in:trash", ["inbox"]),
        ("in:inbox", ["inbox"]),
    ],
)
def test_spam_and_trash_are_found_only_when_asked_for(
    store: Store, query: str, found: list[str]
) -> None:
    once = [{"kind": kind, "times": 1} for kind in ("spam", "trash")]
    active = faults(*once)
    sent(store, faults())
    for _ in once:
        sent(store, active)
    assert [message.place for message in of(store, CREW, query)] == found


def test_a_deleted_mail_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    own = sent(store, faults())
    (received,) = of(store, CREW)
    reply = read_mail(
        compose("Re: Ahoy", In_Reply_To=f"<{read_mail(received.raw).message_id}>").as_bytes()
    )
    assert store.thread_of(CREW, reply) == received.thread_id
    revision = store.revision
    store.delete(received)
    assert store.revision != revision
    assert store.message(received.id) is None
    assert of(store, CREW, "ahoy") == []
    assert (
        store.thread_of(CREW, read_mail(compose("Re: Ahoy", In_Reply_To="<x>").as_bytes())) is None
    )
    assert [message.labels for message in of(store, AUDIT)] == [["SENT"]]
    with closing(connect(tmp_path / "gmail.sqlite3")) as file:
        for table, key in (("labels", "seq"), ("refs", "seq"), ("words", "rowid")):
            kept = file.execute(f"SELECT DISTINCT {key} FROM {table}").fetchall()  # noqa: S608 - ours
            assert kept == [(own.seq,)], table
