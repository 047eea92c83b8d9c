"""Roll-ups: the figures of several datastreams in one event-time window, exact in any order.

Datastreams close their windows when their own watermarks pass, so a roll-up's point is never known
to be complete: it is kept, and sent out anew whenever another datastream adds to it. Two plain
classes share the work, so that a snapshot of one addition is small:

- :class:`Index`, one a district: which blocks of windows are kept;
- :class:`Block`, one per district, property, window and stretch of 128 windows: the sums.

**What is kept**: of every district, property and window size, the blocks that were added to last,
wherever in time they lie: at least 4,096 windows and at least two days (windows of 10 s: 2 days;
1 min: 2.8 days; 10 min: 28 days). Additions to a block that was let go are refused and counted;
starting its points anew would replace right figures by partial ones.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from citynerve.errors import ConfigError
from stream.lane.output import Closed
from stream.scenario import WINDOWS

CITY: Final = "_city"
"""The district of the whole city's roll-ups; no area's name begins with an underscore."""

BLOCK: Final = 128
"""Windows in a block."""

_LONG: Final = 600_000
_KEEP_WINDOWS: Final = 4096
_KEEP_SPAN: Final = 2 * 86_400_000
_MAX_RANGES: Final = 64
_FORMAT: Final = 1

_encode = msgspec.msgpack.Encoder().encode


def blocks_kept(window: str) -> int:
    """How many blocks of one district and property are kept.

    >>> [blocks_kept(window) for window in ("10s", "1m", "10m")]
    [135, 32, 32]
    """
    windows = max(_KEEP_WINDOWS, _KEEP_SPAN // WINDOWS[window])
    return -(-windows // BLOCK)


def is_short(window: str) -> bool:
    """Whether a window is stored with the raw observations, for as long as they are."""
    return WINDOWS[window] < _LONG


class BlockKey(NamedTuple):
    """Names a block; ``number`` is its first window's start over its length."""

    district: str
    property: str
    window: str
    number: int

    def text(self) -> str:
        """As a key of the stored state; no name contains a slash."""
        return f"{self.district}/{self.property}/{self.window}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "BlockKey":
        """The reverse of :meth:`text`."""
        district, prop, window, number = text.split("/")
        return cls(district, prop, window, int(number))


class Route(NamedTuple):
    """Additions for one block; ``last``: the block is let go after them."""

    key: BlockKey
    closed: tuple[Closed, ...]
    last: bool = False


class RollupPoint(NamedTuple):
    """A roll-up's newest state; times in ms since 1970 UTC."""

    district: str
    property: str
    window: str
    start: int
    readings: int
    mean: float
    low: float
    high: float
    datastreams: int

    def line(self) -> str:
        """As line protocol in ns."""
        return (
            f"rollup,district={self.district},property={self.property},window={self.window} "
            f"count={self.readings},mean={self.mean!r},min={self.low!r},max={self.high!r},"
            f"datastreams={self.datastreams} {self.start}000000"
        )


class _Series(msgspec.Struct, array_like=True):
    """The blocks of one property and window: ``live`` from least to most lately added to."""

    live: list[int] = []
    gone: list[tuple[int, int]] = []


class _IndexState(msgspec.Struct, array_like=True):
    version: int
    series: dict[str, _Series]


class Index:
    """Which blocks of one district are kept."""

    def __init__(self, district: str, state: bytes | None = None) -> None:
        self.district = district
        self.refused = 0
        series = _decode(state, _IndexState).series if state is not None else {}
        self._live = {key: dict.fromkeys(value.live) for key, value in series.items()}
        self._gone = {key: list(value.gone) for key, value in series.items()}

    def route(self, closed: Iterable[Closed]) -> list[Route]:
        """Sort additions by block; blocks that are let go come last."""
        blocks: defaultdict[BlockKey, list[Closed]] = defaultdict(list)
        for window in closed:
            number = window.start // (WINDOWS[window.window] * BLOCK)
            blocks[BlockKey(self.district, window.property, window.window, number)].append(window)
        routes: list[Route] = []
        for key, additions in blocks.items():
            if self._is_gone(key):
                self.refused += len(additions)
                continue
            routes.append(Route(key, tuple(additions)))
            routes += self._touch(key)
        return routes

    def snapshot(self) -> bytes:
        """Its state, to build it again from."""
        series = {
            key: _Series(list(live), self._gone.get(key, [])) for key, live in self._live.items()
        }
        return _encode(_IndexState(_FORMAT, series))

    def _is_gone(self, key: BlockKey) -> bool:
        ranges = self._gone.get(f"{key.property}/{key.window}", ())
        at = bisect_right(ranges, key.number, key=lambda r: r[0]) - 1
        if at < 0 or key.number > ranges[at][1]:
            return False
        # Ranges that were joined may span a block that is still kept.
        return key.number not in self._live[f"{key.property}/{key.window}"]

    def _touch(self, key: BlockKey) -> list[Route]:
        name = f"{key.property}/{key.window}"
        live = self._live.setdefault(name, {})
        live.pop(key.number, None)
        live[key.number] = None
        routes = []
        while len(live) > blocks_kept(key.window):
            oldest = next(iter(live))
            del live[oldest]
            self._gone[name] = _with_block(self._gone.get(name, []), oldest)
            routes.append(Route(key._replace(number=oldest), (), last=True))
        return routes


