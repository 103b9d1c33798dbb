"""What people do with audit mails, as mail programs write it."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from tests.ops.mailboxes import attachment_of


def forward_inline(raw: bytes, name: str = "sunset-charter-000001.json") -> bytes:
    """As Gmail and Outlook make it: a new mail, the old text quoted, the attachment kept."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = "grace@shipcaptaincrew.example", "audit@shipcaptaincrew.example"
    made["Subject"] = f"Fwd: {' '.join(str(message_from_bytes(raw)['Subject']).split())}"
    made["Message-ID"] = "<forward@mail.gmail.com>"
    made.set_content("See below.\n\n---------- Forwarded message ---------\n$1.00\n")
    made.add_attachment(attachment_of(raw), maintype="application", subtype="json", filename=name)
    return made.as_bytes()


def forward_attached(raw: bytes) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = "grace@shipcaptaincrew.example", "audit@shipcaptaincrew.example"
    made["Subject"] = "Please look at this"
    made.set_content("Is this right?\n")
    made.add_attachment(message_from_bytes(raw), filename="audit.eml")
    return made.as_bytes()


def reply(raw: bytes) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = "grace@shipcaptaincrew.example", "audit@shipcaptaincrew.example"
    made["Subject"] = "Re: [SCC Audit] #000001"
    made["In-Reply-To"] = message_from_bytes(raw)["Message-ID"]
    made.set_content("Thanks!\n")
    return made.as_bytes()
