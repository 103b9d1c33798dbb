"""Facts that the browser and the server share: changing only one side fails here."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from functions.api.events.views import LATE_MS
from functions.api.free_text.card_numbers import CARD_REFUSAL
from functions.api.payments.fields import NOTE_LENGTH, REFERENCE_LENGTH
from functions.api.payments.void import VoidRequest
from functions.api.people.identity import GRANTS, Grant
from shared.audit.delivery import MailboxFinding
from shared.ledger import RETENTION_SECONDS
from shared.methods import METHODS
from tests.web.node import ROOT, node

WEB = ROOT / "web"
SCRIPTS = WEB / "scripts"


def exported(module: str, name: str) -> Any:
    """A script's constant, passed through JSON."""
    address = (SCRIPTS / module).as_uri()
    code = f"import {{ {name} }} from '{address}'; process.stdout.write(JSON.stringify({name}));"
    ran = subprocess.run(
        [node(), "--input-type=module", "-e", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def methods() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = exported("entries/methods.js", "METHODS")
    return found


def test_the_form_offers_the_methods_that_the_server_takes(
    methods: dict[str, dict[str, Any]],
) -> None:
    assert list(methods) == list(METHODS)
    for method, rules in METHODS.items():
        reference = methods[method]["reference"]
        assert methods[method]["label"] == rules.label
        assert bool(reference and reference["required"]) == rules.reference_is_required


def test_every_finding_of_the_watch_has_its_words() -> None:
    assert list(exported("entries/audit-words.js", "FINDINGS")) == [*get_args(MailboxFinding)]


def test_every_method_has_its_icon(methods: dict[str, dict[str, Any]]) -> None:
    page = (WEB / "index.html").read_text("utf-8")
    for method, facts in methods.items():
        assert f'<symbol id="{facts["icon"]}"' in page, method


def test_no_other_file_of_the_app_names_a_method(methods: dict[str, dict[str, Any]]) -> None:
    # "check" alone is also a class name and a verb.
    named = re.compile(rf"\b(?:{'|'.join(methods.keys() - {'cash', 'check'})})\b|[\"']cash[\"']")
    home = SCRIPTS / "entries" / "methods.js"
    naming = [file for file in files() if named.search(file.read_text("utf-8"))]
    assert [file for file in naming if file != home] == []


def test_the_dialog_offers_the_reasons_that_the_server_takes() -> None:
    reasons = exported("entries/words.js", "REASONS")
    assert tuple(reasons) == get_args(VoidRequest.model_fields["reason"].annotation)


def test_the_browser_and_the_server_have_the_same_limits() -> None:
    assert exported("log-payment/form.js", "NOTE_LIMIT") == NOTE_LENGTH
    assert exported("log-payment/form.js", "REFERENCE_LIMIT") == REFERENCE_LENGTH
    assert exported("entries/audit-words.js", "LATE_MS") == LATE_MS


def test_the_browser_and_the_server_refuse_card_numbers_with_the_same_sentence() -> None:
    assert exported("kit/text.js", "CARD_REFUSAL") == CARD_REFUSAL


def test_the_browser_decides_by_grants_and_knows_no_groups() -> None:
    shapes = Path(__file__).with_name("shapes.d.ts").read_text("utf-8")
    typedef = re.search(r"^type Grant = (.*);$", shapes, re.MULTILINE)
    assert typedef is not None
    assert set(re.findall(r'"(\w+)"', typedef[1])) == set(Grant)
    group = re.compile(rf"""["'](?:{"|".join(GRANTS)})["']""")
    assert [file for file in files() if group.search(file.read_text("utf-8"))] == []


def files() -> list[Path]:
    return [file for file in WEB.rglob("*") if file.suffix in {".js", ".html"}]


def test_the_browser_knows_how_long_entries_are_kept() -> None:
    assert exported("entries/event-sums.js", "RETENTION_DAYS") * 24 * 3_600 == RETENTION_SECONDS
