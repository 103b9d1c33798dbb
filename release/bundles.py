"""How large the built bundles are, and whether they hold what they should; ends `make build`.

    python -m release.bundles [.aws-sam/build]

Exit code 1 when a bundle is over its limit or holds what Lambda already provides.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Zipped bytes. Lambda loads and unpacks a bundle at every cold start; its own limit is 50 MB.
LIMITS = {
    "ApiFunction": 7_000_000,
    "RouterFunction": 4_000_000,
    "SweepFunction": 4_000_000,
    "MailerFunction": 9_000_000,
    "WatchFunction": 9_000_000,
    "StatementFunction": 4_000_000,
}
PROVIDED_BY_LAMBDA = ("boto3", "botocore", "s3transfer")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """zipped, limit: bytes. digest: SHA-256 of the zip, the same for the same content."""

    name: str
    zipped: int
    limit: int
    digest: str
    is_precompiled: bool
    superfluous: tuple[str, ...]

    @property
    def is_fine(self) -> bool:
        return self.zipped <= self.limit and not self.superfluous


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".aws-sam/build"))
    found = list(bundles(parser.parse_args().folder))
    if not found:
        print("There are no bundles: run `make build`.", file=sys.stderr)
        return 1
    for each in found:
        print(
            f"  {each.name:18} {each.zipped / 1e6:5.2f} MB zipped (at most {each.limit / 1e6:.0f})"
            f"  sha256 {each.digest[:12]}{'' if each.is_precompiled else '  not precompiled'}"
        )
        for name in each.superfluous:
            print(f"  {each.name} holds {name}, which Lambda already provides", file=sys.stderr)
        if each.zipped > each.limit:
            print(f"  {each.name} is too large: see release/bundle_contents.py", file=sys.stderr)
    if not all(each.is_precompiled for each in found):
        print(
            "  Not precompiled: this machine has no Python 3.13, so every cold start takes about\n"
            "  half a second longer. Run `uv python install 3.13`, then build again.",
            file=sys.stderr,
        )
    return 0 if all(each.is_fine for each in found) else 1


def bundles(folder: Path) -> Iterator[Bundle]:
    """The bundles in the folder of a `sam build`."""
    for name, limit in LIMITS.items():
        if (folder / name).is_dir():
            zipped = zip_of(folder / name)
            yield Bundle(
                name=name,
                zipped=len(zipped),
                limit=limit,
                digest=hashlib.sha256(zipped).hexdigest(),
                is_precompiled=any((folder / name).rglob("*.pyc")),
                superfluous=tuple(
                    each for each in PROVIDED_BY_LAMBDA if (folder / name / each).exists()
                ),
            )


def zip_of(bundle: Path) -> bytes:
    """The bundle as a zip that depends only on names, modes and content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(bundle).as_posix(), _ZIP_TIME)
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
