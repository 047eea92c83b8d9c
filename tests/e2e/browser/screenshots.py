"""Pictures of every page of a running view: each board, theme, width and language.

``python -m tests.e2e.browser.screenshots --url http://127.0.0.1:PORT/ --out FOLDER``: look at them
after a change, for what no test sees. Wide pictures show the whole board, and so do a phone's.
"""

import argparse
import itertools
from pathlib import Path
from typing import Final

from dashboards import boards
from tests.e2e.browser import chrome

SIZES: Final = {"wide": (1600, 900), "laptop": (1280, 800), "phone": (390, 844)}
SETTLE_MS: Final = 700
"""Pictures of cameras and rings on maps come a moment after the rest."""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of the view")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--boards", nargs="*", help="uids, or 'cameras' [default: all]")
    parser.add_argument("--themes", nargs="*", default=["light", "dark"])
    parser.add_argument("--languages", nargs="*", default=["en", "zh"])
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=["wide", "phone"])
    parser.add_argument("--query", default="", help="more of the address, such as var-node=road-01")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    pages = wanted.boards or [*(board["uid"] for board in boards.load().values()), "cameras"]
    with chrome.running() as browser:
        for name, theme, language, size in itertools.product(
            pages, wanted.themes, wanted.languages, wanted.sizes
        ):
            width, height = SIZES[size]
            page = browser.new_page()
            page.set_viewport_size({"width": width, "height": height})
            path = "cameras" if name == "cameras" else f"d/{name}"
            query = f"theme={theme}&lang={language}&{wanted.query}"
            page.goto(f"{wanted.url.rstrip('/')}/{path}?{query}")
            chrome.drawn(page)
            chrome.fit(page, width)
            chrome.drawn(page)
            page.wait_for_timeout(SETTLE_MS)
            stem = "pictures" if name == "cameras" else name.removeprefix("citynerve-")
            page.screenshot(path=wanted.out / f"{stem}.{theme}.{language}.{size}.png")
            page.close()


if __name__ == "__main__":
    main()
