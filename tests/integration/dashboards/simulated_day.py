"""A day of the simulated city as the stream writes it: through its lanes, roll-ups and reporter.

Five nodes of the city and one of our own, with a camera, a gauge that runs over at the end and a
machine; statuses of all; what a lane refuses; and every figure that the stream's code names.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from citynerve.codec import encode
from citynerve.messages import (
    BAD,
    GOOD,
    UNCERTAIN,
    About,
    Batch,
    CameraAbout,
    Column,
    Crossing,
    Health,
    Hello,
    HelloMessage,
    Position,
    PropertyAbout,
    SensorAbout,
    Status,
)
from citynerve.topics import Topics, shard
from edge.sensor.driver import Reading
from simulators.city import node_configs
from simulators.city.driver import SimulatedNode
from stream.block import Block
from stream.lane.lane import Lane
from stream.lane.output import Closed, LaneOutput
from stream.lane.settings import LaneSettings
from stream.reporter import figure_lines
from stream.rollup import CITY, Index, is_short
from stream.scenario import load_scenarios
from stream.sinks import rejections

DAY_MS = 86_400_000
MINUTE_MS = 60_000
NODES = 5
SEED = 4
TERM = 1 << 32
TOPICS = Topics()
STREAM = Path(__file__).parents[3] / "stream"
LATEST = 4_096


class Written(NamedTuple):
    """Lines for the two databases."""

    raw: list[str]
    main: list[str]


def figures() -> dict[str, set[str]]:
    """Part -> names of the figures that the stream's code counts or sets."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in STREAM.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for part, name in re.findall(r'eters\.(?:add|set)\(\s*"(\w+)",\s*"(\w+)"', text):
            found[part].add(name)
    return {**found, "dropped": {"duplicate", "gap", "term", "status"}}


def write(end: int) -> Written:
    """The day before ``end`` (ms since 1970 UTC), which is the stream's present."""
    written = Written([], [])
    closed: list[Closed] = []
    settings = LaneSettings(scenarios=load_scenarios())
    for name, about, columns, crossings in _nodes(end):
        lane = Lane(shard(name), settings, lambda: end)
        batch = Batch(name, TERM, 1, 1, end, columns, list(crossings))
        arrivals = [
            (TOPICS.obs(name), encode(HelloMessage(Hello(name, TERM, about, end)))),
            (TOPICS.obs(name), encode(batch)),
            (TOPICS.obs(name), b"no message"),
            *((TOPICS.status(name), encode(status)) for status in _statuses(name, end)),
        ]
        for arrival in arrivals:
            output = lane.take([arrival])
            _keep(output, written)
            closed += output.closed
    _roll_up(closed, written)
    for number in range(12):
        written.main.extend(told(end - (12 - number) * MINUTE_MS, 9.0 * number))
    return written


def told(now: int, value: float) -> list[str]:
    """All figures of the stream at one time."""
    parts = {part: dict.fromkeys(names, value) for part, names in figures().items()}
    return figure_lines("s1", parts, now)


def _keep(output: LaneOutput, written: Written) -> None:
    written.raw.extend(output.raw)
    written.main.extend(output.lines)
    written.main.extend(rejections.line(rejected) for rejected in output.rejected)


def _roll_up(closed: list[Closed], written: Written) -> None:
    districts: defaultdict[str, list[Closed]] = defaultdict(list)
    for one in closed:
        districts[one.district].append(one)
    for name, several in {**districts, CITY: closed}.items():
        for route in Index(name).route(several):
            lines = written.raw if is_short(route.key.window) else written.main
            block = Block(route.key)
            block.add(route.closed)
            lines += block.tell().lines()


def _nodes(end: int) -> Iterator[tuple[str, About, list[Column], list[Crossing]]]:
    configs = node_configs(
        NODES, SEED, start_ms=end - MINUTE_MS, history_ms=DAY_MS, duration_ms=MINUTE_MS, speed="max"
    )
    drivers = {}
    for name, config in configs.items():
        (sensor,) = config["sensor"]
        drivers[name] = SimulatedNode("city", sensor["options"], Path())
        drivers[name].open(end - DAY_MS)
    columns = _columns(drivers, end)
    for name, driver in drivers.items():
        area, position = configs[name]["node"]["area"], configs[name]["node"]["position"]
        about = About(area, Position(**position), tuple(driver.sensors()))
        yield name, about, list(columns[name].values()), []
    yield "own-1", OWN, list(_own(end)), _crossings(end)


def _columns(
    drivers: dict[str, SimulatedNode], end: int
) -> dict[str, dict[tuple[str, str], Column]]:
    """Node -> what it observed. All go through the same hours, which are then computed once."""
    columns: dict[str, dict[tuple[str, str], Column]] = {name: {} for name in drivers}
    left = dict(drivers)
    while left:
        for name, driver in list(left.items()):
            for item in driver.poll(end, LATEST):
                if isinstance(item, Reading):
                    key = (item.sensor, item.property)
                    column = columns[name].setdefault(key, Column(*key, [], []))
                    column.t.append(item.t)
                    column.v.append(item.value)
            if driver.finished:
                driver.close()
                del left[name]
    return columns


UNITS = {
    "north": {"count_person": "1", "count_car": "1", "zone_square_person": "1"},
    "gauge": {"water_level": "m"},
    "machine": {
        "load": "1",
        "memory": "%",
        "disk": "%",
        "cpu_temperature": "Cel",
        "network_in": "By/s",
        "network_out": "By/s",
    },
}
OWN = About(
    "aarhus/havnen/kystvejen",
    Position(56.16, 10.21),
    tuple(
        SensorAbout(sensor, tuple(PropertyAbout(name, unit) for name, unit in units.items()))
        for sensor, units in UNITS.items()
    ),
    (CameraAbout("north", lines=("gate",), zones=("square",)),),
)


def _own(end: int) -> Iterator[Column]:
    """A reading a minute, nearly the same; at the last the gauge runs over and a crowd comes."""
    times = list(range(end - DAY_MS, end - 5 * MINUTE_MS, MINUTE_MS))
    for sensor, units in UNITS.items():
        for name in units:
            values = [1.0 + 0.01 * (number % 7) for number in range(len(times))]
            if name in {"water_level", "count_person"}:
                values[-3:] = [99.0, 99.0, 99.0]
            quality = [GOOD] * len(times)
            quality[3], quality[4] = UNCERTAIN, BAD
            yield Column(sensor, name, times, values, quality)


def _crossings(end: int) -> list[Crossing]:
    return [
        Crossing(
            id=f"c{number}",
            t=end - number * MINUTE_MS,
            camera="north",
            line="gate",
            cls=("person", "car", "bus")[number % 3],
            direction=("in", "out")[number % 2],
            track=number,
        )
        for number in range(1, 60)
    ]


def _statuses(node: str, end: int) -> Iterator[Status]:
    for number in range(3):
        health = Health(
            state="degraded" if node == "own-1" else "ok",
            spool_bytes=100,
            observations=50 * number,
        )
        sent = end - (3 - number) * 2 * MINUTE_MS
        yield Status(node=node, online=True, sent=sent, health=health, versions={"citynerve": "1"})
