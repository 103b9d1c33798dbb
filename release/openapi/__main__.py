"""`python -m release.openapi` prints the document; with `--page` the page that people read."""

from __future__ import annotations

import argparse
import json
import sys

from release.openapi.document import document
from release.openapi.page import page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="Markdown instead of JSON")
    if parser.parse_args().page:
        sys.stdout.write(page(document()))
    else:
        json.dump(document(), sys.stdout, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
