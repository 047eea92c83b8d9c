"""The sums of up to 128 windows of one district, property and window size, in arrays."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import numpy as np

from stream import sums
from stream.lane.windows import CLOSED, Records
from stream.rollup import BLOCK, BlockKey, unknown_format
from stream.scenario import WINDOWS

_PARTIALS: Final = 2
_FORMAT: Final = 2
_FORMAT_OF_OBJECTS: Final = 1

_encode = msgspec.msgpack.Encoder().encode


class Points(NamedTuple):
    """The newest figures of some windows of a block: ``stream.sums.POINT``, each start once."""

    key: BlockKey
    rows: Records

    def lines(self) -> list[str]:
        """As line protocol in ns."""
        district, prop, window, _ = self.key
        head = f"rollup,district={district},property={prop},window={window} count="
        return [
            f"{head}{readings},mean={mean!r},min={low!r},max={high!r},"
            f"datastreams={datastreams} {start}000000"
            for start, readings, mean, low, high, datastreams in self.rows.tolist()
        ]


class _Version(msgspec.Struct, array_like=True):
    version: int


class _State(msgspec.Struct, array_like=True):
    """``slots``: which windows hold anything, a byte each; what follows is of these windows.

    ``sums``: ``stream.sums.SUM``. ``partials``: ``width`` doubles for each.
    """

    version: int
    key: str
    slots: bytes
    sums: bytes
    width: int
    partials: bytes


class _OldPoint(msgspec.Struct, array_like=True):
    readings: int
    datastreams: int
    low: float
    high: float
    partials: list[float]


class _OldState(msgspec.Struct, array_like=True):
    version: int
    points: dict[int, _OldPoint]


class Block:
    """The sums of one block; restored from ``state``, if there is one.

    Attributes:
        refused: What could not be added, since the sum would leave the range of floats.
        changed: Whether anything was added that :meth:`tell` has not told yet.
    """

    def __init__(self, key: BlockKey, state: bytes | None = None) -> None:
        self.key = key
        self.refused = 0
        self.changed = False
        self._length = WINDOWS[key.window]
        self._first = key.number * self._length * BLOCK
        self._sums = sums.blank(BLOCK)
        self._partials = np.zeros((BLOCK, _PARTIALS))
        if state is not None:
            self._restore(state)

    @classmethod
    def prepare(cls) -> None:
        """Compile the kernels, or load them; see ``stream.lane.lane.Lane.prepare``."""
        block = cls(BlockKey("", "", "1m", 0))
        block.add([np.ones(1, CLOSED)])
        block.tell()

    @classmethod
    def restored(cls, state: bytes) -> "Block | None":
        """A block from its state alone; None: the state does not tell whose it is."""
        if msgspec.msgpack.decode(state, type=_Version).version != _FORMAT:
            return None
        key = msgspec.msgpack.decode(state, type=_State).key
        return cls(BlockKey.parse(key), state)

    def add(self, closed: Iterable[Records]) -> None:
        """Take in closed windows (``CLOSED``)."""
        for records in closed:
            begin = 0
            while begin < len(records):
                before = begin
                begin, refused = sums.add(
                    self._sums, self._partials, self._first, self._length, records, before
                )
                self.refused += refused
                self.changed |= begin - before > refused
                if begin < len(records):
                    self._widen(2 * self._partials.shape[1])

    def tell(self) -> Points:
        """The newest state of all windows that were added to since the last time."""
        rows = np.empty(BLOCK, sums.POINT)
        count = sums.tell(self._sums, self._partials, self._first, self._length, rows)
        self.changed = False
        return Points(self.key, rows[:count].copy())

    def snapshot(self) -> bytes:
        """Its state, to build it again from."""
        slots = np.flatnonzero(self._sums["datastreams"])
        kept = self._sums[slots]
        width = int(kept["used"].max(initial=0))
        partials = self._partials[slots, :width]
        return _encode(
            _State(
                _FORMAT,
                self.key.text(),
                slots.astype(np.uint8).tobytes(),
                kept.tobytes(),
                width,
                partials.tobytes(),
            )
        )

    def _widen(self, width: int) -> None:
        wider = np.zeros((BLOCK, width))
        wider[:, : self._partials.shape[1]] = self._partials
        self._partials = wider

    def _restore(self, state: bytes) -> None:
        version = msgspec.msgpack.decode(state, type=_Version).version
        if version == _FORMAT_OF_OBJECTS:
            self._restore_objects(msgspec.msgpack.decode(state, type=_OldState).points)
            return
        if version != _FORMAT:
            raise unknown_format(version)
        stored = msgspec.msgpack.decode(state, type=_State)
        slots = np.frombuffer(stored.slots, np.uint8)
        self._widen(max(_PARTIALS, stored.width))
        self._sums[slots] = np.frombuffer(stored.sums, sums.SUM)
        partials = np.frombuffer(stored.partials).reshape(len(slots), stored.width)
        self._partials[slots, : stored.width] = partials
        self.changed = bool(self._sums["changed"].any())

    def _restore_objects(self, points: dict[int, _OldPoint]) -> None:
        self._widen(max([_PARTIALS, *(len(point.partials) for point in points.values())]))
        for start, point in points.items():
            slot = (start - self._first) // self._length
            used = len(point.partials)
            self._partials[slot, :used] = point.partials
            self._sums[slot] = (point.readings, point.low, point.high, point.datastreams, used, 0)
