"""Print template.yaml as CloudFormation will see it, after the SAM transform; offline.

`sam validate --lint` reads the template before the transform and so misses what only shows after
it, such as a queue whose visibility timeout is shorter than its function's. Run it with the Python
of the SAM environment, which has the transform and cfn-lint:

    .tools/sam/bin/python release/transform.py [Parameter=value …]           print it as JSON
    .tools/sam/bin/python release/transform.py --lint [Parameter=value …]    lint it instead
    .tools/sam/bin/python release/transform.py --audit CHECKOV               run checkov instead
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
REGION = "us-east-1"  # as in samconfig.toml
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--lint", action="store_true", help="run cfn-lint on the result")
    parser.add_argument("--audit", metavar="CHECKOV", help="run this checkov on the result")
    parser.add_argument("parameters", nargs="*", metavar="Parameter=value")
    arguments = parser.parse_args()
    template = transform(dict(each.split("=", 1) for each in arguments.parameters))
    if arguments.lint:
        return lint(template)
    if arguments.audit:
        return audit(template, arguments.audit)
    json.dump(template, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


def transform(parameters: dict[str, str]) -> dict[str, Any]:
    """The template after the SAM transform; conditions and language extensions stay as they are."""
    os.environ["AWS_DEFAULT_REGION"] = REGION  # whatever the shell is set up for
    import boto3  # noqa: PLC0415 - these three are in the SAM environment only
    from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]  # noqa: PLC0415
    from samtranslator.parser.parser import (  # type: ignore[import-not-found]  # noqa: PLC0415
        Parser,
    )
    from samtranslator.translator.translator import (  # type: ignore[import-not-found]  # noqa: PLC0415
        Translator,
    )

    template: dict[str, Any] = yaml_parse(TEMPLATE.read_text("utf-8"))
    # `sam deploy` replaces the folder with the uploaded bundle before CloudFormation transforms it.
    template["Globals"]["Function"]["CodeUri"] = "s3://bundles/key"
    session = boto3.Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session)
    result: dict[str, Any] = translator.translate(template, parameters)
    result.pop("Transform", None)
    return {"Transform": LANGUAGE_EXTENSIONS} | result


def lint(template: dict[str, Any], *flags: str) -> int:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    return check(template, [str(cfn_lint), *flags, "--regions", REGION, "--template"])


def audit(template: dict[str, Any], checkov: str) -> int:
    """--skip-download: its own rules are enough."""
    flags = ["--framework", "cloudformation", "--skip-download", "--compact", "--quiet"]
    return check(template, [checkov, *flags, "--file"])


def check(template: dict[str, Any], command: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.transformed.json"
        path.write_text(json.dumps(template, indent=2))
        return subprocess.run([*command, str(path)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
