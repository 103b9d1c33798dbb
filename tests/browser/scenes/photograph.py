"""`make screens`: every scene on a laptop and a phone, light and dark, as build/screens/*.png.

With SCC_TEST_STACK=<state folder> a running stack is used, else one is started and thrown away.
Names given as arguments photograph those scenes only. docs/screens holds copies of those pictures
that README.md shows.
"""

from __future__ import annotations

import base64
import contextlib
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from local.running_stack import RunningStack
from tests.browser.chromium import PHONE, WIDE, launch
from tests.browser.scenes.every import SCENES
from tests.browser.scenes.stage import on_stage, seed
from tests.dock import Dock

SCREENS = Path(__file__).parents[3] / "build" / "screens"
COLORS = 64  # an interface has few: a palette cuts the file to a third, with no visible difference
SIZES = {"1280": WIDE, "375": PHONE}

# Counts colors in 32 steps a channel, keeps the most frequent, gives every pixel the nearest.
PALETTE = """async ([png, most]) => {
  const bytes = Uint8Array.from(atob(png), (each) => each.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const bucket = (at) => (data[at] >> 3 << 10) | (data[at + 1] >> 3 << 5) | (data[at + 2] >> 3);
  const sums = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const sum = sums.get(bucket(at)) ?? [0, 0, 0, 0];
    for (let i = 0; i < 3; i += 1) sum[i] += data[at + i];
    sum[3] += 1;
    sums.set(bucket(at), sum);
  }
  const mean = ([r, g, b, n]) => [r / n, g / n, b / n].map(Math.round);
  const palette = [...sums.values()].sort((a, b) => b[3] - a[3]).slice(0, most).map(mean);
  const distance = (a, b) => a.reduce((sum, each, i) => sum + (each - b[i]) ** 2, 0);
  const nearest = new Map([...sums].map(([key, sum]) => {
    const color = mean(sum);
    const distances = palette.map((each) => distance(each, color));
    return [key, distances.indexOf(Math.min(...distances))];
  }));
  let indices = "";
  for (let at = 0; at < data.length; at += 4) {
    indices += String.fromCharCode(nearest.get(bucket(at)));
  }
  return { width: image.width, height: image.height, palette, indices: btoa(indices) };
}"""


def indexed_png(darkroom: Page, png: bytes) -> bytes:
    """The same picture with a palette (PNG color type 3); Chromium decodes it."""
    drawn = darkroom.evaluate(PALETTE, [base64.b64encode(png).decode(), COLORS])
    width, height = drawn["width"], drawn["height"]
    indices = base64.b64decode(drawn["indices"])
    rows = b"".join(b"\0" + indices[y * width : (y + 1) * width] for y in range(height))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", bytes(value for color in drawn["palette"] for value in color)),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
    )


@contextlib.contextmanager
def some_stack() -> Iterator[RunningStack]:
    running = os.environ.get("SCC_TEST_STACK")
    if running:
        yield RunningStack.running(Path(running).resolve())
    else:
        print("starting a stack")
        with RunningStack.temporary() as started:
            yield started


def photograph(browser: Browser, stack: RunningStack, names: list[str]) -> None:
    dock = Dock(stack).sign_in()
    seed(dock)
    darkroom = browser.new_page()
    for name in names:
        with on_stage(browser, stack, dock, SCENES[name]) as page:
            for width, size in SIZES.items():
                page.set_viewport_size(size)
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                    picture = indexed_png(darkroom, page.screenshot(caret="hide"))
                    (SCREENS / f"{name}-{width}-{scheme}.png").write_bytes(picture)
        print(name)


def main() -> None:
    names = sys.argv[1:] or list(SCENES)
    unknown = set(names) - SCENES.keys()
    if unknown:
        sys.exit(f"No such scene: {', '.join(sorted(unknown))}. There are: {', '.join(SCENES)}.")
    SCREENS.mkdir(parents=True, exist_ok=True)
    if len(names) == len(SCENES):
        for old in SCREENS.glob("*.png"):
            old.unlink()
    with some_stack() as stack, sync_playwright() as playwright:
        browser = launch(playwright)
        photograph(browser, stack, names)
        browser.close()
    total = sum(file.stat().st_size for file in SCREENS.glob("*.png"))
    print(f"{len(list(SCREENS.glob('*.png')))} pictures, {total / 1e6:.1f} MB, in {SCREENS}")


if __name__ == "__main__":
    main()
