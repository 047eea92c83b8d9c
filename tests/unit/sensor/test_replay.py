import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citynerve.errors import ConfigError, UnavailableError
from citynerve.messages import Position
from edge.sensor.driver import Item, Mark, Reading
from edge.sensor.replay import Replay, ReplayConfig

HOUR = 3_600_000
AUGUST = 1_406_851_200_000
"""2014-08-01T00:00:00Z."""

OWN = """
lateness = "2m"
[time]
column = "time"
format = "unix_s"
[sensor]
column = "id"
[only]
ok = "1"
[properties.speed]
column = "kmh"
unit = "km/h"
range = [0, 250]
[properties.count]
column = "n"
unit = "1"
"""


def config(*paths: Path | str, mapping: str | None = None, speed: float = 0) -> ReplayConfig:
    return ReplayConfig(paths=[str(p) for p in paths], mapping=mapping, speed=speed or "max")


def drain(driver: Replay, limit: int = 100, now: int = 0) -> list[Item]:
    items: list[Item] = []
    while not driver.finished:
        items += driver.poll(now, limit)
    return items


def readings(items: Sequence[Item]) -> list[Reading]:
    return [item for item in items if isinstance(item, Reading)]


def weather(path: Path, *rows: str) -> Path:
    path.write_text("hum,tempm,wspdm,TIMESTAMP\r\n" + "\r\n".join(rows), encoding="utf-8")
    return path


def own(folder: Path, *rows: str, name: str = "own.csv", head: str = "time,id,kmh,n,ok") -> Path:
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    path = folder / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_rows_become_readings_in_file_order_and_a_mark_ends_each_datastream(
    tmp_path: Path,
) -> None:
    path = weather(
        tmp_path / "Station 1.csv",
        "56,18,7.4,2014-08-01T00:00:00",
        ",17.5,,2014-08-01T00:20:00",
        "60,17,3,2014-08-01T00:10:00",
    )
    driver = Replay(config(path), tmp_path)
    driver.open(0)
    assert drain(driver) == [
        Reading("station-1", "humidity", AUGUST, 56.0),
        Reading("station-1", "temperature", AUGUST, 18.0),
        Reading("station-1", "wind_speed", AUGUST, 7.4),
        Reading("station-1", "temperature", AUGUST + 1_200_000, 17.5),
        Reading("station-1", "humidity", AUGUST + 600_000, 60.0),
        Reading("station-1", "temperature", AUGUST + 600_000, 17.0),
        Reading("station-1", "wind_speed", AUGUST + 600_000, 3.0),
        Mark("station-1", "humidity", AUGUST + 600_000 + HOUR),
        Mark("station-1", "temperature", AUGUST + 1_200_000 + HOUR),
        Mark("station-1", "wind_speed", AUGUST + 600_000 + HOUR),
    ]
    assert driver.problems() == []
    assert driver.poll(0, 100) == []


def test_bad_cells_and_lines_are_counted_and_told_and_stop_nothing(tmp_path: Path) -> None:
    path = weather(
        tmp_path / "w.csv",
        "a,1,1,2014-08-01T00:00:00",
        "1,nan,inf,2014-08-01T00:01:00",
        "1,1,1,never",
        "1,1",
        "",
        "7,8,9,2014-08-01T00:02:00,more,cells",
    )
    driver = Replay(config(path), tmp_path)
    driver.open(0)
    values = [r.value for r in readings(drain(driver))]
    assert values == [1, 1, 1, 7, 8, 9]
    assert driver.problems() == [
        f"{path}: 3 values are no numbers (first: line 2 hum = 'a')",
        f"{path}: 2 times cannot be read (first: line 4 'never')",
    ]


