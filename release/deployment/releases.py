"""The name of a release: what is deployed, code and parameters, in one word.

Lambda keeps a version's code and settings together, so a changed parameter needs a new version as
much as changed code does. SAM publishes one when the first ten characters of this name change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# They change no function.
APART = frozenset({"DeletionProtection", "Release"})


def release_of(code: str, parameters: Mapping[str, str]) -> str:
    """As 4f0c9a1b22-d1116a55d3ac: a digest of both, and the start of the code's own name.

    code: a commit's hash, or a build's name; lower-case letters and digits. parameters: the
    template's, as they are given to the deployment.
    """
    counted = {name: value for name, value in parameters.items() if name not in APART}
    content = json.dumps([code, counted], sort_keys=True)
    return f"{hashlib.sha256(content.encode()).hexdigest()[:10]}-{code[:12]}"


def with_release(template: Mapping[str, Any], release: str) -> dict[str, Any]:
    """A template for the emulator, whose SAM transform sees the parameters' defaults only."""
    parameters = template["Parameters"]
    named = parameters["Release"] | {"Default": release}
    return {**template, "Parameters": {**parameters, "Release": named}}
