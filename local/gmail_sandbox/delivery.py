"""The three ways a mail gets into a mailbox: sent, imported, inserted."""

from dataclasses import dataclass

from local.gmail_sandbox.errors import invalid_argument, not_found
from local.gmail_sandbox.mime import Mail, read_mail
from local.gmail_sandbox.rewrite import addressed_to, rewrite_for_sending
from local.gmail_sandbox.store import Incoming, Store, StoredMessage


@dataclass(frozen=True, slots=True)
class Submission:
    """One call of send, import or insert. `now`: epoch milliseconds."""

    user: str
    raw: bytes
    now: int
    thread_id: str | None = None
    labels: tuple[str, ...] = ()
    date_from_header: bool = False
    """internalDateSource=dateHeader: sort by the mail's own Date."""
    vault_only: bool = False
    """deleted=true: kept for Google Vault, seen in no mailbox."""


def send(store: Store, submission: Submission) -> StoredMessage:
    """Deliver to every recipient; return the sender's own copy.

    A mail to yourself is one message, both sent and in the inbox. Sending never removes duplicates.
    """
    mail = read_mail(submission.raw)
    sender, now = submission.user, submission.now
    recipients = mail.addresses("To", "Cc", "Bcc")
    if not recipients:
        named = any(mail.header(name) for name in ("To", "Cc", "Bcc"))
        raise invalid_argument("Invalid To header" if named else "Recipient address required")
    copies = rewrite_for_sending(submission.raw, mail, sender=sender, now=now)
    to_self = sender in recipients
    own_raw = addressed_to(copies.delivered, sender, sender) if to_self else copies.sent
    with store.transaction():
        own = store.add_message(
            Incoming(
                mailbox=sender,
                raw=own_raw,
                labels=["UNREAD", "SENT", "INBOX"] if to_self else ["SENT"],
                internal_date=now,
                received_at=now,
                thread_id=_requested_thread(store, submission, mail),
            )
        )
        for recipient in recipients:
            if recipient != sender:
                store.add_message(
                    Incoming(
                        mailbox=recipient,
                        raw=addressed_to(copies.delivered, recipient, sender),
                        labels=["UNREAD", "INBOX"],
                        internal_date=now,
                        received_at=now,
                        thread_id=store.thread_of(recipient, mail),
                    )
                )
        store.count_send(sender, now)
    return own


def import_message(store: Store, submission: Submission) -> StoredMessage:
    """Store the bytes as they are. If the Message-ID is already in the mailbox, only add labels."""
    mail = read_mail(submission.raw)
    earlier = store.imported(_mailbox(submission), mail.message_id) if mail.message_id else None
    if earlier is None:
        return insert(store, submission)
    with store.transaction():
        store.add_labels(earlier.seq, submission.labels)
    again = store.message(earlier.id)
    assert again is not None
    return again


def insert(store: Store, submission: Submission) -> StoredMessage:
    """Store the bytes as they are, like IMAP APPEND; every call makes a new message."""
    mail = read_mail(submission.raw)
    date = mail.date_ms() if submission.date_from_header else None
    with store.transaction():
        return store.add_message(
            Incoming(
                mailbox=_mailbox(submission),
                raw=submission.raw,
                labels=[] if submission.vault_only else list(submission.labels),
                internal_date=submission.now if date is None else date,
                received_at=submission.now,
                thread_id=_requested_thread(store, submission, mail),
            )
        )


def _requested_thread(store: Store, submission: Submission, mail: Mail) -> str | None:
    """Return the thread to join: References and subject must match, whatever threadId says."""
    mailbox, wanted = _mailbox(submission), submission.thread_id
    if wanted is not None and not store.has_thread(mailbox, wanted):
        raise not_found()
    return store.thread_of(mailbox, mail, wanted=wanted)


def _mailbox(submission: Submission) -> str:
    return f"vault:{submission.user}" if submission.vault_only else submission.user
