"""A node that speaks the contract, and a reader of line protocol that shares no code with ours."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from citynerve.codec import Format, encode
from citynerve.messages import (
    About,
    Batch,
    CameraAbout,
    Column,
    Hello,
    HelloMessage,
    Position,
    PropertyAbout,
    SensorAbout,
)
from citynerve.topics import Topics, shard
from stream.lane.lane import Lane
from stream.lane.output import LaneOutput
from stream.lane.settings import LaneSettings, RawMode
from stream.scenario import load_scenarios

NOW = 1_800_000_000_000
T0 = 1_700_000_400_000  # a multiple of ten minutes
NODE = "node-0"
SHARD = "4"
SCENARIOS = load_scenarios()

Arrival = tuple[str, bytes]
Fact = tuple[str, tuple[tuple[str, str], ...], int]


def about(*properties: PropertyAbout, area: str = "town/north/mill-lane") -> About:
    return About(
        area,
        Position(56.25, 10.5),
        (SensorAbout("loop", properties), SensorAbout("mast", properties, Position(56.5, 10.75))),
        (CameraAbout("cam", lines=("gate",), zones=("square",)),),
    )


SPEED = PropertyAbout("speed", "km/h")
USUAL = about(SPEED, PropertyAbout("noise", "dB"), PropertyAbout("mystery", "furlong"))


@dataclass
class Sender:
    """Makes a node's payloads; ``seq`` goes up with each batch."""

    node: str = NODE
    term: int = 1 << 32
    form: Format = "json"
    seq: int = 0

    @property
    def topic(self) -> str:
        return Topics().obs(self.node)

    def hello(self, what: About = USUAL) -> Arrival:
        self.seq = 0
        return self.raw(HelloMessage(Hello(self.node, self.term, what, NOW)))

    def batch(self, *columns: Column, **more: Any) -> Arrival:  # noqa: ANN401 - as Batch has them
        self.seq += 1
        message = Batch(self.node, self.term, self.seq, 1, NOW, list(columns), **more)
        return self.raw(message)

    def raw(self, message: msgspec.Struct) -> Arrival:
        return self.topic, encode(message, self.form)


def lane(raw: RawMode = "scenario", digit: str = SHARD) -> Lane:
    return Lane(digit, LaneSettings(scenarios=SCENARIOS, raw=raw), lambda: NOW)


def greeted(what: About = USUAL, raw: RawMode = "scenario") -> tuple[Lane, Sender]:
    sender = Sender()
    made = lane(raw)
    made.take([sender.hello(what)])
    return made, sender


@dataclass
class Line:
    measurement: str
    tags: dict[str, str]
    fields: dict[str, float | str]
    time: int


def parse(text: str) -> Line:
    """Line protocol as InfluxData describes it, for tags without escapes."""
    head, _, rest = text.partition(" ")
    measurement, *pairs = head.split(",")
    body, _, time = rest.rpartition(" ")
    fields: dict[str, float | str] = {}
    while body:
        key, _, body = body.partition("=")
        if body.startswith('"'):
            end = 1
            while body[end] != '"':
                end += 2 if body[end] == "\\" else 1
            fields[key] = body[1:end].replace('\\"', '"').replace("\\\\", "\\")
            body = body[end + 2 :]
        else:
            value, _, body = body.partition(",")
            fields[key] = float(value)
    return Line(measurement, dict(pair.split("=") for pair in pairs), fields, int(time))


def lines(output: LaneOutput, measurement: str) -> list[Line]:
    found = [parse(text) for text in output.lines + output.raw]
    return [line for line in found if line.measurement == measurement]


def closings(output: LaneOutput) -> list[tuple[str, str, str, int, float, float, float, float]]:
    """What closed, for roll-ups: district, property, window, start, count, mean, min, max."""
    figures = ["start", "count", "mean", "low", "high"]
    return [
        (one.district, one.property, one.window, *row)
        for one in output.closed
        for row in one.records[figures].tolist()
    ]


@dataclass
class Database:
    """What InfluxDB would hold: fields of equal measurement, tags and time are one point's."""

    points: dict[Fact, dict[str, float | str]] = field(default_factory=dict)

    def write(self, output: LaneOutput) -> None:
        for text in output.lines + output.raw:
            line = parse(text)
            key = (line.measurement, tuple(sorted(line.tags.items())), line.time)
            self.points.setdefault(key, {}).update(line.fields)


assert shard(NODE) == SHARD
