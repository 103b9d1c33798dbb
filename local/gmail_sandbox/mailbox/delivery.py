"""The three ways a mail gets into a mailbox: sent, imported, inserted."""

from dataclasses import dataclass, replace

from local.gmail_sandbox.errors import invalid_argument, not_found
from local.gmail_sandbox.mailbox.bounce import Failed, bounce_mail
from local.gmail_sandbox.mailbox.fates import Bounced, Fate, Fates
from local.gmail_sandbox.mailbox.messages import Incoming, StoredMessage
from local.gmail_sandbox.mailbox.places import Place, moved
from local.gmail_sandbox.mailbox.rewrite import Rewritten, addressed_to, rewrite_for_sending
from local.gmail_sandbox.mailbox.store import Store
from local.gmail_sandbox.mime import Mail, read_mail


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
    never_spam: bool = False
    """neverMarkSpam=true"""


def send(store: Store, submission: Submission, fates: Fates) -> StoredMessage:
    """Deliver to every recipient; return the sender's own copy as Gmail answers: all is well.

    A mail to yourself is one message, both sent and in the inbox. Sending never removes duplicates.
    """
    mail = read_mail(submission.raw)
    sender, now = submission.user, submission.now
    recipients = mail.addresses("To", "Cc", "Bcc")
    if not recipients:
        named = any(mail.header(name) for name in ("To", "Cc", "Bcc"))
        raise invalid_argument("Invalid To header" if named else "Recipient address required")
    copies = rewrite_for_sending(submission.raw, mail, sender=sender, now=now)
    with store.transaction():
        thread = _requested_thread(store, submission, mail)
        fate_of = {recipient: fates.of_sent(recipient) for recipient in recipients}
        own = store.add_message(_own_copy(copies, sender, fate_of.get(sender), now, thread))
        for recipient, fate in fate_of.items():
            if isinstance(fate, Bounced):
                failed = Failed(copies.sent, sender, recipient, now, now + fate.after_ms)
                store.add_later(_bounce(failed, own.thread_id))
            elif recipient != sender:
                raw, thread = copies.delivered, store.thread_of(recipient, mail)
                store.add_message(_delivered(raw, sender, recipient, fate, now, thread))
        store.count_send(sender, now)
    return replace(own, labels=["UNREAD", "SENT", "INBOX"]) if sender in recipients else own


def _own_copy(
    copies: Rewritten, sender: str, fate: Fate | None, now: int, thread: str | None
) -> Incoming:
    """Return what the sender's mailbox holds. `fate` None: the mail is only to others."""
    if fate is None or isinstance(fate, Bounced):
        return Incoming(sender, copies.sent, ["SENT"], now, now, thread)
    received = _delivered(copies.delivered, sender, sender, fate, now, thread)
    return replace(received, labels=moved(["UNREAD", "SENT"], fate))


def _delivered(
    raw: bytes, sender: str, recipient: str, place: Place, now: int, thread: str | None
) -> Incoming:
    labels = moved(["UNREAD"], place)
    return Incoming(recipient, addressed_to(raw, recipient, sender), labels, now, now, thread)


def _bounce(failed: Failed, thread: str) -> Incoming:
    """Gmail shows a bounce in the thread of the original, whatever its subject."""
    at = failed.bounced_at
    return Incoming(failed.sender, bounce_mail(failed), ["UNREAD", "INBOX"], at, at, thread)


def import_message(store: Store, submission: Submission, fates: Fates) -> StoredMessage:
    """Store the bytes as they are. If the Message-ID is already in the mailbox, only add labels.

    No page of Google's says so, only https://github.com/google/import-mailbox-to-gmail/issues/56.
    """
    mail = read_mail(submission.raw)
    earlier = store.imported(_mailbox(submission), mail.message_id) if mail.message_id else None
    if earlier is None or not fates.merges_imports():
        return _stored(store, submission, mail, fates)
    with store.transaction():
        store.add_labels(earlier.seq, submission.labels)
    again = store.message(earlier.id)
    assert again is not None
    return again


def insert(store: Store, submission: Submission) -> StoredMessage:
    """Store the bytes as they are, like IMAP APPEND; every call makes a new message."""
    return _stored(store, submission, read_mail(submission.raw))


def _stored(
    store: Store, submission: Submission, mail: Mail, fates: Fates | None = None
) -> StoredMessage:
    """`fates` None: the mail is neither scanned nor filtered."""
    date = mail.date_ms() if submission.date_from_header else None
    with store.transaction():
        thread = _requested_thread(store, submission, mail)
        labels = [] if submission.vault_only else list(submission.labels)
        if fates is not None and not submission.vault_only:
            place = fates.of_imported(submission.user, never_spam=submission.never_spam)
            labels = labels if place == "inbox" else moved(labels, place)
        return store.add_message(
            Incoming(
                mailbox=_mailbox(submission),
                raw=submission.raw,
                labels=labels,
                internal_date=submission.now if date is None else date,
                received_at=submission.now,
                thread_id=thread,
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
