"""The name of a release: the same for the same code and parameters, and seen by the emulator."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from release.deployment.deploy import name_release
from release.deployment.releases import release_of


def test_a_release_is_named_after_its_commit_and_all_that_changes_a_function() -> None:
    first = release_of("d1116a55d3acaa", {"RetryCapSeconds": "900", "Stage": "prod"})
    assert re.fullmatch(r"[0-9a-f]{10}-d1116a55d3ac", first)
    assert first == release_of("d1116a55d3acaa", {"Stage": "prod", "RetryCapSeconds": "900"})
    others = [
        release_of("d1116a55d3acaa", {"RetryCapSeconds": "901", "Stage": "prod"}),
        release_of("17d5473aaaaaaa", {"RetryCapSeconds": "900", "Stage": "prod"}),
    ]
    assert len({each[:10] for each in [first, *others]}) == 3, "SAM looks at ten characters"
    protected = {"RetryCapSeconds": "900", "Stage": "prod", "DeletionProtection": "true"}
    assert release_of("d1116a55d3acaa", protected | {"Release": first}) == first


def test_the_emulator_reads_the_release_where_its_transform_looks(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    kept = {"Type": "String", "Default": ""}
    template.write_text(json.dumps({"Parameters": {"Release": kept, "Stage": kept}}))
    name_release(template, "4f0c9a1b22-d1116a55d3ac")
    parameters = yaml.safe_load(template.read_text())["Parameters"]
    named = {"Type": "String", "Default": "4f0c9a1b22-d1116a55d3ac"}
    assert parameters == {"Release": named, "Stage": kept}
