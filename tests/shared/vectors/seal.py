"""Seal ledger_chain.json again after a row in it was added or changed by hand.

    python tests/shared/vectors/seal.py

Each row gets its number, the hash before it and its own hash, by the description of the format in
docs/operations.md and with the standard library alone: nothing here comes from the code under test.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CHAIN = Path(__file__).with_name("ledger_chain.json")


def main() -> None:
    content = json.loads(CHAIN.read_text("utf-8"))
    last = "0" * 64
    for number, vector in enumerate(content["vectors"], start=1):
        row = vector["row"]
        record = {name: value for name, value in row.items() if name != "expiration_timestamp"}
        record |= {"seq": number, "prev_hash": last}
        del record["hash"]
        last = sha256(record)
        row |= {"seq": number, "prev_hash": record["prev_hash"], "hash": last}
        vector |= {"record_sha256": sha256(record | {"hash": last}), "hash": last}
    CHAIN.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def sha256(record: dict[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


if __name__ == "__main__":
    main()
