from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from citynerve.errors import ConfigError
from dashboards.queries import Range
from dashboards.view import spans
from dashboards.view.spans import Window, milliseconds, moment, of_panel, window

NOW = int(datetime(2026, 3, 18, 14, 35, 20, tzinfo=UTC).timestamp() * 1000)  # a Wednesday


def iso(ms: int, zone: str = "UTC") -> str:
    return spans.at(ms, ZoneInfo(zone)).isoformat(timespec="milliseconds")[:23]


@pytest.mark.parametrize(
    ("text", "up", "at"),
    [
        ("now", False, "2026-03-18T14:35:20.000"),
        ("now-1h", False, "2026-03-18T13:35:20.000"),
        ("now-90s", False, "2026-03-18T14:33:50.000"),
        ("now-1M", False, "2026-02-18T14:35:20.000"),
        ("now-1y", False, "2025-03-18T14:35:20.000"),
        ("now/d", False, "2026-03-18T00:00:00.000"),
        ("now/d", True, "2026-03-18T23:59:59.999"),
        ("now-1d/d", True, "2026-03-17T23:59:59.999"),
        ("now/h", False, "2026-03-18T14:00:00.000"),
        ("now/w", False, "2026-03-15T00:00:00.000"),
        ("now/w", True, "2026-03-21T23:59:59.999"),
        ("now/M", True, "2026-03-31T23:59:59.999"),
        ("now/y+1d", False, "2026-01-02T00:00:00.000"),
        ("1773846000123", False, "2026-03-18T15:00:00.123"),
        ("2026-03-18T15:00:00Z", False, "2026-03-18T15:00:00.000"),
        ("2026-03-18T15:00:00+02:00", False, "2026-03-18T13:00:00.000"),
        ("2026-03-18 15:00", False, "2026-03-18T15:00:00.000"),
    ],
)
def test_a_moment_is_what_grafana_takes_it_for(text: str, at: str, *, up: bool) -> None:
    assert iso(moment(text, NOW, UTC, up=up)) == at


def test_days_begin_where_people_are_and_last_as_long_as_their_clocks_say() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    after = int(datetime(2026, 3, 29, 18, tzinfo=UTC).timestamp() * 1000)  # summer time began
    assert iso(moment("now/d", after, berlin), "Europe/Berlin") == "2026-03-29T00:00:00.000"
    assert iso(moment("now-1d", after, berlin), "Europe/Berlin") == "2026-03-28T20:00:00.000"
    assert moment("now-24h", after, berlin) == after - 86_400_000
    day = Window("now/d", "now/d").resolve(after, berlin)
    assert day.end - day.start + 1 == 23 * 3_600_000


@pytest.mark.parametrize("text", ["then", "now-", "now-1x", "now/", "", "2026-13-01", "9" * 30])
def test_what_is_no_time_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(ConfigError, match=r"now-1h") as caught:
        moment(text, NOW)
    assert caught.value.value == text


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ConfigError, match="before it begins"):
        Window("now", "now-1h").resolve(NOW)


def test_an_option_names_both_ends_or_the_first() -> None:
    assert window("now-6h..now-1h") == Window("now-6h", "now-1h")
    assert window("now-6h") == Window("now-6h", "now")
    with pytest.raises(ConfigError):
        window("yesterday..now")


@pytest.mark.parametrize("preset", spans.PRESETS)
def test_every_preset_is_a_range(preset: tuple[str, str, str]) -> None:
    start, end, label = preset
    assert Window(start, end).resolve(NOW).start < NOW
    assert label


def test_every_refresh_is_a_length_of_time() -> None:
    lengths = [milliseconds(one) for one in spans.REFRESHES]
    assert lengths == sorted(lengths)
    assert lengths[0] == 5_000
    with pytest.raises(ConfigError):
        milliseconds("soon")


def test_a_panel_may_have_a_range_of_its_own() -> None:
    board = Range(1_000_000_000, 1_010_000_000)
    assert of_panel({}, board) == board
    assert of_panel({"timeFrom": "1h"}, board) == board  # it stands fast
    moving = board._replace(now=1_020_000_000)
    for back in ("1h", "now-1h"):
        found = of_panel({"timeFrom": back}, moving)
        assert (found.start, found.end) == (1_020_000_000 - 3_600_000, 1_020_000_000)
    shifted = of_panel({"timeShift": "7d"}, board)
    assert (shifted.start, shifted.end) == (
        1_000_000_000 - 604_800_000,
        1_010_000_000 - 604_800_000,
    )
    assert of_panel({"maxDataPoints": 50}, board).points == 50
