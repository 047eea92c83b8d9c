"""Half an hour of a small city as line protocol, by the stored schema, with its own arithmetic.

Three datastreams of two nodes, one reading each 10 s; one crossing a minute; two anomalies; the
machinery's own measurements. Nothing of the stream's code takes part.
"""

from collections.abc import Iterator
from statistics import fmean, pstdev
from typing import NamedTuple

READING_MS = 10_000
SPAN_MS = 1_800_000
WINDOWS = {"10s": 10_000, "1m": 60_000, "10m": 600_000}


class Stream(NamedTuple):
    node: str
    sensor: str
    prop: str
    district: str
    lat: float
    lon: float
    base: float
    every: int  # of the 10 s steps, one reading
    bad: int  # the index of the one reading of quality 2, or -1

    @property
    def tags(self) -> str:
        return (
            f"node={self.node},sensor={self.sensor},property={self.prop},district={self.district}"
        )


STREAMS = (
    Stream("east-1", "loop", "speed", "centrum", 56.15, 10.20, 50.0, 1, 7),
    Stream("east-1", "loop", "count", "centrum", 56.15, 10.20, 20.0, 1, -1),
    Stream("west-1", "loop-b", "speed", "havn", 56.16, 10.22, 30.0, 2, -1),
)


def value(stream: Stream, step: int) -> float:
    return stream.base + step % 7 + 0.25


def readings(stream: Stream, start: int) -> Iterator[tuple[int, float, int]]:
    """Time (ms), value, quality."""
    for step in range(0, SPAN_MS // READING_MS, stream.every):
        quality = 2 if step == stream.bad else 0
        yield start + step * READING_MS, value(stream, step), quality


def windows(stream: Stream, start: int, width: int) -> dict[int, list[float]]:
    """Window start (ms) -> its good values."""
    found: dict[int, list[float]] = {}
    for t, v, quality in readings(stream, start):
        if quality != 2:
            found.setdefault(t - t % width, []).append(v)
    return found


def raw_lines(start: int) -> list[str]:
    lines = [
        f"observation,{stream.tags} value={v},quality={float(quality)} {t * 1_000_000}"
        for stream in STREAMS
        for t, v, quality in readings(stream, start)
    ]
    return lines + aggregate_lines(start, ("10s", "1m"))


def aggregate_lines(start: int, names: tuple[str, ...]) -> list[str]:
    return [
        f"aggregate,{stream.tags},window={name} count={float(len(values))},mean={fmean(values)},"
        f"min={min(values)},max={max(values)},std={pstdev(values)},late=0.0,"
        f"lat={stream.lat},lon={stream.lon} {t * 1_000_000}"
        for stream in STREAMS
        for name in names
        for t, values in windows(stream, start, WINDOWS[name]).items()
    ]


def main_lines(start: int, now: int) -> list[str]:
    """``start`` must be a multiple of ten minutes; statuses are sent at ``now``'s clock."""
    one, _, other = STREAMS
    end = start + SPAN_MS
    lines = aggregate_lines(start, ("10m",))
    ended, open_still = start + 240_000, start + 900_000
    lines.append(
        f"anomaly,{one.tags},kind=level "
        f'id="a1",severity=0.5,score=7.5,value=90.0,expected=53.0,low=40.0,high=66.0,'
        f'ended={float(ended + 60_000)},reason="far above",lat={one.lat},lon={one.lon} '
        f"{ended * 1_000_000 + 17}"
    )
    lines.append(
        f"anomaly,{other.tags},kind=flatline "
        f'id="a2",severity=0.25,score=3.0,value=30.25,reason="no change",'
        f"lat={other.lat},lon={other.lon} {open_still * 1_000_000 + 4711}"
    )
    for minute in range(SPAN_MS // 60_000):
        kind = "car" if minute % 3 else "bus"
        lines.append(
            f"crossing,node=cam-1,camera=north,line=main,class={kind},direction=in,"
            f"district=centrum count=1.0,track={float(minute)} "
            f"{(start + minute * 60_000) * 1_000_000 + minute}"
        )
    seconds_ago = (
        ("east-1", 1.0, 1),
        ("west-1", 1.0, 300),
        ("off-1", 0.0, 1),
        ("gone-1", 1.0, 1200),
    )
    for node, online, ago in seconds_ago:
        at = (now - ago * 1_000) * 1_000_000
        lines.append(f"node,node={node},district=centrum online=1.0 {at - 60_000_000_000}")
        lines.append(f"node,node={node},district=centrum online={online} {at}")
    for second, rate in ((60, 4.5), (55, 5.5)):
        at = (end - second * 1_000) * 1_000_000
        lines.append(
            f"stream,stream=s1,part=lane observations=9000.0,observations_per_s={rate} {at}"
        )
        lines.append(f"stream,stream=s1,part=acks lag_ms=1200.0 {at}")
    for number in range(3):
        lines.append(f"rejected,reason=r{number} count={number + 1.0} {(end - 5_000) * 1_000_000}")
    return lines
