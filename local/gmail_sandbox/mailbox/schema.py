"""The tables of the sandbox's SQLite file. Times are epoch milliseconds."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  mailbox TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  base_subject TEXT NOT NULL,
  sender TEXT NOT NULL,
  subject TEXT NOT NULL,
  snippet TEXT NOT NULL,
  has_attachment INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_message_id ON messages (mailbox, message_id);
CREATE INDEX IF NOT EXISTS messages_by_thread ON messages (mailbox, thread_id);
CREATE TABLE IF NOT EXISTS labels (
  label TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (label, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS labels_by_message ON labels (seq);
CREATE TABLE IF NOT EXISTS refs (
  mailbox TEXT NOT NULL, ref TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (mailbox, ref, seq)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
  subject, sender, recipients, body, filenames, list_id, tokenize = "unicode61 remove_diacritics 2"
);
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, subject TEXT, scopes TEXT NOT NULL, expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS on_the_way (
  mailbox TEXT NOT NULL, thread_id TEXT, received_at INTEGER NOT NULL, raw BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sends (mailbox TEXT NOT NULL, sent_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sends_by_mailbox ON sends (mailbox, sent_at);
"""
