"""A day of a small city as line protocol, by the stored schema, with its own arithmetic.

Eighteen datastreams of four nodes, a reading each 20 s to a minute; crossings at two lines;
anomalies, open and ended; what is expected; statuses; the stream's own figures. Nothing of the
stream's code takes part. The same hours a week before stand in roll-ups only.
"""

from collections.abc import Iterator
from functools import cache
from statistics import fmean, pstdev
from typing import NamedTuple

READING_MS = 20_000
HOUR_MS = 3_600_000
SPAN_MS = 24 * HOUR_MS
WEEK_MS = 7 * 24 * HOUR_MS
WINDOWS = {"10s": 10_000, "1m": 60_000, "10m": 600_000}
NS = 1_000_000


class Stream(NamedTuple):
    node: str
    sensor: str
    prop: str
    district: str
    lat: float
    lon: float
    base: float
    every: int = 1  # of the steps, one reading
    bad: int = -1  # the index of the one reading of quality 2
    unsure: int = -1  # and of quality 1

    @property
    def tags(self) -> str:
        return (
            f"node={self.node},sensor={self.sensor},property={self.prop},district={self.district}"
        )


EAST, WEST, CAMERA = (56.15, 10.20), (56.16, 10.22), (56.155, 10.205)
STREAMS = (
    Stream("east-1", "loop", "speed", "centrum", *EAST, 50.0, bad=7, unsure=12),
    Stream("east-1", "loop", "flow", "centrum", *EAST, 600.0),
    Stream("east-1", "machine", "load", "centrum", *EAST, 0.5, every=3),
    Stream("east-1", "machine", "memory", "centrum", *EAST, 40.0, every=3),
    Stream("west-1", "loop-b", "speed", "havn", *WEST, 30.0, every=2),
    Stream("west-1", "gauge", "water_level", "havn", *WEST, 0.5, every=3),
    Stream("cam-1", "north", "count_person", "centrum", *CAMERA, 4.0, every=3),
    Stream("cam-1", "north", "count_car", "centrum", *CAMERA, 2.0, every=3),
    Stream("cam-1", "north", "zone_square_person", "centrum", *CAMERA, 1.0, every=3),
    *(
        Stream("east-1", "kit", prop, "centrum", *EAST, base, every=3)
        for prop, base in {
            "queue": 20.0,
            "pm25": 9.0,
            "noise": 50.0,
            "occupancy": 60.0,
            "people": 30.0,
            "disk": 20.0,
            "cpu_temperature": 45.0,
            "network_in": 900.0,
            "network_out": 300.0,
        }.items()
    ),
)
DISTRICTS = ("centrum", "havn")
ONLINE = {
    # Node -> online, seconds since its last status, state, bytes in its spool.
    "east-1": (1.0, 1, "ok", 100.0),
    "west-1": (1.0, 300, "degraded", 20.0),
    "cam-1": (0.0, 1, "ok", 3.0),
    "gone-1": (1.0, 1200, "failing", 0.0),
}
CROSSINGS = (("main", "car", "in"), ("main", "person", "out"), ("side", "bus", "in"))
"""Line, class and direction of each, one a minute, again and again."""


def value(stream: Stream, step: int) -> float:
    return stream.base + step % 7 + 0.25


