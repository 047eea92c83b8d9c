"""A week of a city of 100 nodes as line protocol, for the benchmark of the local view.

Aggregates of ten minutes of all datastreams, of one minute of some, every reading of some for the
last day; roll-ups, crossings, anomalies, statuses. Values are sums of sines: what is measured is
the reading of them.
"""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from citynerve.influx import Influx

DAY_MS: Final = 86_400_000
DAYS: Final = 7
NODES: Final = 100

_DISTRICTS: Final = ("north", "east", "south", "west", "harbour", "hill", "park", "old-town")
_KINDS: Final = (
    # Nodes of each kind in ten -> sensor, properties.
    (4, "loop", ("speed", "flow", "queue")),
    (2, "air", ("pm25", "noise")),
    (1, "gauge", ("water_level",)),
    (1, "garage", ("occupancy",)),
    (1, "square", ("people",)),
    (1, "gate", ("count_person", "count_car")),
)
_HEALTH: Final = ("load", "memory")
_CITY: Final = ("speed", "flow", "queue", "pm25", "noise", "water_level", "occupancy", "people")
_BATCH: Final = 20_000
_TEN_MINUTES: Final = 600_000
_MINUTE: Final = 60_000
_TEN_SECONDS: Final = 10_000
_FINE: Final = 60
"""Datastreams with windows of one minute."""

_RAW: Final = 30
"""Datastreams of which the last day's readings are kept."""


class Stream(NamedTuple):
    """A datastream, with where it is."""

    node: str
    sensor: str
    prop: str
    district: str
    lat: float
    lon: float

    @property
    def tags(self) -> str:
        """As they stand in line protocol."""
        return (
            f"node={self.node},sensor={self.sensor},property={self.prop},district={self.district}"
        )


def streams() -> list[Stream]:
    """All of them, those of a node together."""
    kinds = [kind for kind in _KINDS for _ in range(kind[0])]
    found = []
    for number in range(NODES):
        _, sensor, properties = kinds[number % len(kinds)]
        district = _DISTRICTS[number % len(_DISTRICTS)]
        lat, lon = 56.1 + number % 10 * 0.01, 10.1 + number // 10 * 0.015
        node = f"node-{number:03}"
        found += [Stream(node, sensor, prop, district, lat, lon) for prop in properties]
        found += [Stream(node, "health", prop, district, lat, lon) for prop in _HEALTH]
    return found


def fill(influx: Influx, end: int) -> int:
    """Write the week that ends at ``end`` (ms since 1970 UTC); returns how many points it has."""
    influx.ensure(0)
    written = 0
    for database, lines in (
        (influx.config.main, _main(end)),
        (influx.config.raw, _raw(end)),
    ):
        while batch := list(islice(lines, _BATCH)):
            influx.write(database, batch)
            written += len(batch)
    return written


def _main(end: int) -> Iterator[str]:
    start = end - DAYS * DAY_MS
    for number, one in enumerate(streams()):
        yield from _aggregates(one, number, "10m", range(start, end, _TEN_MINUTES))
    for number, district in enumerate((*_DISTRICTS, "_city")):
        for prop in _CITY:
            yield from _rollups(district, prop, number, "10m", range(start, end, _TEN_MINUTES))
    nodes = dict.fromkeys((one.node, one.district) for one in streams())
    for number, (node, district) in enumerate(nodes):
        for t in range(start + number * 100, end, _TEN_MINUTES // 2):
            yield (
                f"node,node={node},district={district} online=1.0,seen={float(t)},"
                f"spool_bytes={float(t % 4096)},clock_offset=1.0,observations={t / 1000} "
                f"{t * 1_000_000}"
            )
    yield from _crossings(start, end)
    yield from _anomalies(start, end)
    for t in range(start, end, _MINUTE):
        at = t * 1_000_000
        rate = 900.0 + t % 97
        yield f"stream,stream=s,part=lane observations={t / 100},observations_per_s={rate} {at}"
        yield f"stream,stream=s,part=acks lag_ms={800.0 + t % 89} {at}"


def _raw(end: int) -> Iterator[str]:
    start = end - DAYS * DAY_MS
    for number, one in enumerate(streams()):
        if number < _FINE:
            yield from _aggregates(one, number, "1m", range(start, end, _MINUTE))
        if number < _RAW:
            for t in range(end - DAY_MS, end, _TEN_SECONDS):
                at = t * 1_000_000
                yield f"observation,{one.tags} value={_value(number, t):.3f},quality=0.0 {at}"
    for number, district in enumerate((_DISTRICTS[0], "_city")):
        for prop in _CITY:
            yield from _rollups(district, prop, number, "1m", range(start, end, _MINUTE))


def _aggregates(one: Stream, number: int, window: str, times: range) -> Iterator[str]:
    for t in times:
        value = _value(number, t)
        yield (
            f"aggregate,{one.tags},window={window} count=60.0,mean={value:.3f},"
            f"min={value - 3:.3f},max={value + 4:.3f},std=1.5,late=0.0,"
            f"lat={one.lat},lon={one.lon} {t * 1_000_000}"
        )


def _rollups(district: str, prop: str, number: int, window: str, times: range) -> Iterator[str]:
    for t in times:
        value = _value(number, t)
        yield (
            f"rollup,district={district},property={prop},window={window} count=300.0,"
            f"mean={value:.3f},min={value - 5:.3f},max={value + 6:.3f},datastreams=12.0 "
            f"{t * 1_000_000}"
        )


def _crossings(start: int, end: int) -> Iterator[str]:
    cameras = dict.fromkeys((one.node, one.district) for one in streams() if one.sensor == "gate")
    for number, (node, district) in enumerate(cameras):
        for step, t in enumerate(range(start, end, _MINUTE)):
            cls = ("person", "car", "bicycle", "bus")[(step + number) % 4]
            way = ("in", "out")[step // 4 % 2]
            yield (
                f"crossing,node={node},camera=gate,line=main,class={cls},direction={way},"
                f"district={district} count=1.0,speed={4 + step % 9}.0,track={float(step)} "
                f"{t * 1_000_000 + step}"
            )


def _anomalies(start: int, end: int) -> Iterator[str]:
    every = streams()
    for number, t in enumerate(range(start, end, 3 * _MINUTE)):
        one = every[number * 7 % len(every)]
        is_open = end - t < DAY_MS // 24
        ended = "" if is_open else f",ended={float(t + _TEN_MINUTES)}"
        yield (
            f'anomaly,{one.tags},kind=level id="a{number}",severity={number % 10 / 10},score=6.5,'
            f"value=90.0,expected=50.0,low=40.0,high=60.0,open={float(is_open)}{ended},"
            f'reason="far above what the hour lets expect",lat={one.lat},lon={one.lon} '
            f"{t * 1_000_000 + number}"
        )


def _value(number: int, t: int) -> float:
    day = 2 * math.pi * (t % DAY_MS) / DAY_MS
    return 50 + 20 * math.sin(day + number) + 5 * math.sin(13 * day) + number % 7
