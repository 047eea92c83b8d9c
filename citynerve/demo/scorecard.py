"""Gathers what a scorecard is made of: ground truth from files, what was found from InfluxDB."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from citynerve.demo.account import Key, of_nodes
from citynerve.demo.score import (
    CameraScore,
    CityScore,
    Crossed,
    Found,
    Outcome,
    Scorecard,
    compare,
    judge,
)
from citynerve.errors import UnavailableError
from citynerve.influx import Influx
from citynerve.influx.query import text
from simulators.city.truth import read_truth

SETTLED_MS: Final = 5_000
"""Crossings younger than this may not have come in yet, and are left out on both sides."""


class CityTruth(msgspec.Struct, frozen=True):
    """Where a simulated city's ground truth lies, and whose it is."""

    path: str
    nodes: list[str]


class CameraTruth(msgspec.Struct, frozen=True):
    """Where a simulated camera's ground truth lies, and whose it is."""

    path: str
    node: str
    camera: str


class _Crossing(msgspec.Struct, rename={"cls": "class"}):
    t: int
    line: str
    direction: str
    cls: str


class _Line(msgspec.Struct):
    crossing: _Crossing | None = None


def draw_up(influx: Influx, city: CityTruth | None, cameras: Iterable[CameraTruth]) -> Scorecard:
    """The scorecard of what has come in by now.

    Raises:
        UnavailableError: InfluxDB does not answer, or a truth cannot be read.
        ConfigError: InfluxDB refuses a query.
    """
    return Scorecard(
        None if city is None else _city(influx, city),
        [score for camera in cameras if (score := _camera(influx, camera)) is not None],
    )


def lines(card: Scorecard) -> list[str]:
    """The scorecard for people."""
    said = []
    if card.city is not None:
        said += _city_lines(card.city)
    for camera in card.cameras:
        said.append(
            f"camera {camera.node}: {camera.counted} crossings counted, {camera.truth} in the scene"
        )
        said += [
            f"  {line.line} {line.direction}, {line.cls}: counted {line.counted} of {line.truth}"
            for line in camera.lines
            if line.counted != line.truth
        ]
    return said


def _city_lines(city: CityScore) -> list[str]:
    whole = city.incidents
    going = f"; {whole.running} not found yet, and still going on" if whole.running else ""
    false = f"{city.false} where nothing was wrong ({city.false_a_week} a datastream and week)"
    return [
        f"incidents: {_found(whole)}{going}",
        *(f"  {kind}: {_found(of)}" for kind, of in city.kinds.items() if of.found + of.missed),
        f"anomalies: {city.anomalies}, of them {false}",
    ]


def _found(of: Outcome) -> str:
    late = "" if of.delay_s is None else f", half of them within {of.delay_s:.0f} s"
    return f"found {of.found} of {of.found + of.missed}{late}"


def _city(influx: Influx, city: CityTruth) -> CityScore | None:
    where = of_nodes(city.nodes)
    span = _span(influx, where)
    path = Path(city.path)
    if span is None or not path.exists():
        return None
    start, end, datastreams = span
    return judge(
        read_truth(path),
        _anomalies(influx, where),
        start=start,
        end=end,
        datastreams=datastreams,
    )


def _span(influx: Influx, where: str) -> tuple[int, int, int] | None:
    """First and last observation (ms) of some nodes, and how many datastreams they have."""
    times: list[int] = []
    datastreams = 0
    for which in ("first", "last"):
        statement = (
            f"SELECT {which}(value) FROM observation WHERE ({where})"  # noqa: S608 - quoted
            " GROUP BY node, sensor, property"
        )
        found = influx.query(influx.config.raw, statement, epoch="ms")
        datastreams = len(found)
        times += [int(series.values[0][0]) for series in found]
    return (min(times), max(times), datastreams) if times else None


def _anomalies(influx: Influx, where: str) -> Iterator[Found]:
    statement = (
        f"SELECT severity, ended FROM anomaly WHERE ({where})"  # noqa: S608 - quoted
        " GROUP BY node, sensor, property, kind"
    )
    for series in influx.query(influx.config.main, statement, epoch="ms"):
        tags = series.tags
        key = Key(tags["node"], tags["sensor"], tags["property"])
        for time, _, ended in series.values:
            yield Found(key, tags["kind"], int(time), None if ended is None else int(ended))


def _camera(influx: Influx, camera: CameraTruth) -> CameraScore | None:
    span = _span(influx, of_nodes([camera.node]))
    path = Path(camera.path)
    if span is None or not path.exists():
        return None
    until = span[1] - SETTLED_MS
    return compare(
        camera.node,
        (
            Crossed(camera.camera, one.line, one.direction, one.cls)
            for one in _crossings(path)
            if span[0] <= one.t <= until
        ),
        _counted(influx, camera, until),
    )


def _crossings(path: Path) -> Sequence[_Crossing]:
    decode = msgspec.json.Decoder(_Line).decode
    try:
        # The last line may be in the midst of being written.
        complete = path.read_bytes().rpartition(b"\n")[0].split(b"\n")
        return [
            one.crossing for line in complete if line and (one := decode(line)).crossing is not None
        ]
    except (OSError, msgspec.DecodeError) as error:
        raise UnavailableError("ground truth", where=str(path), problem=str(error)) from error


def _counted(influx: Influx, camera: CameraTruth, until: int) -> Iterator[Crossed]:
    statement = (
        f"SELECT count FROM crossing WHERE node = {text(camera.node)}"  # noqa: S608 - quoted
        f" AND time <= {until}ms GROUP BY camera, line, direction, class"
    )
    for series in influx.query(influx.config.main, statement, epoch="ms"):
        tags = series.tags
        crossed = Crossed(tags["camera"], tags["line"], tags["direction"], tags["class"])
        yield from (crossed for _ in series.values)