def test_a_file_that_gives_nothing_is_told_and_one_that_gives_something_is_not(
    tmp_path: Path,
) -> None:
    bare = weather(tmp_path / "bare.csv")
    full = weather(tmp_path / "full.csv", "50,20,3,2014-08-01T00:00:00")
    driver = Replay(config(bare, full), tmp_path)
    driver.open(0)
    assert len(readings(drain(driver))) == 3
    assert driver.problems() == [f"{bare}: no row of it gives a reading"]
    # A file of which all rows are left out is no better than an empty one.
    wrong = own(tmp_path, "1,a,20,3,0")
    driver = Replay(config(wrong, mapping="own.toml"), tmp_path)
    driver.open(0)
    assert drain(driver) == []
    assert driver.problems() == [f"{wrong}: no row of it gives a reading"]


def test_a_mapping_of_ones_own_with_filter_column_names_and_range(tmp_path: Path) -> None:
    path = own(tmp_path, "10,B 7,50,2,1", "11.5,a,60,NA,1", "12,a,61,3,0", "13,,5,5,1")
    driver = Replay(config(path, mapping="own.toml"), tmp_path)
    abouts = driver.sensors()
    assert [about.name for about in abouts] == ["b-7", "a"]
    assert [(p.name, p.unit, p.range, p.lateness) for p in abouts[0].properties] == [
        ("speed", "km/h", (0.0, 250.0), 120_000),
        ("count", "1", None, 120_000),
    ]
    driver.open(0)
    assert readings(drain(driver)) == [
        Reading("b-7", "speed", 10_000, 50.0),
        Reading("b-7", "count", 10_000, 2.0),
        Reading("a", "speed", 11_500, 60.0),
    ]
    assert driver.problems() == [f"{path}: 1 rows name no sensor (first: line 5 id)"]


def test_ndjson_gives_what_csv_gives(tmp_path: Path) -> None:
    table = own(tmp_path, "10,a,50,2,1", "11,b,,3,1", "12,a,x,4,1")
    lines = tmp_path / "own.ndjson"
    lines.write_text(
        '{"time": 10, "id": "a", "kmh": 50, "n": 2, "ok": 1}\n\n'
        '{"time": "11", "id": "b", "kmh": null, "n": 3.0, "ok": "1"}\n'
        '{"time": 12, "id": "a", "kmh": "x", "n": 4, "ok": 1}\n',
        encoding="utf-8",
    )
    both = []
    for path in (table, lines):
        driver = Replay(config(path, mapping="own.toml"), tmp_path)
        driver.open(0)
        both.append((driver.sensors(), drain(driver)))
    assert both[0] == both[1]


def test_lines_that_are_no_json_object_are_counted(tmp_path: Path) -> None:
    own(tmp_path)
    path = tmp_path / "own.jsonl"
    good = '{"time": 10, "id": "a", "kmh": 50, "n": 2, "ok": 1}'
    path.write_bytes(f"{good}\n{{\n[1]\n".encode() + b"\xff\n" + b'{"time": {"a": 1}}\n')
    driver = Replay(config(path, mapping="own.toml"), tmp_path)
    driver.open(0)
    assert len(readings(drain(driver))) == 2
    assert driver.problems() == [f"{path}: 4 lines are no rows (first: line 2)"]


def test_a_byte_order_mark_quotes_and_odd_bytes_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes(
        b'\xef\xbb\xbfhum,tempm,wspdm,TIMESTAMP\n"1","2","3","2014-08-01T00:00:00"\n'
        b"\xff,2,3,2014-08-01T00:01:00\n"
    )
    driver = Replay(config(path), tmp_path)
    driver.open(0)
    assert [r.value for r in readings(drain(driver))] == [1, 2, 3, 2, 3]
    assert len(driver.problems()) == 1


