"""A headless Chromium for tests and screenshots: the machine's own, with a profile of its own."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

from playwright.sync_api import BrowserContext, Page, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
TALL = 6_000
"""px: no board is higher, so that all its panels are seen at once."""

_DRAWN = """() => {
  if (document.querySelector('#cn-shell') || !document.querySelector('h1')) return false;
  const seen = (one) => { const box = one.getBoundingClientRect(); return box.top < innerHeight; };
  const left = [...document.querySelectorAll('.cn-waiting')].filter(seen);
  const empty = [...document.querySelectorAll('.cn-canvas, .cn-map-canvas')];
  return !left.length && empty.filter(seen).every((one) => one.firstChild);
}"""


def program() -> str | None:
    """Where Chromium is, by CITYNERVE_CHROMIUM or on PATH; None if there is none."""
    names = (os.environ.get("CITYNERVE_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@contextlib.contextmanager
def running() -> Iterator[BrowserContext]:
    """A browser that ends with the block; its clock and language are UTC and English."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program(),
            args=FLAGS,
            viewport={"width": 1600, "height": 900},
            timezone_id="UTC",
            locale="en-US",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            yield context
        finally:
            context.close()


def drawn(page: Page) -> None:
    """Wait until every panel in the window shows something, charts and maps included."""
    page.wait_for_function(_DRAWN)


def fit(page: Page, width: int, *, most: int = TALL) -> None:
    """Make the window as high as the page, but no higher than ``most``."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(most, int(height))})
