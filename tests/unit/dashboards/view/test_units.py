import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.view import dates, units
from dashboards.view.frames import FieldConfig
from dashboards.view.numbers import Scale, decimals_for, fixed, plain
from dashboards.view.values import ladder, shown

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@pytest.mark.parametrize(
    ("unit", "decimals", "value", "text"),
    # From the tests of Grafana's own formatters, and from its documentation.
    [
        ("currencyUSD", 2, 1532.82, "$1.53K"),
        ("currencyUSD", 2, -1532.82, "-$1.53K"),
        ("ms", 4, 0.0024, "0.0024 ms"),
        ("ms", 0, 100, "100 ms"),
        ("ms", 2, 1250, "1.25 s"),
        ("ms", 1, 10000086.123, "2.8 hours"),
        ("ms", 0, 1200, "1 s"),
        ("short", 2, 98765, "98.77 K"),
        ("short", 6, 9876543, "9.876543 Mil"),
        ("short", 0, 0, "0"),
        ("kbytes", 3, 10000000, "9.537 GiB"),
        ("deckbytes", 3, 10000000, "10.000 GB"),
        ("megwatt", 3, 1000, "1.000 GW"),
        ("bytes", 0, 1023, "1023 B"),
        ("bytes", 0, 1024, "1 KiB"),
        ("bytes", 1, 0, "0.0 B"),
        ("Bps", 1, 1500, "1.5 kB/s"),
        ("lengthm", 2, 0.25, "250.00 mm"),
        ("lengthm", 1, 1250, "1.3 km"),
        ("s", 0, 0, "0 s"),
        ("s", 2, 0.0025, "2.50 ms"),
        ("s", 0, 60, "1 min"),
        ("s", 1, 90, "1.5 mins"),
        ("s", 0, 7200, "2 hours"),
        ("s", 0, 86400, "1 day"),
        ("s", 0, 1209600, "2 weeks"),
        ("s", 1, -90, "-1.5 mins"),
        ("m", 0, 90, "2 hours"),
        ("percent", 1, 12.34, "12.3%"),
        ("percentunit", 1, 0.1234, "12.3%"),
        ("velocitykmh", 0, 50.4, "50 km/h"),
        ("conμgm3", 1, 12.34, "12.3 μg/m³"),
        ("celsius", 1, -0.04, "0.0 °C"),
        ("dB", 0, 64.5, "65 dB"),
        ("suffix:mm/h", 1, 2, "2.0 mm/h"),
        ("prefix:~", 1, 2, "~2.0"),
        ("si:mHz", 0, 2000, "2 Hz"),
        ("count:evt", 1, 2500, "2.5K evt"),
        ("ops", 1, 2500, "2.5K ops/s"),
        ("not a unit", 0, 3, "3 not a unit"),
        ("none", 2, 3, "3.00"),
        ("locale", 0, 1234567.8, "1,234,568"),
        ("locale", None, 1234.5, "1,234.5"),
        ("sci", 2, 12345, "1.23e+4"),
        ("dtdurations", 1, 3725, "1 hour, 2 minutes"),
        ("dtdurations", 0, 0, "0 seconds"),
        ("dtdurationms", 0, -90_000, "1 minute ago"),
        ("dthms", 0, 93_784, "26:03:04"),
        ("dtdhms", 0, 93_784, "1 d 02:03:04"),
        ("clocks", None, 3725, "1h:02m:05s:000ms"),
        ("clocks", 1, 3725, "1h:02m"),
        ("clockms", 0, 999, "999ms"),
    ],
)
def test_a_unit_writes_as_grafana(unit: str, decimals: int | None, value: float, text: str) -> None:
    assert str(units.formatter(unit)(value, decimals)) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (100, None, "100"),
        (100.4, None, "100"),
        (100.5, None, "101"),
        (100, 1, "100.0"),
        (100.37, 1, "100.4"),
        (100.63, 1, "100.6"),
        (100.4, 2, "100.40"),
        (186.123, -2, "186"),
        (math.nan, None, "NaN"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "-∞"),
        (0, 2, "0.00"),
        (-2.5, 0, "-2"),  # JavaScript rounds halves up, of negative numbers too
    ],
)
def test_decimals_as_grafana_rounds(value: float, decimals: int | None, text: str) -> None:
    assert fixed(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    # Where nothing is said, three digits count, none of them a zero at the end.
    [
        (51.23456, "51.2 km/h"),
        (5.123456, "5.12 km/h"),
        (0.0123456, "0.0123 km/h"),
        (512.3456, "512 km/h"),
        (60.0, "60 km/h"),
        (0.5, "0.5 km/h"),
        (-51.26, "-51.3 km/h"),
        (None, "-"),
    ],
)
def test_without_decimals_as_many_as_tell_values_apart(value: float | None, text: str) -> None:
    assert shown(value, FieldConfig(unit="velocitykmh", no_value="-")) == text