def _with_block(ranges: Sequence[tuple[int, int]], number: int) -> list[tuple[int, int]]:
    """Add one block to sorted ranges; neighbours are joined, and the closest where too many."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted([*ranges, (number, number)]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    if len(joined) > _MAX_RANGES:
        gaps = [joined[i + 1][0] - joined[i][1] for i in range(len(joined) - 1)]
        at = gaps.index(min(gaps))
        joined[at : at + 2] = [(joined[at][0], joined[at + 1][1])]
    return joined


class _Point(msgspec.Struct, array_like=True):
    readings: int
    datastreams: int
    low: float
    high: float
    partials: list[float]


class _BlockState(msgspec.Struct, array_like=True):
    version: int
    points: dict[int, _Point]


class Block:
    """The sums of up to 128 windows of one district, property and window size.

    Between calls it keeps itself packed, a tenth of the objects' size: most blocks lie idle.
    """

    def __init__(self, key: BlockKey, state: bytes | None = None) -> None:
        self.key = key
        self.refused = 0
        self._packed = state
        self._points: dict[int, _Point] | None = None if state is not None else {}

    def add(self, closed: Iterable[Closed]) -> list[RollupPoint]:
        """Take in closed windows; gives the newest state of each point they touch."""
        points = self._unpacked()
        touched: dict[int, _Point] = {}
        for window in closed:
            weighted = window.mean * window.readings
            point = points.get(window.start)
            if point is None:
                point = _Point(0, 0, math.inf, -math.inf, [])
            if not add_exactly(point.partials, weighted):
                self.refused += 1
                continue
            point.readings += window.readings
            point.datastreams += 1
            point.low = min(point.low, window.low)
            point.high = max(point.high, window.high)
            points[window.start] = touched[window.start] = point
        return [self._result(start, point) for start, point in touched.items()]

    def snapshot(self) -> bytes:
        """Its state, to build it again from."""
        if self._packed is None:
            self._packed = _encode(_BlockState(_FORMAT, self._unpacked()))
        self._points = None
        return self._packed

    def _unpacked(self) -> dict[int, _Point]:
        if self._points is None:
            self._points = _decode(self._packed or b"", _BlockState).points
        self._packed = None
        return self._points

    def _result(self, start: int, point: _Point) -> RollupPoint:
        return RollupPoint(
            district=self.key.district,
            property=self.key.property,
            window=self.key.window,
            start=start,
            readings=point.readings,
            mean=math.fsum(point.partials) / point.readings,
            low=point.low,
            high=point.high,
            datastreams=point.datastreams,
        )


def add_exactly(partials: list[float], value: float) -> bool:
    """Add to a sum kept as non-overlapping floats: exact, so the order of additions is nothing.

    Source: J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
    Predicates", 1997, section 2; as in Python's ``math.fsum``.

    Returns:
        False, and ``partials`` as it was, where the sum leaves the range of floats.
    """
    kept = []
    for partial in partials:
        big, small = (value, partial) if abs(value) >= abs(partial) else (partial, value)
        value = big + small
        rest = small - (value - big)
        if rest:
            kept.append(rest)
    if not math.isfinite(value):
        return False
    partials[:] = [*kept, value]
    return True


_T = TypeVar("_T", _IndexState, _BlockState)


def _decode(state: bytes, kind: type[_T]) -> _T:
    decoded = msgspec.msgpack.decode(state, type=kind)
    if decoded.version != _FORMAT:
        raise ConfigError(
            f"roll-ups of format {decoded.version} in the store; this version knows {_FORMAT}",
            key="store.path",
            fix="run the version of CityNerve that wrote it",
        )
    return decoded
