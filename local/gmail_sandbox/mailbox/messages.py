"""A message before and after it is stored."""

from dataclasses import dataclass

from local.gmail_sandbox.mailbox.places import Place, place_of


@dataclass(frozen=True, slots=True)
class StoredMessage:
    seq: int
    id: str
    mailbox: str
    thread_id: str
    sender: str
    subject: str
    snippet: str
    internal_date: int
    """Epoch milliseconds; what Gmail sorts by."""
    received_at: int
    """Epoch milliseconds of the sandbox's clock."""
    raw: bytes
    labels: list[str]

    @property
    def place(self) -> Place | None:
        return place_of(self.labels)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message on its way into one mailbox; `thread_id` None starts a new thread."""

    mailbox: str
    raw: bytes
    labels: list[str]
    internal_date: int
    received_at: int
    thread_id: str | None = None
