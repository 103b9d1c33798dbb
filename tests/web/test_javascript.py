"""The web app's modules under node's test runner, and rules for its files."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.web.node import node

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
SUITES = sorted(Path(__file__).parent.rglob("*.test.mjs"))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name.removesuffix(".test.mjs"))
def test_javascript_suite_passes(suite: Path) -> None:
    ran = subprocess.run(
        [node(), "--test", "--test-reporter=tap", str(suite)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^# pass [1-9]", ran.stdout, re.MULTILINE), ran.stdout


class Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def markup() -> Markup:
    """The page once more.html is loaded into it."""
    parser = Markup()
    for name in ("index.html", "more.html"):
        parser.feed((WEB / name).read_text("utf-8"))
    return parser


def imports(module: Path, pattern: str) -> set[Path]:
    """The modules that a module imports, directly or not."""
    text = module.read_text("utf-8")
    found = {(module.parent / name).resolve() for name in re.findall(pattern, text)}
    return found.union(*(imports(each, STATIC) for each in found)) if found else found


STATIC = r'(?m)^(?:import|\} from)\b[^;]*?"(\.[^"]+)"'
DYNAMIC = r'import\("(\.[^"]+)"\)'


def test_the_page_runs_under_a_content_security_policy_without_unsafe_inline(
    markup: Markup,
) -> None:
    for tag, attributes in markup.tags:
        assert tag != "style"
        assert tag != "script" or attributes.get("src"), "an inline script"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_nothing_is_loaded_from_elsewhere() -> None:
    allowed = "http://www.w3.org/2000/svg"
    for file in WEB.rglob("*"):
        if file.is_file():
            addresses = set(re.findall(r"https?://[^\s\"')]+", file.read_text("utf-8")))
            assert addresses <= {allowed}, file


def test_modules_are_preloaded_or_loaded_on_demand_and_every_named_file_exists(
    markup: Markup,
) -> None:
    main = WEB / "scripts" / "main.js"
    first, later = imports(main, STATIC), imports(main, DYNAMIC)
    preloaded = {a["href"] for _, a in markup.tags if a.get("rel") == "modulepreload"}
    assert preloaded == {each.relative_to(WEB).as_posix() for each in first}
    served = set((WEB / "scripts").rglob("*.js"))
    assert first | later | {main} == {
        each for each in served if each.name not in {"base.js", "waiver.js"}
    }
    assert later - first, "what few visits need is not part of the first load"
    for tag, attributes in markup.tags:
        named = attributes.get("href") if tag == "link" else attributes.get("src")
        if named:
            assert (WEB / named.removeprefix("/")).is_file(), named


def test_ids_are_unique_and_every_reference_finds_its_element(markup: Markup) -> None:
    ids = [attributes["id"] for _, attributes in markup.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    referring = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
    for _, attributes in markup.tags:
        for name in referring:
            for reference in (attributes.get(name) or "").split():
                assert reference in ids, (name, reference)


def test_text_from_data_never_becomes_markup() -> None:
    for file in (WEB / "scripts").rglob("*.js"):
        code = file.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", code)


def test_only_one_module_talks_to_the_server() -> None:
    for file in (WEB / "scripts").rglob("*.js"):
        talks = re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket", file.read_text("utf-8"))
        assert bool(talks) == (file.name == "api-fetch.js"), file.name


ROOMS = (
    "kit",
    "server",
    "entries",
    "session",
    "roster",
    "sending",
    "log-payment",
    "void",
    "screens",
)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_earlier_rooms(room: str) -> None:
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for file in (WEB / "scripts" / room).iterdir():
        for name in re.findall(STATIC, file.read_text("utf-8")):
            home = (file.parent / name).resolve().parent.name
            assert home in allowed, f"{file.name} imports {name}"


def test_every_folder_of_scripts_is_a_room() -> None:
    folders = {each.name for each in (WEB / "scripts").iterdir() if each.is_dir()}
    assert folders == set(ROOMS)
