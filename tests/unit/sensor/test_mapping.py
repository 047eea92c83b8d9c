from calendar import timegm
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError
from citynerve.topics import is_name
from edge.sensor import mapping
from edge.sensor.mapping import TimeColumn, TimeReader, sensor_name, span_ms

LEAST = '[time]\ncolumn = "t"\n[properties.speed]\ncolumn = "v"\nunit = "km/h"\n'


def reader(form: str = "iso", zone: str = "UTC") -> TimeReader:
    return TimeReader(TimeColumn(column="t", format=form, zone=zone), file="m.toml")


@pytest.mark.parametrize(
    ("cell", "form", "zone", "expected"),
    [
        ("1970-01-01T00:00:00", "iso", "UTC", 0),
        ("2014-08-01T08:10:00", "iso", "UTC", 1406880600000),
        ("2014-05-22 09:09:04.145", "iso", "UTC", 1400749744145),
        ("2014-05-22 09:09:04.1", "iso", "UTC", 1400749744100),
        ("2014-05-22 09:09:04.145999", "iso", "UTC", 1400749744145),
        ("2014-08-01T08:10:00+02:00", "iso", "UTC", 1406873400000),
        ("2014-08-01T08:10:00Z", "iso", "Europe/Copenhagen", 1406880600000),
        ("2014-08-01T08:10:00", "iso", "Europe/Copenhagen", 1406873400000),
        ("2014-10-26 02:28:00", "iso", "Europe/Copenhagen", 1414283280000),
        ("1406880600", "unix_s", "UTC", 1406880600000),
        ("1406880600.25", "unix_s", "UTC", 1406880600250),
        ("-0.0005", "unix_s", "UTC", -1),
        ("1406880600123", "unix_ms", "UTC", 1406880600123),
        ("01.08.2014 08:10", "%d.%m.%Y %H:%M", "UTC", 1406880600000),
        ("01.08.2014 08:10 +0200", "%d.%m.%Y %H:%M %z", "UTC", 1406873400000),
    ],
)
def test_times_are_read_as_written(cell: str, form: str, zone: str, expected: int) -> None:
    assert reader(form, zone).read(cell) == expected


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("", "iso"),
        ("yesterday", "iso"),
        ("2014-13-01", "iso"),
        ("", "unix_s"),
        ("NaN", "unix_s"),
        ("Infinity", "unix_s"),
        ("1.5", "unix_ms"),
        ("2014-08-01", "%d.%m.%Y"),
    ],
)
def test_a_time_that_cannot_be_read_is_a_value_error(cell: str, form: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        reader(form).read(cell)


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_being_written_and_read(moment: datetime) -> None:
    expected = timegm(moment.utctimetuple()) * 1000 + moment.microsecond // 1000
    assert reader().read(moment.isoformat()) == expected


@given(cell=st.text(max_size=30), form=st.sampled_from(["iso", "unix_s", "unix_ms", "%Y"]))
def test_no_cell_raises_anything_but_a_value_error(cell: str, form: str) -> None:
    try:
        assert isinstance(reader(form, "Europe/Copenhagen").read(cell), int)
    except ValueError:
        return


def test_an_unknown_zone_is_a_config_error() -> None:
    with pytest.raises(ConfigError) as caught:
        reader(zone="Europe/Nowhere")
    assert (caught.value.key, caught.value.value) == ("time.zone", "Europe/Nowhere")
    assert str(ZoneInfo("Europe/Copenhagen"))


@pytest.mark.parametrize(
    ("text", "ms"),
    [("250ms", 250), ("90s", 90_000), ("5m", 300_000), ("1h", 3_600_000), ("8d", 691_200_000)],
)
def test_spans(text: str, ms: int) -> None:
    assert span_ms(text) == ms


@given(cell=st.text(max_size=100))
def test_what_is_left_of_a_cell_is_a_name_or_nothing(cell: str) -> None:
    name = sensor_name(cell)
    assert name == "" or is_name(name)


@pytest.mark.parametrize(
    ("text", "key", "fix"),
    [
        (LEAST, "sensor", "add the table"),
        (LEAST + "[sensor]\n", "sensor", "write for example"),
        (LEAST + '[sensor]\nname = "a"\ncolumn = "b"\n', "sensor", "write for example"),
        (
            LEAST + "[sensor]\nfrom_file_name = false\n",
            "sensor.from_file_name",
            "write one of true",
        ),
        (LEAST + '[sensor]\nname = "A B"\n', "sensor.name", "choose one matching"),
        ('lateness = "8 days"\n' + LEAST, "lateness", "choose one matching"),
        (LEAST.replace('"t"', '"t"\nzone = "Mars"'), "time.zone", "Europe/Copenhagen"),
        (LEAST.replace("speed", "Speed"), "properties.Speed", "choose one matching"),
        (LEAST.replace("unit", "units"), "properties.speed.units", "did you mean 'unit'?"),
        ('[time]\ncolumn = "t"\n[sensor]\nname = "a"\n', "properties", "add"),
        (LEAST + "range = [5, 1]\n", "properties.speed.range", "write range = [LOW, HIGH]"),
        (LEAST + "range = [1, 1]\n", "properties.speed.range", "write range = [LOW, HIGH]"),
        (LEAST + "range = [0, inf]\n", "properties.speed.range", "write range = [LOW, HIGH]"),
        (LEAST.replace('"km/h"', '""'), "properties.speed.unit", "choose one of length >= 1"),
    ],
)
def test_a_wrong_mapping_is_told_with_key_and_fix(
    tmp_path: Path, text: str, key: str, fix: str
) -> None:
    if key.startswith(("lateness", "time", "properties")) and "[sensor]" not in text:
        text += '[sensor]\nname = "a"\n'
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        mapping.load(path)
    assert (caught.value.file, caught.value.key) == (str(path), key)
    assert fix in (caught.value.fix or "")


def test_every_shipped_mapping_is_detected_by_its_own_columns() -> None:
    shipped = mapping.shipped()
    assert {name for name, _ in shipped} == {
        "aarhus-traffic",
        "aarhus-parking",
        "aarhus-weather",
        "timestamp-value",
    }
    for _, given_mapping in shipped:
        header = [*sorted(given_mapping.columns()), "another"]
        assert mapping.detect(Path("a.csv"), header) == given_mapping


def test_an_unknown_header_is_told_with_what_was_tried() -> None:
    with pytest.raises(ConfigError) as caught:
        mapping.detect(Path("odd.csv"), ["when", "what"])
    text = str(caught.value)
    assert caught.value.file == "odd.csv"
    for part in ("when, what", "aarhus-traffic wants", "REPORT_ID", "write a mapping TOML"):
        assert part in text


def test_a_header_that_fits_two_mappings_alike_is_refused() -> None:
    both = ["TIMESTAMP", "hum", "tempm", "wspdm", "updatetime", "garagecode"]
    wide = [*both, "vehiclecount", "totalspaces", "timestamp", "value"]
    with pytest.raises(ConfigError, match="several mappings fit"):
        mapping.detect(Path("odd.csv"), wide)


def test_a_mapping_is_named_or_a_file_beside_the_configuration(tmp_path: Path) -> None:
    assert mapping.find("aarhus-weather", tmp_path)[0] == "aarhus-weather"
    (tmp_path / "own.toml").write_text(LEAST + '[sensor]\nname = "a"\n', encoding="utf-8")
    assert mapping.find("own.toml", tmp_path)[1].sensor.name == "a"
    with pytest.raises(ConfigError, match="no such mapping") as caught:
        mapping.find("other", tmp_path)
    assert "aarhus-weather" in (caught.value.fix or "")
