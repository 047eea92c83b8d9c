"""The boards in a real browser on real data: what is read on the page is what InfluxDB holds."""

import re

import pytest

from citynerve.influx import Influx
from dashboards import boards
from dashboards.view import locale
from tests.e2e.browser.conftest import View, Watched, write_preview
from tests.integration.dashboards import sample_city as city

pytestmark = pytest.mark.e2e

BOARDS = {board["uid"]: board for board in boards.load().values()}
CITY, DATASTREAM, DISTRICT = "citynerve-city", "citynerve-datastream", "citynerve-district"
STREAM = city.STREAMS[0]
ONE = (
    f"/d/{DATASTREAM}?var-node={STREAM.node}&var-sensor={STREAM.sensor}&var-property={STREAM.prop}"
    "&var-window=1m"
)
WHERE = (
    f"WHERE node = '{STREAM.node}' AND sensor = '{STREAM.sensor}' AND property = '{STREAM.prop}'"
)


def panel_of(uid: str, title: str) -> str:
    """The selector of the panel with an English title."""
    (found,) = [one for one in BOARDS[uid]["panels"] if one["title"] == title]
    return f'[data-panel="{found["id"]}"]'


def figure(watched: Watched, selector: str) -> float:
    text = watched.page.inner_text(f"{selector} .cn-figure-value")
    return float(re.findall(r"-?[\d.]+", text)[0])


def asked(influx: Influx, database: str, query: str) -> float:
    (series,) = influx.query(database, query)
    return float(series.values[0][-1])


@pytest.mark.parametrize("uid", BOARDS)
def test_a_board_is_drawn_without_an_error_and_without_strangers(
    watched: Watched, uid: str
) -> None:
    page = watched.open(f"{ONE.replace(DATASTREAM, uid)}&from=now-24h&to=now")
    assert page.inner_text("h1") == BOARDS[uid]["title"]
    assert page.locator(".cn-panel").count() == len(BOARDS[uid]["panels"])
    assert page.locator(".cn-note-bad").all_inner_texts() == []
    assert page.locator(".cn-problem").is_hidden()
    nothing = page.locator(".cn-note").count()
    assert nothing == 0, page.locator(".cn-panel:has(.cn-note) h2").all_inner_texts()
    assert watched.errors == []
    assert watched.strangers == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name in page.locator(".cn-plot").evaluate_all("all => all.map(one => one.ariaLabel)"):
        assert name  # a chart tells in words what it shows


def test_figures_and_tables_hold_what_the_database_holds(watched: Watched, view: View) -> None:
    watched.open(f"/d/{CITY}")
    online = sum(1 for up, ago, *_ in city.ONLINE.values() if up and ago < 600)
    assert figure(watched, panel_of(CITY, "Nodes online")) == online
    page = watched.open(ONE)
    raw = view.influx.config.raw
    last = asked(view.influx, raw, f"SELECT last(value) FROM observation {WHERE} AND time <= now()")  # noqa: S608
    assert figure(watched, panel_of(DATASTREAM, "Last value")) == pytest.approx(last, abs=0.006)
    windows = panel_of(DATASTREAM, "Mean, minimum and maximum of $window windows")
    page.hover(windows)
    page.click(f"{windows} button[aria-pressed]")
    page.wait_for_selector(f"{windows} .cn-table")
    page.wait_for_function(f"document.querySelectorAll('{windows} tbody tr').length > 300")
    columns = page.locator(f"{windows} thead th").all_inner_texts()
    means = page.locator(f"{windows} tbody td:nth-child({columns.index('mean') + 1})")
    shown = {float(text) for text in means.all_inner_texts()[-50:] if text}
    query = f"SELECT mean FROM aggregate {WHERE} AND \"window\" = '1m'"  # noqa: S608
    (series,) = view.influx.query(raw, query)
    held = [float(row[-1]) for row in series.values]
    assert all(min(abs(one - other) for other in held) < 0.6 for one in shown)


def test_a_broken_datastream_is_seen_in_its_panel_and_in_no_other(
    watched: Watched, view: View
) -> None:
    page = watched.open(f"{ONE}&from={view.now - city.HOUR_MS}&to={view.now}&refresh=5s")
    last, late = panel_of(DATASTREAM, "Last value"), panel_of(DATASTREAM, "Late")
    before = page.inner_text(late)
    broken = f"observation,{STREAM.tags} value=999.5,quality=0 {view.now * city.NS}"
    view.influx.write(view.influx.config.raw, [broken])
    page.wait_for_function(f"document.querySelector('{last}').innerText.includes('999.5')")
    assert page.inner_text(late) == before
    other = city.STREAMS[4]
    page = watched.open(
        f"/d/{DATASTREAM}?var-node={other.node}&var-sensor={other.sensor}&var-property={other.prop}"
    )
    assert figure(watched, last) < 100
    assert watched.errors == []


