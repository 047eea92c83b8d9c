"""A view that is started before its database says so, and shows it as soon as it is there."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from citynerve.influx import connect
from tests.e2e.browser import chrome
from tests.e2e.browser.conftest import PATIENCE_S, preview
from tests.servers import InfluxDb1

pytestmark = pytest.mark.e2e

BOARD = "d/citynerve-city"
ONLINE = '.cn-panel:has-text("Nodes online") .cn-figure-value:has-text("1")'


def test_a_database_that_comes_later_is_shown_without_a_reload(
    browser: BrowserContext, tmp_path: Path
) -> None:
    server = InfluxDb1(tmp_path / "influxdb")
    process, url = preview(server, tmp_path, tmp_path / "cameras")
    browser.clear_cookies()
    page = browser.new_page()
    try:
        page.set_viewport_size({"width": 1600, "height": chrome.TALL})
        page.goto(url + BOARD)
        page.wait_for_selector(".cn-problem:visible")
        page.wait_for_selector(".cn-panel .cn-note-bad")
        assert str(server.port) in page.locator(".cn-panel .cn-note-bad").first.inner_text()
        server.start()
        with connect(server.config) as influx:
            influx.ensure(0)
            now = time.time_ns()
            state = f"online=1.0,seen={now // 1_000_000}.0"
            influx.write(influx.config.main, [f"node,node=a-1,district=x {state} {now}"])
        page.wait_for_selector(ONLINE)
        page.wait_for_selector(".cn-problem", state="hidden")
        page.wait_for_function("!document.querySelector('.cn-panel .cn-note-bad')")
    finally:
        page.close()
        process.terminate()
        process.wait(PATIENCE_S)
        server.stop()
