"""A separate event on the deployed stack, with payments whose mails are in the inbox."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import connect
from typing import Any
from urllib.request import urlopen

from local.gmail_sandbox.mailbox.places import Place
from shared.attributes import from_attributes, to_attributes
from tests.dock import Dock, until


@dataclass
class Voyage:
    """payments: as the API answered, in order of their numbers."""

    dock: Dock
    event_id: str
    payments: list[dict[str, Any]]

    @property
    def dynamodb(self) -> Any:
        return self.dock.stack.aws.client("dynamodb")

    def table(self, name: str) -> str:
        return self.dock.stack.outputs[f"{name}TableName"]

    def row(self, number: int) -> dict[str, Any]:
        payment = self.payments[number - 1]
        key = to_attributes({"PK": payment["PK"], "SK": payment["SK"]})
        answer = self.dynamodb.get_item(TableName=self.table("Payments"), Key=key)
        return from_attributes(answer["Item"])

    def put(self, row: dict[str, Any], table: str = "Payments") -> None:
        self.dynamodb.put_item(TableName=self.table(table), Item=to_attributes(row))

    def delete(self, row: dict[str, Any]) -> None:
        key = to_attributes({"PK": row["PK"], "SK": row["SK"]})
        self.dynamodb.delete_item(TableName=self.table("Payments"), Key=key)

    def head(self) -> dict[str, Any]:
        key = to_attributes({"PK": f"EVENT#{self.event_id}"})
        answer = self.dynamodb.get_item(TableName=self.table("Ledger"), Key=key)
        return from_attributes(answer["Item"])

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Undoes whatever is done to rows and head inside."""
        rows = [self.row(number) for number in range(1, len(self.payments) + 1)]
        head = self.head()
        try:
            yield
        finally:
            for row in rows:
                self.put(row)
            self.put(head, "Ledger")

    def mail_id(self, number: int) -> str:
        """The id of one entry's mail in the inbox."""
        (mail,) = self.dock.mails_of(self.payments[number - 1]["payment_id"])
        return str(mail["id"])

    def mail(self, number: int) -> bytes:
        """One entry's mail as the mailbox has it."""
        address = f"{self.dock.stack.mail_url}/sandbox/messages/{self.mail_id(number)}/raw"
        with urlopen(address, timeout=30) as answer:
            raw: bytes = answer.read()
        return raw

    def move_mail(self, number: int, place: Place) -> None:
        self.dock.sandbox("POST", f"/sandbox/messages/{self.mail_id(number)}/move", {"to": place})

    def delete_mail(self, number: int) -> None:
        """Delete one entry's mail forever."""
        self.dock.sandbox("DELETE", f"/sandbox/messages/{self.mail_id(number)}")

    def edit_mail(self, number: int, change: Callable[[bytes], bytes | None]) -> None:
        """Do what Gmail does not allow: change a mail's bytes. None deletes it forever."""
        content = change(self.mail(number))
        if content is None:
            self.delete_mail(number)
            return
        file = self.dock.stack.settings.state / "gmail" / "gmail.sqlite3"
        with closing(connect(file)) as store:
            update = "UPDATE messages SET raw = ? WHERE id = ?"
            store.execute(update, [content, self.mail_id(number)])
            store.commit()

    def export(self, file: Path) -> Path:
        with urlopen(f"{self.dock.stack.mail_url}/sandbox/export.mbox", timeout=30) as answer:
            file.write_bytes(answer.read())
        return file


def set_sail(
    dock: Dock, count: int = 4, roster: Sequence[str] = ("jane.doe@example.com",)
) -> Voyage:
    """Make an event and log payments of Jane Doe on it, all mailed."""
    event_id = f"voyage-{uuid.uuid4().hex[:12]}"
    items: list[dict[str, Any]] = [
        {"event_id": event_id, "SK": "META", "listing": "event", "name": "Proof Voyage",
         "event_date": "2026-11-25", "timezone": "America/New_York",
         "location": "Long Wharf", "roster_size": len(roster)},
        *({"event_id": event_id, "SK": f"PATRON#{each}", "email": each, "name": "Jane Doe"}
          for each in roster),
    ]  # fmt: skip
    voyage = Voyage(dock, event_id, [])
    for item in items:
        voyage.put(item, "Events")
    for number in range(1, count + 1):
        payment = dock.logged(event_id=event_id, amount=f"{number}.00", acknowledge_duplicates=[])
        voyage.payments.append(payment)
    until(lambda: all(dock.mails_of(each["payment_id"]) for each in voyage.payments))
    until(lambda: all(_is_marked(dock, each) for each in voyage.payments))
    return voyage


def _is_marked(dock: Dock, payment: dict[str, Any]) -> bool:
    answer = dock.call("GET", f"/api/payments/{payment['payment_id']}")
    return bool(answer.json["payment"]["audit"]["state"] == "sent")
