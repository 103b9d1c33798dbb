"""All mailboxes in one SQLite file: even if killed, the sandbox keeps what it has answered for."""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.gmail_sandbox.mailbox.messages import Incoming, StoredMessage
from local.gmail_sandbox.mailbox.places import NEITHER_SPAM_NOR_TRASH, Place, lies_in, moved
from local.gmail_sandbox.mailbox.schema import SCHEMA
from local.gmail_sandbox.mailbox.search import Search
from local.gmail_sandbox.mime import Mail, read_mail

_COLUMNS = "seq, id, mailbox, thread_id, sender, subject, snippet, internal_date, received_at, raw"
_MAIL_TABLES = ("messages", "labels", "refs", "words", "sends", "on_the_way")


@dataclass(frozen=True, slots=True)
class Token:
    subject: str | None
    scopes: frozenset[str]


class Store:
    """One connection, used from one event loop; every public write is its own transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self.revision = secrets.token_hex(8)
        """Changes whenever any mail does."""

    def close(self) -> None:
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self.revision = secrets.token_hex(8)

    # --- messages

    def add_message(self, incoming: Incoming) -> StoredMessage:
        """Store one message; call inside `transaction()`."""
        mail = read_mail(incoming.raw)
        message_id = f"{incoming.received_at << 20 | secrets.randbelow(1 << 20):016x}"
        cursor = self._db.execute(
            "INSERT INTO messages (id, mailbox, thread_id, message_id, base_subject, sender,"
            " subject, snippet, has_attachment, internal_date, received_at, raw)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                message_id,
                incoming.mailbox,
                incoming.thread_id or message_id,
                mail.message_id,
                mail.base_subject,
                mail.header("From"),
                mail.header("Subject"),
                mail.snippet(),
                bool(mail.attachments),
                incoming.internal_date,
                incoming.received_at,
                incoming.raw,
            ),
        )
        seq = cursor.lastrowid
        assert seq is not None
        self._db.execute(
            "INSERT INTO words (rowid, subject, sender, recipients, body, filenames, list_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                mail.header("Subject"),
                mail.header("From"),
                f"{mail.header('To')} {mail.header('Cc')}",
                f"{mail.text} {'' if mail.text else mail.html}",
                " ".join(attachment.filename for attachment in mail.attachments),
                mail.header("List-Id"),
            ),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO refs (mailbox, ref, seq) VALUES (?, ?, ?)",
            [(incoming.mailbox, ref, seq) for ref in {mail.message_id, *mail.references} if ref],
        )
        self.add_labels(seq, incoming.labels)
        return self._one("seq = ?", [seq])

    def add_labels(self, seq: int, labels: Iterable[str]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO labels (label, seq) VALUES (?, ?)",
            [(label, seq) for label in labels],
        )

    def move(self, message: StoredMessage, place: Place) -> None:
        with self.transaction():
            self._db.execute("DELETE FROM labels WHERE seq = ?", [message.seq])
            self.add_labels(message.seq, moved(message.labels, place))

    def delete(self, message: StoredMessage) -> None:
        """Delete forever: neither a list nor a search finds it any more."""
        with self.transaction():
            for table in ("messages", "labels", "refs"):
                self._db.execute(f"DELETE FROM {table} WHERE seq = ?", [message.seq])  # noqa: S608  # a fixed name
            self._db.execute("DELETE FROM words WHERE rowid = ?", [message.seq])

    def add_later(self, incoming: Incoming) -> None:
        """Keep a message until the time it is received at; call inside `transaction()`."""
        self._db.execute(
            "INSERT INTO on_the_way (mailbox, thread_id, received_at, raw) VALUES (?, ?, ?, ?)",
            (incoming.mailbox, incoming.thread_id, incoming.received_at, incoming.raw),
        )

    def deliver_due(self, now: int) -> None:
        """Put what has arrived by now into its inbox."""
        due = self._db.execute(
            "SELECT rowid, * FROM on_the_way WHERE received_at <= ? ORDER BY received_at, rowid",
            [now],
        ).fetchall()
        for row in due:
            with self.transaction():
                self._db.execute("DELETE FROM on_the_way WHERE rowid = ?", [row["rowid"]])
                self.add_message(
                    Incoming(
                        mailbox=row["mailbox"],
                        raw=row["raw"],
                        labels=["UNREAD", "INBOX"],
                        internal_date=row["received_at"],
                        received_at=row["received_at"],
                        thread_id=row["thread_id"],
                    )
                )

    def mark_read(self, message_id: str) -> None:
        with self.transaction():
            self._db.execute(
                "DELETE FROM labels WHERE label = 'UNREAD'"
                " AND seq = (SELECT seq FROM messages WHERE id = ?)",
                [message_id],
            )

    def message(self, message_id: str, *, mailbox: str | None = None) -> StoredMessage | None:
        found = self._select(
            "id = ? AND (? IS NULL OR mailbox = ?)", [message_id, mailbox, mailbox]
        )
        return found[0] if found else None

    def imported(self, mailbox: str, message_id: str) -> StoredMessage | None:
        """Find the mail in this mailbox with the same Message-ID."""
        found = self._select("mailbox = ? AND message_id = ?", [mailbox, message_id])
        return found[0] if found else None

    def thread_of(self, mailbox: str, mail: Mail, *, wanted: str | None = None) -> str | None:
        """Find the thread this mail belongs to: a shared reference and the same subject.

        `wanted`: only this thread counts.
        """
        for ref in reversed(mail.references):
            row = self._db.execute(
                "SELECT thread_id FROM messages JOIN refs USING (seq)"
                " WHERE refs.mailbox = ? AND ref = ? AND base_subject = ?"
                " AND (? IS NULL OR thread_id = ?) ORDER BY seq DESC LIMIT 1",
                (mailbox, ref, mail.base_subject, wanted, wanted),
            ).fetchone()
            if row is not None:
                return str(row["thread_id"])
        return None

    def has_thread(self, mailbox: str, thread_id: str) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM messages WHERE mailbox = ? AND thread_id = ?", (mailbox, thread_id)
        ).fetchone()
        return row is not None

    def list_ids(
        self, mailbox: str, search: Search, *, arrived_before: int, offset: int, limit: int
    ) -> tuple[list[tuple[str, str]], int]:
        """Return (id, thread id) pairs, newest first, and the total count."""
        seen = f"mailbox = ? AND received_at <= ? AND {_found(search)}"
        values = [mailbox, arrived_before, *search.values]
        total = self._db.execute(
            f"SELECT count(*) FROM messages WHERE {seen}",  # noqa: S608  # fixed fragments
            values,
        ).fetchone()[0]
        rows = self._db.execute(
            f"SELECT id, thread_id FROM messages WHERE {seen}"  # noqa: S608  # fixed fragments
            " ORDER BY internal_date DESC, seq DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [(row["id"], row["thread_id"]) for row in rows], total

    def lying_in(
        self, place: Place, *, mailbox: str | None = None, after_seq: int = 0
    ) -> Iterator[StoredMessage]:
        """Return the mails of a place, oldest first: one entry per mail and recipient."""
        rows = self._db.execute(
            f"SELECT seq FROM messages WHERE seq > ? AND {lies_in(place)}"  # noqa: S608  # fixed fragments
            " AND (? IS NULL OR mailbox = ?) ORDER BY seq",
            [after_seq, mailbox, mailbox],
        ).fetchall()
        for row in rows:  # one by one: a full mailbox does not fit in memory twice
            yield from self._select("seq = ?", [row["seq"]])

    def newest(self, search: Search, *, limit: int) -> tuple[list[StoredMessage], int]:
        """Return the newest messages found, as Gmail sorts them, and the total count.

        They are in inboxes unless the query says where to look.
        """
        where = f"mailbox NOT LIKE 'vault:%' AND {_found(search)}"
        if not search.says_where:
            where += f" AND {lies_in('inbox')}"
        total = self._db.execute(
            f"SELECT count(*) FROM messages WHERE {where}",  # noqa: S608  # fixed fragments
            search.values,
        ).fetchone()[0]
        return self._select(
            where, search.values, tail=f"ORDER BY internal_date DESC, seq DESC LIMIT {limit:d}"
        ), total

    def counts(self, mailbox: str) -> tuple[int, int, int]:
        """Return (messages, threads, last sequence number) of one mailbox."""
        row = self._db.execute(
            "SELECT count(*), count(DISTINCT thread_id), ifnull(max(seq), 0)"
            " FROM messages WHERE mailbox = ?",
            [mailbox],
        ).fetchone()
        return row[0], row[1], row[2]

    def clear(self) -> None:
        """Empty every mailbox and reset the count of sent mails."""
        with self.transaction():
            for table in _MAIL_TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608  # a fixed name

    def _one(self, where: str, values: list[Any]) -> StoredMessage:
        return self._select(where, values)[0]

    def _select(self, where: str, values: list[Any], tail: str = "") -> list[StoredMessage]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM messages WHERE {where} {tail}",  # noqa: S608  # fixed fragments
            values,
        ).fetchall()
        return [StoredMessage(**dict(row), labels=self._labels(row["seq"])) for row in rows]

    def _labels(self, seq: int) -> list[str]:
        rows = self._db.execute("SELECT label FROM labels WHERE seq = ?", [seq])
        order = ["UNREAD", "SENT", "INBOX"]
        labels = [str(row["label"]) for row in rows]
        return sorted(
            labels, key=lambda label: (order.index(label) if label in order else 9, label)
        )

    # --- sending limit

    def count_send(self, mailbox: str, now: int) -> None:
        """Count one sent mail; call inside `transaction()`."""
        self._db.execute("INSERT INTO sends (mailbox, sent_at) VALUES (?, ?)", (mailbox, now))

    def sends_since(self, mailbox: str, since: int) -> int:
        row = self._db.execute(
            "SELECT count(*) FROM sends WHERE mailbox = ? AND sent_at > ?", (mailbox, since)
        ).fetchone()
        return int(row[0])

    # --- tokens

    def add_token(
        self, token: str, *, subject: str | None, scopes: frozenset[str], expires_at: int
    ) -> None:
        self._db.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?)",
            (token, subject, " ".join(sorted(scopes)), expires_at),
        )

    def token(self, token: str, now: int) -> Token | None:
        row = self._db.execute(
            "SELECT subject, scopes FROM tokens WHERE token = ? AND expires_at > ?", (token, now)
        ).fetchone()
        return None if row is None else Token(row["subject"], frozenset(row["scopes"].split()))

    def revoke_tokens(self) -> None:
        self._db.execute("DELETE FROM tokens")


def _found(search: Search) -> str:
    hidden = "1" if search.anywhere else NEITHER_SPAM_NOR_TRASH
    return f"({search.where}) AND {hidden}"
