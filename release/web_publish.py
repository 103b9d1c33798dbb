"""Copy the web client to a bucket: right content types, right cache headers, nothing left behind.

File names have no fingerprint, so browsers must revalidate each one (`no-cache`, a 304 while
nothing changed); CloudFront gets an invalidation.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # stubs: only the developers' environment has them
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_s3 import S3Client

# The standard library's table depends on the machine; browsers reject a module with a wrong type.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
REVALIDATE = "no-cache"
KEEP_A_DAY = "public, max-age=86400"
KEPT = {".gif", ".ico", ".jpg", ".png", ".webp", ".woff2"}


class UnpublishableError(Exception):
    """The folder cannot be published; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication changed: object keys."""

    uploaded: tuple[str, ...]
    unchanged: tuple[str, ...]
    deleted: tuple[str, ...]


def publish(
    s3: S3Client, bucket: str, prefix: str, folder: Path, *, is_mirror: bool = True
) -> Published:
    """Make the keys of `bucket` under `prefix` ("" or "_staging/") mirror the files of `folder`.

    New files go first, index.html last, deletions after it: a page loaded meanwhile never refers to
    a missing file. is_mirror: false where others keep files, too; none is deleted there. Raises
    UnpublishableError.
    """
    files = _files(folder)
    there = _listed(s3, bucket, prefix)
    uploaded, unchanged = [], []
    for name in sorted(files, key=lambda name: (name == "index.html", name)):
        key, content = prefix + name, files[name].read_bytes()
        if there.get(key) == hashlib.md5(content, usedforsecurity=False).hexdigest():
            unchanged.append(key)
            continue
        suffix = files[name].suffix
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=content,
            ContentType=CONTENT_TYPES[suffix],
            CacheControl=KEEP_A_DAY if suffix in KEPT else REVALIDATE,
        )
        uploaded.append(key)
    stale = sorted(there.keys() - {prefix + name for name in files}) if is_mirror else []
    for key in stale:
        s3.delete_object(Bucket=bucket, Key=key)
    return Published(tuple(uploaded), tuple(unchanged), tuple(stale))


def invalidate(cloudfront: CloudFrontClient, distribution_id: str, prefix: str) -> str:
    """Drop what CloudFront has cached under `prefix`; return the invalidation's id."""
    paths = [f"/{prefix}*"]
    answer = cloudfront.create_invalidation(
        DistributionId=distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": len(paths), "Items": paths},
            "CallerReference": uuid.uuid4().hex,
        },
    )
    return answer["Invalidation"]["Id"]


def _files(folder: Path) -> dict[str, Path]:
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    if "index.html" not in found:
        raise UnpublishableError(f"{folder} has no index.html: is it the web client's folder?")
    for name, path in found.items():
        if path.suffix not in CONTENT_TYPES:
            raise UnpublishableError(
                f"{name} has no known content type: add {path.suffix or 'its suffix'!r} to "
                "CONTENT_TYPES, or move the file out of the folder."
            )
    return found


def _listed(s3: S3Client, bucket: str, prefix: str) -> dict[str, str]:
    """Key → MD5 of each object (the ETag of an object put in one part)."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {
        item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", [])
    }