def test_everything_can_be_done_by_keyboard(watched: Watched) -> None:
    page = watched.open(f"{ONE}&refresh=")

    def focused(what: str) -> str:
        return str(page.evaluate(f"document.activeElement.{what}"))

    page.keyboard.press("Tab")
    assert "cn-skip" in focused("className")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    assert focused("id") == "main"
    page.focus(".cn-range-button")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cn-picker")
    page.focus(".cn-preset:nth-child(4)")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"from=now-1h&to=now"))
    value = panel_of(DATASTREAM, "Value")
    page.wait_for_selector(f"{value} .cn-plot canvas")
    said = "document.getElementById('cn-said').textContent.includes('value')"
    # A canvas is there before its data are.
    for _ in range(60):
        page.focus(f"{value} .cn-plot")
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(500)
        if page.evaluate(said):
            break
    assert page.evaluate(said)
    table = panel_of(DATASTREAM, "Latest anomalies")
    page.click(".cn-range-button")
    page.click(".cn-preset:has-text('Last 24 hours')")
    page.wait_for_selector(f"{table} th button")
    page.focus(f"{table} th:nth-child(2) button")
    page.keyboard.press("Enter")
    assert page.get_attribute(f"{table} th:nth-child(2)", "aria-sort") == "ascending"
    assert page.locator("nav[aria-label], header, main").count() >= 3
    assert watched.errors == []


def test_a_range_is_zoomed_into_by_dragging_and_left_by_going_back(watched: Watched) -> None:
    page = watched.open(f"{ONE}&refresh=", height=1200)
    value = panel_of(DATASTREAM, "Value")
    box = page.locator(f"{value} .cn-plot").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=\d+&to=\d+"))
    start, end = (int(found) for found in re.findall(r"=(\d{13})", page.url))
    hours = (end - start) / 3_600_000
    assert 1.2 < hours < 2.4  # 0.3 of the board's six hours, and the axis' margins
    page.go_back()
    page.wait_for_function("document.querySelector('.cn-range-label').innerText == 'Last 6 hours'")


def test_what_is_chosen_goes_along_to_other_boards(watched: Watched) -> None:
    page = watched.open(f"/d/{DISTRICT}?from=now-3h&to=now&var-district=havn")
    href = page.get_attribute(f"nav a[href^='/d/{CITY}']", "href") or ""
    assert "from=now-3h" in href
    page.click(".cn-var:has-text('District') .cn-var-select")
    page.click(".q-menu .q-item:has-text('centrum')")
    page.wait_for_url(re.compile("var-district=centrum"))
    title = panel_of(DISTRICT, "$property: $district against the city")
    page.wait_for_function(f"document.querySelector('{title} h2').innerText.includes('centrum')")


def test_every_title_is_chinese_when_chinese_is_chosen(watched: Watched) -> None:
    page = watched.open(f"/d/{CITY}")
    page.select_option(".cn-tools-reader select", "zh")
    page.wait_for_function("document.documentElement.lang == 'zh-CN'")
    page.wait_for_selector("h1:has-text('城市现状')")
    translate = locale.translator("zh")
    titles = page.locator(".cn-panel h2").all_inner_texts()
    for panel in BOARDS[CITY]["panels"]:
        said = translate(panel["title"])
        if "$" not in said:
            assert said in titles
    assert watched.open(f"/d/{DISTRICT}").evaluate("document.documentElement.lang") == "zh-CN"
    assert watched.errors == []


def test_the_theme_is_switched_and_stays(watched: Watched) -> None:
    page = watched.open(f"/d/{CITY}?theme=light", height=900)
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.click(".cn-theme")
    page.wait_for_function("document.documentElement.dataset.theme == 'dark'")
    assert page.evaluate(ground) != before
    page = watched.open(f"/d/{DATASTREAM}", height=900)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_cameras_show_their_newest_picture_with_what_is_in_it(watched: Watched, view: View) -> None:
    page = watched.open("/cameras", height=900)
    page.wait_for_selector(".cn-cam-box")
    box = page.locator(".cn-cam-box").first
    assert [box.get_attribute(name) for name in ("x", "y", "width", "height")] == [
        *("80", "45", "80", "90"),
    ]
    assert "car 7" in page.inner_text(".cn-cam-counts")
    write_preview(view.cameras, view.now, 42)
    page.wait_for_function("document.querySelector('.cn-cam-tag').innerText.includes('42')")
    assert watched.errors == []
    assert watched.strangers == []


@pytest.mark.parametrize("uid", [CITY, DATASTREAM])
def test_on_a_phone_panels_stand_under_each_other(watched: Watched, uid: str) -> None:
    page = watched.open(f"/d/{uid}", width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide = page.locator(".cn-panel:not(.cn-type-stat)")
    lefts = wide.evaluate_all("all => all.map(one => one.getBoundingClientRect().left)")
    assert len(set(lefts)) == 1


def test_a_board_that_is_not_there_names_those_that_are(watched: Watched) -> None:
    page = watched.open("/d/nothing", height=900)
    assert page.locator("main li").count() >= len(BOARDS)


def test_home_is_the_city(watched: Watched) -> None:
    page = watched.open("/", height=900)
    assert f"/d/{CITY}" in page.url
