"""What pages are made of, without a browser: addresses, readers, choices, sections, frames."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboards import boards
from dashboards.queries import ALL, Choice
from dashboards.view import locale, variables
from dashboards.view.page import address, chooser, first, layout, picker, preload, present, reader
from dashboards.view.page.address import Address
from dashboards.view.spans import Window

BOARDS = boards.load()


def test_an_address_is_read_as_it_is_written() -> None:
    window = Window("now-3h", "now")
    written = Address("x", {"node": "a b", "district": ("c", "d")}, window, "30s")
    path, _, query = written.text().partition("?")
    assert path == "/d/x"
    pairs = [tuple(part.split("=", 1)) for part in query.replace("+", " ").split("&")]
    assert address.read("x", pairs) == written  # type: ignore[arg-type]
    assert address.read("x", [("var-d", "All")]).chosen == {"d": ALL}
    assert address.read("x", [("from", "soon")]).window is None
    assert Address("x").text() == "/d/x"


def test_other_boards_get_what_they_have_a_place_for() -> None:
    known = variables.read(BOARDS["district"])
    chosen = {"district": "havn", "node": "a-1", "property": ALL}
    found = address.to_board("citynerve-district", known, chosen, Window("1", "2"))
    assert found == "/d/citynerve-district?var-district=havn&from=1&to=2"


def test_a_reader_is_known_by_address_cookies_and_browser() -> None:
    cookies = {
        "citynerve_language": "zh",
        "citynerve_theme": "auto",
        "citynerve_shade": "dark",
        "citynerve_zone": "Europe%2FCopenhagen",
    }
    known = reader.read(cookies, {}, "en", None)
    assert (known.language, known.wish, known.theme) == ("zh", "auto", "dark")
    assert known.zone == ZoneInfo("Europe/Copenhagen")
    asked = reader.read(cookies, {"lang": "en", "theme": "light"}, "zh", "zh")
    assert (asked.language, asked.theme) == ("en", "light")
    assert reader.read({}, {"lang": "xx"}, "zh-CN", None).language == "zh"
    assert reader.read({}, {}, "zh-CN", "en").language == "en"
    assert reader.zone("../etc") is not None


@pytest.mark.parametrize(
    ("value", "before", "choice"),
    [
        ("a", None, "a"),
        (None, None, None),
        ([ALL, "a"], [ALL], "a"),
        (["a", "b"], ["a"], ("a", "b")),
        (["a", ALL], ["a"], ALL),
        ([], ["a"], ALL),
        ([], [], None),
    ],
)
def test_all_and_single_values_exclude_each_other(
    value: str | list[str] | None, before: list[str] | None, choice: Choice | None
) -> None:
    assert chooser.settled(value, before) == choice


def test_a_range_is_said_moved_and_widened() -> None:
    tr = locale.translator("zh")
    assert picker.said(Window("now-6h", "now"), UTC, tr) == "最近 6 小时"
    past = Window("1396310400000", "1396317600000")
    assert picker.said(past, UTC, tr) == "2014-04-01 00:00 → 2014-04-01 02:00"
    assert picker.said(Window("now-6h", "now"), UTC, tr, 1396317600000).endswith(
        "2014-04-01 02:00\uff09"
    )
    assert picker.moved(past, UTC, -1, 0) == Window("1396306800000", "1396314000000")
    assert picker.widened(past, UTC, 1396320000000) == Window("1396305600000", "1396320000000")


def test_now_is_the_end_of_the_data_where_that_is_long_past() -> None:
    city = BOARDS["city-now"]
    newest, hour = 1396317600000, 3_600_000
    assert present.past(city, newest, newest + hour) == 1396318200000
    assert present.past(city, newest, newest + 60_000) is None
    assert present.past(city, None, 5) is None
    assert present.past(BOARDS["nodes"], newest, newest + hour) is None


def test_a_board_of_the_last_hour_opens_with_a_day_of_old_data() -> None:
    city, trends = BOARDS["city-now"], BOARDS["trends"]
    assert present.opened(city, None) == Window("now-1h", "now")
    assert present.opened(city, 1396318200000) == Window("now-24h", "now")
    assert present.opened(trends, 1396318200000) == present.opened(trends, None)


def test_rows_part_a_board_into_sections_with_grids_of_their_own() -> None:
    def panel(number: int, kind: str, x: int, y: int, **more: object) -> dict[str, Any]:
        return {"id": number, "type": kind, "gridPos": {"x": x, "y": y, "w": 12, "h": 4}, **more}

    closed = [panel(5, "stat", 0, 20)]
    found = list(
        layout.sections(
            {
                "panels": [
                    panel(2, "stat", 12, 0),
                    panel(1, "stat", 0, 0),
                    panel(3, "row", 0, 4, title="More"),
                    panel(4, "stat", 0, 5),
                    panel(6, "row", 0, 9, title="Hidden", collapsed=True, panels=closed),
                ]
            }
        )
    )
    assert [(one.title, one.open) for one in found] == [
        ("", True),
        ("More", True),
        ("Hidden", False),
    ]
    assert [one["id"] for one in found[0].panels] == [1, 2]
    assert found[1].panels[0]["gridPos"]["y"] == 0
    assert found[2].panels[0]["gridPos"]["y"] == 0


def test_the_first_paint_holds_every_frame_and_runs_nothing_from_the_data() -> None:
    (section,) = layout.sections(BOARDS["city-now"])
    html = first.html({"/d/x": "<b>"}, "/d/x", ("T", "D"), [section.panels], str)
    assert html.count("<section") == len(BOARDS["city-now"]["panels"])
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "<script" not in html


def test_a_page_names_the_scripts_of_its_panels_and_no_others() -> None:
    kinds = ("stat", "timeseries", "geomap", "table", "text", "unheard-of")
    said = preload.html({"type": kind} for kind in kinds)
    for name in ("board_figures.js", "board_chart.js", "cn-drawers.js", "board_map.js"):
        assert said.count(name) == 1
    assert "leaflet.css" in said
    figures = preload.html([{"type": "stat"}, {"type": "stat"}])
    assert figures.count("<link") == 1
    assert preload.html([]) == ""
