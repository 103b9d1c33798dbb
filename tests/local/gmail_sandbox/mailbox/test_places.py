import pytest

from local.gmail_sandbox.mailbox.places import Place, moved, place_of


@pytest.mark.parametrize(
    ("labels", "to", "after"),
    [
        (["UNREAD", "SENT", "INBOX"], "spam", ["UNREAD", "SENT", "SPAM"]),
        (["UNREAD", "INBOX"], "trash", ["UNREAD", "TRASH"]),
        (["SPAM", "STARRED"], "inbox", ["STARRED", "INBOX"]),
        (["TRASH", "SPAM"], "spam", ["SPAM"]),
        (["SENT"], "trash", ["SENT", "TRASH"]),
        (["INBOX"], "inbox", ["INBOX"]),
    ],
)
def test_a_move_changes_the_place_and_no_other_label(
    labels: list[str], to: Place, after: list[str]
) -> None:
    assert moved(labels, to) == after


@pytest.mark.parametrize(
    ("labels", "place"),
    [
        (["UNREAD", "SENT", "INBOX"], "inbox"),
        (["SENT", "SPAM"], "spam"),
        (["TRASH", "SPAM", "INBOX"], "trash"),
        (["SPAM", "INBOX"], "spam"),
        (["SENT"], None),
        ([], None),
    ],
)
def test_the_trash_hides_more_than_spam_and_spam_more_than_the_inbox(
    labels: list[str], place: Place | None
) -> None:
    assert place_of(labels) == place
