"""How the app loads: how much, and what appears first."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterable

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.routes import hold
from tests.suites import later
from tests.web.node import node

BUDGET_BYTES = 64 * 1024
# What CloudFront sends (`Compress: true`, Managed-CachingOptimized): Brotli, at about this quality,
# for files of 1,000 bytes or more. Browsers ask for it on HTTPS only; the local front door is HTTP.
BROTLI = """
const { brotliCompressSync, constants } = require("node:zlib");
const files = JSON.parse(require("node:fs").readFileSync(0));
const params = { [constants.BROTLI_PARAM_QUALITY]: 5 };
const size = (file) => file.length < 1000 ? file : brotliCompressSync(file, { params });
const sizes = files.map((file) => size(Buffer.from(file, "base64")).length);
process.stdout.write(JSON.stringify(sizes));
"""


def brotli_sizes(contents: Iterable[bytes]) -> list[int]:
    files = json.dumps([b64encode(each).decode() for each in contents])
    ran = subprocess.run(
        [node(), "-e", BROTLI], input=files.encode(), capture_output=True, check=True
    )
    sizes: list[int] = json.loads(ran.stdout)
    return sizes


@pytest.mark.parametrize("path", ["/", later("/g/sunset-charter")])
def test_the_whole_app_is_at_most_64_kb_on_the_wire(admin_page: Page, path: str) -> None:
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    admin_page.on("response", note)
    admin_page.goto(path, wait_until="networkidle")
    files = {answer.url: answer.body() for answer in answers if "/api/" not in answer.url}
    sizes = dict(zip(files, brotli_sizes(files.values()), strict=True))
    assert len(sizes) > 20, "modules, styles, markup and icon"
    total = sum(sizes.values())
    print(f"{total} bytes in {len(sizes)} files")
    assert total <= BUDGET_BYTES, sizes


@pytest.mark.parametrize("path", ["/", *map(later, ("/g/sunset-charter", "/_staging/"))])
def test_the_shell_is_painted_before_the_api_answers(admin_page: Page, path: str) -> None:
    admin_page.route("**/api/**", hold)
    answer = admin_page.goto(path)
    expect(admin_page.get_by_role("link", name="Ship Captain Crew")).to_be_visible()
    expect(admin_page.locator("main .skeleton").first).to_be_visible()
    painted = "performance.getEntriesByName('first-contentful-paint').length"
    admin_page.wait_for_function(painted)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-" not in policy


def test_every_file_is_loaded_once_and_every_preload_is_used(admin_page: Page) -> None:
    """Unused preloads and modules loaded twice slow down the phone at the dock."""
    loaded: list[str] = []
    admin_page.on("request", lambda request: loaded.append(request.url))
    admin_page.goto("/", wait_until="networkidle")
    files = [url for url in loaded if "/api/" not in url]
    assert sorted(files) == sorted(set(files))
    announced = admin_page.locator("link[rel=modulepreload], script[src]").evaluate_all(
        "links => links.map(link => link.href || link.src)"
    )
    assert set(announced) == {url for url in files if url.endswith(".js")}