@settings(deadline=None)
@given(NUMBERS)
def test_plain_is_the_number_itself(value: float) -> None:
    assert float(plain(value)) == value
    assert not plain(value).endswith(".0")


@settings(deadline=None)
@given(NUMBERS, st.integers(0, 6))
def test_fixed_is_near_and_has_its_decimals(value: float, decimals: int) -> None:
    text = fixed(value, decimals)
    if "e" not in text:
        assert len(text.partition(".")[2]) == decimals
    assert float(text) == pytest.approx(value, abs=0.51 * 10.0**-decimals, rel=1e-12)


@settings(deadline=None)
@given(NUMBERS)
def test_chosen_decimals_keep_three_digits(value: float) -> None:
    assert decimals_for(value) >= 0
    assert float(fixed(value, None)) == pytest.approx(value, rel=0.0051, abs=1e-300)


@settings(deadline=None)
@given(NUMBERS, st.sampled_from(["short", "bytes", "s", "ms", "lengthm", "percentunit", "ops"]))
def test_a_scale_loses_nothing_and_the_page_gets_the_very_same(value: float, unit: str) -> None:
    scale = units.formatter(unit)
    assert isinstance(scale, Scale)
    steps = [step for step in scale.steps if abs(value) >= step.least]
    text = scale(value, 9)
    assert text.suffix == steps[-1].suffix
    assert float(text.text) * steps[-1].one == pytest.approx(
        value, rel=1e-9, abs=1e-9 * steps[-1].one
    )
    given_to_page = ladder(FieldConfig(unit=unit, decimals=2))
    assert given_to_page["steps"] == [list(step) for step in scale.steps]
    assert (given_to_page["decimals"], given_to_page["date"]) == (2, None)


AT = int(datetime(2026, 3, 9, 14, 5, 7, 40_000, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("unit", "zone", "text"),
    [
        ("dateTimeAsIso", "UTC", "2026-03-09 14:05:07"),
        ("dateTimeAsIso", "Asia/Shanghai", "2026-03-09 22:05:07"),
        ("dateTimeAsUS", "UTC", "03/09/2026 2:05:07 pm"),
        ("dateTimeAsSystemMs", "UTC", "2026-03-09 14:05:07.040"),
        ("time:ddd E, D MMM YY [at] H:mm Z", "Asia/Shanghai", "Mon 1, 9 Mar 26 at 22:05 +08:00"),
        ("time:ddd HH", "UTC", "Mon 14"),
    ],
)
def test_moments(unit: str, zone: str, text: str) -> None:
    assert shown(AT, FieldConfig(unit=unit), ZoneInfo(zone)) == text


def test_the_date_is_left_out_today_only_where_the_unit_says_so() -> None:
    later, next_day = AT + 3_600_000, AT + 86_400_000
    assert units.moment(AT, "dateTimeAsIsoNoDateIfToday", later, UTC) == "14:05:07"
    assert units.moment(AT, "dateTimeAsIsoNoDateIfToday", next_day, UTC) == "2026-03-09 14:05:07"
    assert units.moment(AT, "dateTimeAsIso", later, UTC) == "2026-03-09 14:05:07"


@pytest.mark.parametrize(
    ("seconds", "text"),
    # moment.js's table of thresholds.
    [
        (0, "a few seconds ago"),
        (44, "a few seconds ago"),
        (45, "a minute ago"),
        (89, "a minute ago"),
        (90, "2 minutes ago"),
        (44 * 60, "44 minutes ago"),
        (45 * 60, "an hour ago"),
        (90 * 60, "2 hours ago"),
        (22 * 3600, "a day ago"),
        (36 * 3600, "2 days ago"),
        (26 * 86400, "a month ago"),
        (320 * 86400, "a year ago"),
        (1000 * 86400, "3 years ago"),
        (-300, "in 5 minutes"),
    ],
)
def test_how_far_a_moment_is_away(seconds: int, text: str) -> None:
    assert dates.ago(AT - seconds * 1000, AT) == text


def test_a_moment_beyond_the_calendar_is_said_to_be_none() -> None:
    assert shown(1e18, FieldConfig(unit="dateTimeAsIso")) == "Invalid date"
    assert ladder(FieldConfig(unit="dateTimeFromNow"))["date"] == "from now"
    assert ladder(FieldConfig(unit="time:HH"))["date"] == "HH"
