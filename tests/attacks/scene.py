"""An event with mailed payments, and everything about it put back after an attack."""

from __future__ import annotations

import json
import mailbox
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection, Row, connect
from typing import Any, Literal

from functions.audit_mailer.gmail.mailbox import Gmail
from shared import keys
from shared.attributes import to_attributes
from shared.ledger import COUNTS, entry_hash
from shared.statements.places import SEALED
from tests.ops.voyage import Voyage

Item = dict[str, Any]
Change = Callable[[bytes], bytes | None]
_MAIL_TABLES = {
    "messages": ("seq", "*"),
    "labels": ("seq", "*"),
    "refs": ("seq", "*"),
    "words": ("rowid", "rowid, *"),
}
"""The sandbox's tables of mail: the column that names the message, and what to keep of a row."""


@dataclass
class Scene:
    """An insider's reach: the tables as their owner, the mailbox, and the file that is exported.

    export: the mailbox as it is handed to an auditor; an attack on mails edits this file.
    """

    voyage: Voyage
    export: Path
    _imported: list[str] = field(default_factory=list)

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────

    def row(self, number: int) -> Item:
        return self.voyage.row(number)

    def put(self, row: Item, table: str = "Payments") -> None:
        self.voyage.put(row, table)

    def put_attributes(self, row: Item, **attributes: Any) -> None:
        """Store a row with attributes of any DynamoDB type, such as amount_cents={"B": b"1"}."""
        table = self.voyage.table("Payments")
        self.voyage.dynamodb.put_item(TableName=table, Item=to_attributes(row) | attributes)

    def rechain(self, number: int, **changes: Any) -> None:
        """Rewrite one entry and every entry after it, head included: the chain fits again."""
        rows = [self.row(each) for each in range(number, len(self.voyage.payments) + 1)]
        rows[0] |= changes
        for before, row in zip([None, *rows], rows, strict=False):
            row["prev_hash"] = before["hash"] if before else row["prev_hash"]
            row["hash"] = entry_hash(row)
            self.put(row)
        self.put(self.voyage.head() | {"hash": rows[-1]["hash"]}, "Ledger")

    def append(self, **changes: Any) -> Item:
        """Another entry, chained, counted and found by its id as the API's, whatever it says."""
        head = self.voyage.head()
        moment = self.row(len(self.voyage.payments))["SK"] + head["seq"]
        made = self.row(len(self.voyage.payments)) | {
            "payment_id": f"pay_{uuid.uuid4().hex}",
            "SK": moment,
            "timestamp": moment,
            "seq": head["seq"] + 1,
            "prev_hash": head["hash"],
        }
        made |= changes
        made["hash"] = entry_hash(made)
        self.put(made)
        place = {"row_pk": made["PK"], "row_sk": made["SK"]}
        self.put(keys.pointer(made["payment_id"]) | place, "Ledger")
        sign = 1 if made["kind"] == "payment" else -1
        cents = sign * made["amount_cents"]
        moved = {name: head[name] + cents for name in ("total_cents", "cash_cents")}
        moved["payments_count"] = head["payments_count"] + COUNTS[made["kind"]]
        self.put(head | moved | {"seq": made["seq"], "hash": made["hash"]}, "Ledger")
        return made

    def delete(self, row: Item) -> None:
        self.voyage.delete(row)

    def delete_ledger(self, key: keys.Key) -> None:
        table = self.voyage.table("Ledger")
        self.voyage.dynamodb.delete_item(TableName=table, Key=to_attributes(key))

    def delete_event(self) -> None:
        """Rows, pointers and head: as if nobody had ever paid."""
        for number, payment in enumerate(self.voyage.payments, start=1):
            self.delete(self.row(number))
            self.delete_ledger(keys.pointer(payment["payment_id"]))
        self.delete_ledger(keys.head(self.voyage.event_id))

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Whatever is done inside to the tables, the event's mails and the export is undone."""
        names = ("Payments", "Ledger", "OpsRecord", "Deliveries")
        tables = {name: self._items(name) for name in names}
        exported = self.export.read_bytes()
        mails = self._mails()
        sealed = self._versions()
        try:
            yield
        finally:
            self.export.write_bytes(exported)
            for each in self._imported:
                self.voyage.dock.sandbox("DELETE", f"/sandbox/messages/{each}")
            self._imported.clear()
            self._restore_mails(mails)
            self._restore_sealed(sealed)
            for name, items in tables.items():
                self._restore(name, items)

    def _mails(self) -> dict[str, list[Any]]:
        """The event's mails as the sandbox keeps them, by table: how to store a row again."""
        wanted = [each["payment_id"].encode() for each in self.voyage.payments]
        with self._mailbox() as store:
            messages = [
                row
                for row in store.execute("SELECT * FROM messages")
                if any(each in bytes(row["raw"]) for each in wanted)
            ]
            marks = ", ".join(str(row["seq"]) for row in messages)
            return {
                table: list(store.execute(f"SELECT {rows} FROM {table} WHERE {key} IN ({marks})"))  # noqa: S608 - ours
                for table, (key, rows) in _MAIL_TABLES.items()
            }

    def _restore_mails(self, mails: dict[str, list[Any]]) -> None:
        with self._mailbox() as store:
            for table, (key, _) in _MAIL_TABLES.items():
                for row in mails[table]:
                    store.execute(f"DELETE FROM {table} WHERE {key} = ?", [row[key]])  # noqa: S608 - ours
                for row in mails[table]:
                    names = ", ".join(row.keys())
                    values = ", ".join("?" * len(row))
                    insert = f"INSERT INTO {table} ({names}) VALUES ({values})"  # noqa: S608 - ours
                    store.execute(insert, tuple(row))

    @contextmanager
    def _mailbox(self) -> Iterator[Connection]:
        """The sandbox's own store: nothing else puts back a mail that was deleted or changed."""
        file = self.voyage.dock.stack.settings.state / "gmail" / "gmail.sqlite3"
        with closing(connect(file)) as store:
            store.row_factory = Row
            yield store
            store.commit()

    def _items(self, name: str) -> list[Item]:
        pages = self.voyage.dynamodb.get_paginator("scan").paginate(
            TableName=self.voyage.table(name), ConsistentRead=True
        )
        return [item for page in pages for item in page["Items"]]

    def _restore(self, name: str, items: list[Item]) -> None:
        table, client = self.voyage.table(name), self.voyage.dynamodb
        schema = client.describe_table(TableName=table)["Table"]["KeySchema"]
        names = [each["AttributeName"] for each in schema]
        wanted = {str([item[each] for each in names]): item for item in items}
        for item in self._items(name):
            key = str([item[each] for each in names])
            if key not in wanted:
                client.delete_item(TableName=table, Key={each: item[each] for each in names})
            elif wanted[key] == item:
                del wanted[key]
        for item in wanted.values():
            client.put_item(TableName=table, Item=item)

    # ── sealed statements ────────────────────────────────────────────────────────────────────────

    def sealed(self, ending: str = "/statement.json") -> tuple[str, bytes]:
        """Key and content of the last object that ends so."""
        found = {key: content for (key, _), content in self._versions().items()}
        key = max(each for each in found if each.endswith(ending))
        return key, found[key]

    def seal(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)

    def hide(self, key: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=key)

    def take_out(self, key: str) -> None:
        """What only a stack outside production lets somebody do."""
        for each, version in self._versions():
            if each == key:
                self._take_out(each, version)

    def _take_out(self, key: str, version: str) -> None:
        self._s3.delete_object(
            Bucket=self._bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
        )

    @property
    def _s3(self) -> Any:
        return self.voyage.dock.stack.aws.client("s3")

    @property
    def _bucket(self) -> str:
        return self.voyage.dock.stack.outputs["EvidenceBucketName"]

    def _versions(self) -> dict[tuple[str, str], bytes]:
        """By key and version."""
        listed = self._s3.list_object_versions(Bucket=self._bucket, Prefix=SEALED)
        return {
            (each["Key"], each["VersionId"]): self._s3.get_object(
                Bucket=self._bucket, Key=each["Key"], VersionId=each["VersionId"]
            )["Body"].read()
            for each in listed.get("Versions", ())
        }

    def _restore_sealed(self, before: dict[tuple[str, str], bytes]) -> None:
        listed = self._s3.list_object_versions(Bucket=self._bucket, Prefix=SEALED)
        for each in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
            if (each["Key"], each["VersionId"]) not in before:
                self._take_out(each["Key"], each["VersionId"])
        left = self._versions()
        for place, content in before.items():
            if place not in left:
                self.seal(place[0], content)

    # ── mails ────────────────────────────────────────────────────────────────────────────────────

    def edit_export(self, number: int, change: Change) -> None:
        """Change one entry's mail in the exported file; None removes it."""
        wanted = f"X-SCC-Payment-Id: {self.voyage.payments[number - 1]['payment_id']}".encode()
        self._edit(lambda raw: wanted in raw.partition(b"\n\n")[0].replace(b"\r", b""), change)

    def edit_statements(self, change: Change) -> None:
        self._edit(lambda raw: b"X-SCC-Statement" in raw.partition(b"\n\n")[0], change)

    def add_to_export(self, raw: bytes) -> None:
        self.export.write_bytes(self.export.read_bytes() + b"\nFrom forger\n" + raw + b"\n")

    def mail(self, number: int) -> bytes:
        """One entry's mail as the mailbox has it."""
        return self.voyage.mail(number)

    def import_mail(self, raw: bytes) -> None:
        """Put a mail into the mailbox, by whoever may."""
        settings = self.voyage.dock.stack.settings
        key = json.loads((settings.state / "service-account.json").read_text())
        gmail = Gmail(lambda: key, "audit@shipcaptaincrew.example", "import", settings.mail_url)
        with closing(gmail):
            receipt = gmail.send_audit_email_via_gmail(raw)
        self._imported.append(receipt.gmail_id)

    def _edit(self, is_it: Callable[[bytes], bool], change: Change) -> None:
        with closing(mailbox.mbox(self.export)) as box:
            raws = [each.as_bytes() for each in box]
        mails = [change(raw) if is_it(raw) else raw for raw in raws]
        parts = (b"From gmail\n" + each.rstrip(b"\n") + b"\n\n" for each in mails if each)
        self.export.write_bytes(b"".join(parts))

    def move_mail(self, number: int, label: Literal["SPAM", "TRASH"]) -> None:
        """Put one entry's mail into another place of the mailbox."""
        self.voyage.move_mail(number, "spam" if label == "SPAM" else "trash")