def test_at_a_finite_speed_rows_wait_for_their_time(tmp_path: Path) -> None:
    rows = [f"1,,,2014-08-01T00:0{minute}:00" for minute in (0, 1, 3, 2, 4)]
    driver = Replay(config(weather(tmp_path / "w.csv", *rows), speed=2), tmp_path)
    origin = 1_000_000_000
    driver.open(origin)

    def due_after(seconds: float) -> list[int]:
        items = readings(driver.poll(origin + int(seconds * 1000), 100))
        return [(item.t - AUGUST) // 60_000 for item in items]

    assert due_after(0) == [0]
    assert due_after(29.9) == []
    assert due_after(30) == [1]
    # Two minutes of the file in one of the clock; the row that stands behind waits with it.
    assert due_after(60) == []
    assert due_after(90) == [3, 2]
    assert not driver.finished
    assert due_after(120) == [4]
    assert driver.finished


def test_files_are_merged_by_time_and_each_keeps_its_order(tmp_path: Path) -> None:
    one = weather(tmp_path / "one.csv", *(f"1,,,2014-08-01T00:0{m}:00" for m in (0, 4, 2)))
    two = weather(tmp_path / "two.csv", *(f"2,,,2014-08-01T00:0{m}:00" for m in (1, 3, 5)))
    driver = Replay(config(one, two), tmp_path)
    driver.open(0)
    got = [(r.sensor, (r.t - AUGUST) // 60_000) for r in readings(drain(driver))]
    assert got == [("one", 0), ("two", 1), ("two", 3), ("one", 4), ("one", 2), ("two", 5)]


@given(limits=st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_the_items_do_not_depend_on_how_they_are_polled(
    tmp_path_factory: pytest.TempPathFactory, limits: list[int]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "polled"
    folder.mkdir(exist_ok=True)
    path = weather(folder / "w.csv", *(f"{n},{n},,2014-08-01T00:00:{n}0" for n in range(6)))
    whole, parts = (Replay(config(path), folder) for _ in range(2))
    whole.open(5)
    parts.open(5)
    items: list[Item] = []
    turn = 0
    while not parts.finished:
        items += parts.poll(turn, limits[turn % len(limits)])
        turn += 1
    assert items == drain(whole)


def test_a_folder_means_its_data_files(tmp_path: Path) -> None:
    weather(tmp_path / "b.csv", "1,2,3,2014-08-01T00:00:00")
    weather(tmp_path / "a.CSV", "1,2,3,2014-08-01T00:00:00")
    (tmp_path / "README.md").write_text("not data", encoding="utf-8")
    driver = Replay(config(tmp_path), tmp_path)
    assert sorted(about.name for about in driver.sensors()) == ["a", "b"]


def test_one_sensor_s_files_with_different_columns_are_one_sensor(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        OWN.replace('column = "id"', 'name = "station"').replace('[only]\nok = "1"\n', "")
    )
    for name in ("jan", "feb"):
        (tmp_path / f"{name}.csv").write_text("time,kmh,n\n1,2,3\n", encoding="utf-8")
    driver = Replay(config("jan.csv", "feb.csv", mapping="own.toml"), tmp_path)
    (about,) = driver.sensors()
    assert (about.name, len(about.properties)) == ("station", 2)
    driver.open(0)
    assert sum(isinstance(item, Mark) for item in drain(driver)) == 2


def test_files_that_disagree_about_a_sensor_are_refused(tmp_path: Path) -> None:
    weather(tmp_path / "a.csv", "1,2,3,2014-08-01T00:00:00")
    (tmp_path / "timed").mkdir()
    (tmp_path / "own.toml").write_text(
        '[time]\ncolumn = "TIMESTAMP"\n[sensor]\nname = "x"\n'
        '[properties.humidity]\ncolumn = "hum"\nunit = "1"\n',
        encoding="utf-8",
    )
    same = [config("a.csv"), config("a.csv", mapping="own.toml")]
    abouts = [Replay(each, tmp_path).sensors()[0].properties[0] for each in same]
    assert abouts[0].unit != abouts[1].unit
    rows = "20,A b,1,1,1", "21,a-b,1,1,1"
    clash = own(tmp_path, *rows, name="clash.csv")
    with pytest.raises(ConfigError, match="would both be the sensor 'a-b'"):
        Replay(config(clash, mapping="own.toml"), tmp_path).sensors()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", "", "has no columns"),
        ("binary.csv", "a,\x07b\n1,2\n", "is no text"),
        ("empty.ndjson", "\n\n", "has no columns"),
        ("bad.ndjson", "nothing\n", "has no columns"),
        ("odd.csv", "when,what\n1,2\n", "no shipped mapping fits its columns: it has when, what"),
    ],
)
def test_a_file_that_cannot_be_understood_is_a_config_error(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as caught:
        Replay(config(name), tmp_path)
    assert caught.value.file == str(tmp_path / name)
    assert caught.value.fix


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    path = own(tmp_path, "1,2", head="time,id")
    with pytest.raises(ConfigError, match="has no column 'kmh', 'n', 'ok'; it has time, id"):
        Replay(config(path, mapping="own.toml"), tmp_path)


def test_a_missing_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no\.csv"):
        Replay(config("no.csv"), tmp_path)
    with pytest.raises(UnavailableError, match=r"n{300}: File name too long"):
        Replay(config("n" * 300), tmp_path)
    with pytest.raises(ConfigError, match="holds no data files"):
        Replay(config(tmp_path), tmp_path)


def test_positions_come_from_a_table_beside_or_above(tmp_path: Path) -> None:
    head = "vehiclecount,updatetime,totalspaces,garagecode\n"
    (tmp_path / "parking").mkdir()
    path = tmp_path / "parking" / "P1.csv"
    path.write_text(head + "1,2014-05-22 09:09:04.145,953,P1\n", encoding="utf-8")
    assert Replay(config(path), tmp_path).sensors()[0].position is None
    places = tmp_path / "parking_garages.csv"
    places.write_text("garagecode,latitude,longitude\nP1,56.5,10.25\n", encoding="utf-8")
    assert Replay(config(path), tmp_path).sensors()[0].position == Position(56.5, 10.25)
    places.write_text("garagecode,latitude,longitude\nP1,north,10\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2 gives no place"):
        Replay(config(path), tmp_path).sensors()


def test_every_value_of_the_real_recordings_is_read_once(samples: Path) -> None:
    folder = samples / "aarhus"
    driver = Replay(config("traffic", "parking", "weather.csv"), folder)
    abouts = {about.name: about for about in driver.sensors()}
    driver.open(0)
    read = Counter((r.sensor, r.property) for r in readings(drain(driver, 1000)))
    assert driver.problems() == []
    traffic = {"speed": "avgSpeed", "vehicles": "vehicleCount", "travel_time": "avgMeasuredTime"}
    columns: dict[str, dict[str, str]] = {
        "traffic": traffic,
        "parking": {"occupied": "vehiclecount", "spaces": "totalspaces"},
        "weather": {"humidity": "hum", "temperature": "tempm", "wind_speed": "wspdm"},
    }
    expected: Counter[tuple[str, str]] = Counter()
    for path in [*folder.glob("traffic/*.csv"), *folder.glob("parking/*.csv")]:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                for name, column in columns[path.parent.name].items():
                    expected[path.stem.lower(), name] += row[column] != ""
    with (folder / "weather.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            for name, column in columns["weather"].items():
                expected["weather", name] += row[column] != ""
    assert read == expected
    assert sum(about.position is not None for about in abouts.values()) == len(abouts) - 1


@pytest.mark.parametrize("name", ["traffic", "parking", "weather.csv"])
def test_the_shipped_lateness_covers_the_real_recordings(samples: Path, name: str) -> None:
    driver = Replay(config(name), samples / "aarhus")
    lateness = {about.name: about.properties[0].lateness for about in driver.sensors()}
    driver.open(0)
    newest: dict[str, int] = {}
    for reading in readings(drain(driver, 1000)):
        newest[reading.sensor] = max(reading.t, newest.get(reading.sensor, reading.t))
        assert newest[reading.sensor] - reading.t < lateness[reading.sensor]
