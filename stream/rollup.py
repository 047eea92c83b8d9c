"""Roll-ups: the figures of several datastreams in one event-time window, exact in any order.

Datastreams close their windows when their own watermarks pass, so a roll-up's point is never known
to be complete: it is kept, and sent out anew whenever another datastream adds to it. Two plain
classes share the work, so that a snapshot of one addition is small:

- :class:`Index`, one a district: which blocks of windows are kept;
- :class:`stream.block.Block`, one per district, property, window and stretch of 128 windows: the
  sums.

**What is kept**: of every district, property and window size, the blocks that were added to last,
wherever in time they lie: at least 4,096 windows and at least two days (windows of 10 s: 2 days;
1 min: 2.8 days; 10 min: 28 days). Additions to a block that was let go are refused and counted;
starting its points anew would replace right figures by partial ones.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from citynerve.errors import ConfigError
from stream.lane.output import Closed
from stream.lane.windows import Records
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
    """Additions for one block; ``last``: the block is let go after them.

    ``closed``: arrays of ``stream.lane.windows.CLOSED``, all of this block.
    """

    key: BlockKey
    closed: tuple[Records, ...]
    last: bool = False


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
        series = _decode(state).series if state is not None else {}
        self._live = {key: dict.fromkeys(value.live) for key, value in series.items()}
        self._gone = {key: list(value.gone) for key, value in series.items()}

    def route(self, closed: Iterable[Closed]) -> list[Route]:
        """Sort additions by block; blocks that are let go come last."""
        blocks: defaultdict[BlockKey, list[Records]] = defaultdict(list)
        for one in closed:
            for number, records in _by_block(one):
                blocks[BlockKey(self.district, one.property, one.window, number)].append(records)
        routes: list[Route] = []
        for key, additions in blocks.items():
            if self._is_gone(key):
                self.refused += sum(map(len, additions))
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


def _by_block(closed: Closed) -> Iterable[tuple[int, Records]]:
    numbers = closed.records["start"] // (WINDOWS[closed.window] * BLOCK)
    if (numbers == numbers[0]).all():
        return [(int(numbers[0]), closed.records)]
    return [(n, closed.records[numbers == n]) for n in np.unique(numbers).tolist()]


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


def _decode(state: bytes) -> _IndexState:
    decoded = msgspec.msgpack.decode(state, type=_IndexState)
    if decoded.version != _FORMAT:
        raise unknown_format(decoded.version)
    return decoded


def unknown_format(version: int) -> ConfigError:
    """The error for roll-ups that another version of this software has stored."""
    return ConfigError(
        f"roll-ups of format {version} in the store; this version does not know it",
        key="store.path",
        fix="run the version of CityNerve that wrote it",
    )
