"""CSV files as a driver: chosen, moved, in turns; the reading itself is the edge's own."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citynerve.errors import ConfigError
from citynerve.mqtt import MqttConfig
from citynerve.parameters import Speed
from edge.sensor.driver import Driver, Item, Mark, Reading, Scheduled
from edge.sensor.replay import Replay, ReplayConfig
from simulators.recording.replay import Wish
from simulators.recording.survey import Window
from simulators.recording.tables import Played, play
from simulators.recording.times import Times

START = 1_392_640_000_000
TEXT = """time,value
2014-02-17T12:26:40Z,1
2014-02-17T12:27:40Z,2
2014-02-17T12:28:40Z,3
2014-02-17T12:29:40Z,4
"""
MAPPING = """[time]
column = "time"
[sensor]
name = "s"
[properties.speed]
column = "value"
unit = "km/h"
[properties.again]
column = "value"
unit = "1"
"""
WHOLE = [Reading("s", "again", START + 60_000 * n, n + 1.0) for n in range(4)]
HOUR = 3_600_000
NOW = START + 86_400_000 * 1_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    (folder / "m.toml").write_text(MAPPING)
    (folder / "a.csv").write_text(TEXT)
    return folder / "a.csv"


def driver(
    file: Path,
    *,
    speed: Speed = "max",
    properties: tuple[str, ...] = (),
    window: Window | None = None,
    times: Times = "kept",
    loop: bool = False,
) -> Played:
    wish = Wish(
        [file],
        MqttConfig(),
        speed=speed,
        properties=properties,
        window=window or Window(),
        times=times,
        loop=loop,
    )
    config = ReplayConfig(paths=[file.name], mapping="m.toml", speed="max")
    return Played(Replay(config, file.parent), wish)


def poll(played: Played, *, limit: int = 3, turns: int = 20) -> list[Item]:
    found: list[Item] = []
    for _ in range(turns):
        found += played.poll(NOW, limit)
    return found


def test_it_is_a_driver(file: Path) -> None:
    played: Driver = driver(file)
    assert isinstance(played, Scheduled)


def test_all_rows_and_the_marks_of_their_end(file: Path) -> None:
    played = driver(file, properties=("again",))
    assert [prop.name for one in played.sensors() for prop in one.properties] == ["again"]
    played.open(NOW)
    assert poll(played) == [*WHOLE, Mark("s", "again", WHOLE[-1].t + HOUR)]
    assert played.finished


def test_a_window_of_the_files_times(file: Path) -> None:
    window = Window(START + 60_000, START + 180_000)
    played = driver(file, properties=("again",), window=window)
    played.open(NOW)
    assert poll(played) == [*WHOLE[1:3], Mark("s", "again", WHOLE[2].t + HOUR)]


def test_times_moved_to_the_present_end_there(file: Path) -> None:
    played = driver(file, properties=("again",), times="now")
    played.open(NOW)
    moved = NOW - WHOLE[-1].t
    readings = [item for item in poll(played) if isinstance(item, Reading)]
    assert readings == [one._replace(t=one.t + moved) for one in WHOLE]


def test_turns_go_on_where_the_last_ended(file: Path) -> None:
    played = driver(file, properties=("again",), loop=True)
    played.open(NOW)
    found = poll(played, limit=4, turns=3)
    assert not any(isinstance(item, Mark) for item in found)
    times = [item.t for item in found if isinstance(item, Reading)]
    assert times[:9] == [START + 60_000 * n for n in range(9)]


def test_the_pace_is_the_rows(file: Path) -> None:
    played = driver(file, properties=("again",), speed=2.0)
    played.open(NOW)
    assert played.poll(NOW, 10) == WHOLE[:1]
    assert played.next_due(NOW) == NOW + 30_000
    assert played.poll(NOW + 60_000, 10) == WHOLE[1:3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(1, 5), min_size=12, max_size=30))
def test_items_do_not_depend_on_how_they_are_polled(file: Path, limits: list[int]) -> None:
    one, other = driver(file), driver(file)
    one.open(NOW)
    other.open(NOW)
    found = [item for limit in limits for item in one.poll(NOW, limit)]
    assert found == poll(other, limit=1000)[: len(found)]
    assert one.identity() == other.identity()
    assert one.identity() != driver(file, loop=True).identity()


def test_what_cannot_be_chosen_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="none of the files' properties"):
        driver(file, properties=("x",)).sensors()
    with pytest.raises(ConfigError, match="no row of the files is chosen"):
        driver(file, window=Window(0, 5)).open(NOW)
    with pytest.raises(ConfigError, match="chooses among the nodes of an MCAP recording"):
        play(Wish([file], MqttConfig(), nodes=["a"]), None, print, lambda _: None)
