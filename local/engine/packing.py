"""Packing a build, once for all stacks that are deployed from it.

`sam deploy` zips every bundle each time, and reads a YAML template seven times; JSON and ready zip
files cost it a third of that. The emulator gets the same template and the same files.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import yaml

PACKED = "packed.json"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip file
_READABLE_BY_ALL = 0o755 << 16


def pack(build: Path) -> Path:
    """Zip each bundle of a finished build; return the template that names the zip files.

    `sam build` writes no short forms such as !Sub, so the template is plain YAML.
    """
    safely = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (build / "template.yaml").read_text("utf-8")
    template: dict[str, Any] = yaml.load(text, safely)  # noqa: S506 - in C where it is there
    for resource in template["Resources"].values():
        bundle = resource.get("Properties", {}).get("CodeUri")
        if bundle is not None:
            resource["Properties"]["CodeUri"] = _zipped(build / bundle).name
    template["Globals"]["Function"].pop("CodeUri", None)
    packed = build / PACKED
    packed.write_text(json.dumps(template))
    return packed


def _zipped(bundle: Path) -> Path:
    archive = bundle.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as into:
        for path in sorted(each for each in bundle.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(bundle).as_posix(), _LONG_AGO)
            entry.external_attr = _READABLE_BY_ALL
            into.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=1)
    return archive
