"""What a bundle leaves out, and why: every byte makes a cold start slower.

Each line was found by importing and running the function. A test does both with the bundle alone
(tests/release/test_bundles.py), so a wrong name here fails there, not in AWS.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Indirect dependencies that our code never reaches. Google's client can also use gRPC (protobuf and
# friends) and fetch tokens with `requests`; ours uses JSON over httplib2.
UNUSED_PACKAGES: dict[str, frozenset[str]] = {
    "audit_mailer": frozenset(
        {
            "charset-normalizer",
            "googleapis-common-protos",
            "idna",
            "opentelemetry-api",
            "proto-plus",
            "protobuf",
            "pyasn1",
            "pyasn1-modules",
            "pycparser",
            "requests",
            "urllib3",
        }
    ),
}
KEPT_DISCOVERY_DOCUMENTS = {"gmail.v1.json"}  # the other hundreds are 114 MB
_POWERTOOLS = "aws_lambda_powertools"
_UNUSED_EVERYWHERE = (
    "bin",
    "share",
    ".lock",  # uv's own
    f"{_POWERTOOLS}/event_handler/openapi/swagger_ui",
    *(  # the zones again, as text, and tables for people who choose one
        f"tzdata/zoneinfo/{name}"
        for name in (
            *("iso3166.tab", "leapseconds", "tzdata.zi", "zone.tab", "zone1970.tab"),
            "zonenow.tab",
        )
    ),
    *(
        f"{_POWERTOOLS}/utilities/{name}"
        for name in (
            *("auth_alpha", "circuit_breaker", "data_masking", "feature_flags", "idempotency"),
            *("kafka", "parser", "streaming", "validation"),
        )
    ),
)
_UNUSED: dict[str, tuple[str, ...]] = {
    "daily_statement": (f"{_POWERTOOLS}/event_handler",),
    "stream_router": (f"{_POWERTOOLS}/event_handler",),
    # Of cffi, cryptography loads the compiled half beside the folder; "apiclient" is an old name.
    "audit_mailer": (f"{_POWERTOOLS}/event_handler", "apiclient", "cffi"),
}
_UNUSED_SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".h"}
_NAMES_OF_LICENSES = ("licen", "copying", "notice", "authors")
# 1980 is the earliest year in a zip; a moment later that day is safe in every time zone.
_EPOCH_OF_ZIP = 315_619_200


def prune(bundle: Path, group: str) -> None:
    """Drop what the function never reads: scripts, tests, other APIs, package metadata."""
    for name in (*_UNUSED_EVERYWHERE, *_UNUSED.get(group, ())):
        _remove(bundle / name)
    for tests in list(bundle.glob("*/tests")):
        _remove(tests)
    documents = bundle / "googleapiclient" / "discovery_cache" / "documents"
    for document in documents.glob("*.json"):
        if document.name not in KEPT_DISCOVERY_DOCUMENTS:
            document.unlink()
    for file in list(bundle.rglob("*")):
        if file.suffix in _UNUSED_SUFFIXES and file.is_file():
            file.unlink()
    for metadata in bundle.glob("*.dist-info"):
        _keep_licenses(metadata)


def settle(bundle: Path) -> None:
    """Give every file the same time and mode, so that the same content makes the same zip."""
    for path in sorted(bundle.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)
        os.utime(path, (_EPOCH_OF_ZIP, _EPOCH_OF_ZIP))


def _keep_licenses(metadata: Path) -> None:
    """Licenses require it; RECORD and the like are only for installers."""
    for file in [path for path in metadata.rglob("*") if path.is_file()]:
        if not file.name.lower().startswith(_NAMES_OF_LICENSES):
            file.unlink()
    folders = [path for path in (metadata, *metadata.rglob("*")) if path.is_dir()]
    for folder in sorted(folders, reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