def readings(stream: Stream, start: int) -> Iterator[tuple[int, float, int]]:
    """Time (ms), value, quality."""
    for step in range(0, SPAN_MS // READING_MS, stream.every):
        quality = {stream.bad: 2, stream.unsure: 1}.get(step, 0)
        yield start + step * READING_MS, value(stream, step), quality


@cache
def windows(stream: Stream, start: int, width: int) -> dict[int, list[float]]:
    """Window start (ms) -> its good values."""
    found: dict[int, list[float]] = {}
    for t, v, quality in readings(stream, start):
        if quality != 2:
            found.setdefault(t - t % width, []).append(v)
    return found


def rolled(prop: str, district: str, start: int, width: int) -> dict[int, list[list[float]]]:
    """Window start (ms) -> the good values of each datastream; of all districts for ``_city``."""
    found: dict[int, list[list[float]]] = {}
    for stream in STREAMS:
        if stream.prop == prop and district in {stream.district, "_city"}:
            for t, values in windows(stream, start, width).items():
                found.setdefault(t, []).append(values)
    return found


def raw_lines(start: int) -> Iterator[str]:
    for stream in STREAMS:
        for t, v, quality in readings(stream, start):
            yield f"observation,{stream.tags} value={v},quality={float(quality)} {t * NS}"
    for name in ("10s", "1m"):
        yield from _aggregates(start, name)
    yield from _rollups(start, "1m")


def main_lines(start: int, now: int) -> Iterator[str]:
    """``start`` must be a multiple of ten minutes; statuses are sent at ``now``'s clock."""
    yield from _aggregates(start, "10m")
    yield from _rollups(start, "10m")
    yield from _rollups(start, "10m", earlier=WEEK_MS)
    yield from _anomalies(start)
    yield from _expected(start)
    yield from _crossings(start)
    yield from _statuses(start, now)
    yield from _machinery(now)


def _aggregates(start: int, name: str) -> Iterator[str]:
    for stream in STREAMS:
        for t, values in windows(stream, start, WINDOWS[name]).items():
            yield (
                f"aggregate,{stream.tags},window={name} count={float(len(values))},"
                f"mean={fmean(values)},min={min(values)},max={max(values)},std={pstdev(values)},"
                f"late={float(t == start)},lat={stream.lat},lon={stream.lon} {t * NS}"
            )


def _rollups(start: int, name: str, earlier: int = 0) -> Iterator[str]:
    """Earlier, everything was greater by one."""
    more = 1.0 if earlier else 0.0
    for prop in dict.fromkeys(stream.prop for stream in STREAMS):
        for district in (*DISTRICTS, "_city"):
            for t, parts in rolled(prop, district, start, WINDOWS[name]).items():
                values = [v + more for part in parts for v in part]
                yield (
                    f"rollup,district={district},property={prop},window={name} "
                    f"count={float(len(values))},mean={fmean(values)},min={min(values)},"
                    f"max={max(values)},datastreams={float(len(parts))} {(t - earlier) * NS}"
                )


def _anomalies(start: int) -> Iterator[str]:
    one, other = STREAMS[0], STREAMS[4]
    count = STREAMS[6]
    ended, still = start + 4 * HOUR_MS, start + SPAN_MS - 40 * 60_000
    yield (
        f"anomaly,{one.tags},kind=spike "
        f'id="a1",severity=0.55,score=7.5,value=90.0,expected=53.0,low=40.0,high=66.0,open=0.0,'
        f'ended={float(ended + 60_000)},reason="far above",lat={one.lat},lon={one.lon} '
        f"{ended * NS + 17}"
    )
    yield (
        f"anomaly,{other.tags},kind=flatline "
        f'id="a2",severity=0.25,score=3.0,value=30.25,open=1.0,reason="no change",'
        f"lat={other.lat},lon={other.lon} {still * NS + 4711}"
    )
    yield (
        f"anomaly,{count.tags},kind=spike "
        f'id="a3",severity=0.75,score=9.0,value=40.0,open=1.0,reason="a crowd",'
        f"lat={count.lat},lon={count.lon} {still * NS + 5}"
    )


def _expected(start: int) -> Iterator[str]:
    for stream in STREAMS:
        for t in range(start, start + SPAN_MS, 600_000):
            middle = stream.base + 3.0
            yield (
                f"expected,{stream.tags} value={middle},low={middle - 5},high={middle + 5} {t * NS}"
            )


def _crossings(start: int) -> Iterator[str]:
    for minute in range(SPAN_MS // 60_000):
        line, kind, direction = CROSSINGS[minute % len(CROSSINGS)]
        speed = "" if kind == "person" else f",speed={30.0 + minute % 2}"
        yield (
            f"crossing,node=cam-1,camera=north,line={line},class={kind},direction={direction},"
            f"district=centrum count=1.0{speed},track={float(minute)} "
            f"{(start + minute * 60_000) * NS + minute}"
        )


def _statuses(start: int, now: int) -> Iterator[str]:
    places = {"east-1": EAST, "west-1": WEST, "cam-1": CAMERA, "gone-1": WEST}
    for node, (online, ago, state, spool) in ONLINE.items():
        lat, lon = places[node]
        district = "havn" if node in {"west-1", "gone-1"} else "centrum"
        end = now - ago * 1_000
        for number, t in enumerate((*range(start, end - 60_000, HOUR_MS), end - 60_000, end)):
            health = (
                f',state="{state}",spool_batches=1.0,spool_bytes={spool},'
                f"observations={number * 100.0},given_up=2.0,dropped=1.0,late=4.0,reconnects=3.0,"
                f'problems="{"" if state == "ok" else "a problem"}",versions="citynerve=1"'
            )
            last = t == end
            # A last will knows nothing of the node's health.
            figures = health if online or not last else ""
            yield (
                f"node,node={node},district={district} online={online if last else 1.0},"
                f"seen={float(t)}{figures},lat={lat},lon={lon} {t * NS}"
            )


def _machinery(now: int) -> Iterator[str]:
    """Two lives of the stream: its counters begin anew in the second, 200 s before its end."""
    end = now - 60_000
    for number in range(120):
        t = end - 5_000 * (120 - number)
        ran = float(number if number < 80 else number - 80)
        for part, figures in {
            "lane": f"observations={ran * 45},observations_per_s={4.5 + number % 2},"
            f"batches={ran * 10}",
            "acks": f"lag_ms={1_200.0 + number % 2},nodes=4.0,published={ran * 2},credit=65536.0",
            "flow": f"epochs={ran * 5}",
            "influx": f"lines={ran * 500},writes={ran * 5},latency_ms=7.5,retries=0.0,refused=0.0",
            "intake": f"received={ran * 12},received_bytes={ran * 6_000},queued_bytes=0.0",
            "process": f"cpu_s={ran * 0.5},peak_memory_bytes=2e8,pid=7.0",
            "dropped": f"duplicate={ran},gap=1.0",
            "events": f"anomalies={ran}",
        }.items():
            yield f"stream,stream=s1,part={part} {figures} {t * NS}"
    yield f"stream,stream=s1,part=process pid=7.0 {now * NS}"
    for number in range(3):
        yield (
            f"rejected,reason=r{number} "
            f'count={number + 1.0},sample="east-1: odd: {{}}" {(end - 5_000) * NS}'
        )
