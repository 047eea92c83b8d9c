"""Order within a sensor's lateness: what arrives in any order leaves in the order of its times.

The stream never sees disorder. A datastream's readings are held until one arrives that is its
lateness newer (or a mark, or the clock, says that nothing older will come), and leave with strictly
increasing times:

* A reading whose time is held, or was released and is still remembered, is a repeat: the first
  counts, whatever the values say.
* Any other reading at or before the last released time (or mark) is late. It leaves at once, marked
  as such.
* A reading after the last released time is in time, however long it took: nothing that has left
  contradicts it.
* A time further ahead of the clock than the stream believes binds nothing that is not: the stream
  refuses it. So neither a clock that was wrong for a while nor a single nonsensical time makes all
  that follows late.

Given the same items in the same order, the same leaves in the same order, however the items are
grouped into calls.

Memory: at most ``max_held`` readings are held in all (about 250 bytes each), and at most
``2 * REMEMBERED`` released times are remembered for each datastream (8 bytes each).
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from math import isfinite
from typing import Final, NamedTuple

import msgspec

from citynerve.messages import BAD, GOOD, Event, Evidence
from edge.sensor.driver import Item, Mark, Reading

Key = tuple[str, str]
"""Sensor and property: a datastream within its node."""

REMEMBERED: Final = 4096
MAX_HELD: Final = 1 << 19
MAX_TIME: Final = 10**13
"""Milliseconds (the year 2286): times beyond it, or before 1970, are a sensor's nonsense."""
MAX_PICTURE: Final = 380_000
"""Bytes of a JPEG: with base64 and its envelope it fits the contract's 512 KiB."""

_BEGINNING: Final = -MAX_TIME
_encode: Final = msgspec.json.Encoder().encode
_decode_event: Final = msgspec.json.Decoder(Event).decode
_decode_evidence: Final = msgspec.json.Decoder(Evidence).decode


class Late(NamedTuple):
    """A reading that came after its datastream's watermark: stored, but in no window."""

    reading: Reading


Released = Reading | Late | Mark | Event | Evidence


class Counts(NamedTuple):
    """One datastream's readings: each is distinct or repeated; late ones are among the distinct."""

    read: int = 0
    repeated: int = 0
    late: int = 0

    @property
    def distinct(self) -> int:
        """Readings with a time that had not been seen."""
        return self.read - self.repeated


class _Series:
    """One datastream's readings that wait, and the times that have left."""

    __slots__ = ("due", "floor", "held", "late", "lateness", "newest", "read", "recent", "repeated")

    def __init__(self, lateness: int, floor: int, counts: Counts) -> None:
        self.lateness = lateness
        self.floor = floor
        self.newest = _BEGINNING
        self.read, self.repeated, self.late = counts
        self.held: dict[int, Reading] = {}
        self.due: list[int] = []
        self.recent = array("q")

    def release(self, until: int, out: list[Released]) -> int:
        """Move what is held up to ``until`` to ``out``; how many."""
        due, held, recent = self.due, self.held, self.recent
        before = len(due)
        t = self.floor
        while due and due[0] <= until:
            t = heappop(due)
            out.append(held.pop(t))
            recent.append(t)
        self.floor = t
        self.trim()
        return before - len(due)

    def trim(self) -> None:
        """Remember no more than memory is set aside for."""
        if len(self.recent) > 2 * REMEMBERED:
            del self.recent[:-REMEMBERED]

    def forget_beyond(self, limit: int) -> None:
        """Stand where this datastream would if no time beyond ``limit`` (ms) had been met."""
        recent = self.recent
        del recent[bisect_right(recent, limit) :]
        if self.floor > limit:
            self.floor = recent[-1] if recent else _BEGINNING
        self.newest = max((t for t in self.held if t <= limit), default=self.floor)

    def remembers(self, t: int) -> bool:
        """Whether a reading of this time has left, as far as is known."""
        recent = self.recent
        at = bisect_left(recent, t)
        return at < len(recent) and recent[at] == t


class Order:
    """Sorts and de-duplicates what one driver gives.

    Args:
        lateness: Each datastream's lateness in ms; readings of any other are dropped and counted.
        floors: Times that have been released before (by an earlier process): nothing at or before
            them leaves unmarked.
        counts: Figures to go on from.
        max_held: Readings held at most. Beyond, a datastream's oldest leaves before it is due,
            which shortens its lateness; counted in ``squeezed``.
    """

    def __init__(
        self,
        lateness: Mapping[Key, int],
        *,
        floors: Mapping[Key, int] | None = None,
        counts: Mapping[Key, Counts] | None = None,
        max_held: int = MAX_HELD,
    ) -> None:
        self._floors = dict(floors or {})
        self._counts = dict(counts or {})
        self._series: dict[Key, _Series] = {}
        self.declare(lateness)
        self._max_held = max_held
        self.believed = MAX_TIME
        """The greatest time (ms) that binds those before it; for a live sensor set by the clock."""
        self.held = 0
        self.dropped = 0
        """Items that cannot be sent: undeclared, not finite, an impossible time or a bad event."""
        self.squeezed = 0

    def declare(self, lateness: Mapping[Key, int]) -> None:
        """Take up datastreams that a driver has found since, and lateness that has changed."""
        for key, span in lateness.items():
            known = self._series.get(key)
            if known is None:
                floor = self._floors.get(key, _BEGINNING)
                known = _Series(span, floor, self._counts.get(key, Counts()))
                self._series[key] = known
            known.lateness = span

    def knows(self, items: Iterable[Item]) -> bool:
        """Whether the datastreams of all readings and marks have been declared."""
        return all(
            (item.sensor, item.property) in self._series
            for item in items
            if isinstance(item, Reading | Mark)
        )

    def take(self, items: Iterable[Item]) -> list[Released]:
        """Take what the driver gave; what is now due, in the order in which it leaves."""
        out: list[Released] = []
        find = self._series.get
        believed = self.believed
        bounded = believed < MAX_TIME
        for item in items:
            if not isinstance(item, Reading):
                self._take_other(item, out)
                continue
            sensor, prop, t, value, quality = item
            series = find((sensor, prop))
            # What the stream's decoder refuses would block the node's batches for ever.
            if (
                series is None
                or not type(t) is type(quality) is int
                or not 0 <= t < MAX_TIME
                or not GOOD <= quality <= BAD
                or not isfinite(value)
            ):
                self.dropped += 1
                continue
            series.read += 1
            held = series.held
            if bounded and t <= believed < max(series.newest, series.floor):
                series.forget_beyond(believed)
            if t <= series.floor:
                self._take_released(series, item, out)
                continue
            if t in held:
                series.repeated += 1
                continue
            held[t] = item
            heappush(series.due, t)
            self.held += 1
            if t > series.newest:  # noqa: PLR1730 - max() costs four times as much here
                series.newest = t
            if series.due[0] <= series.newest - series.lateness:
                self.held -= series.release(series.newest - series.lateness, out)
            elif self.held > self._max_held:
                self.squeezed += 1
                self.held -= series.release(series.due[0], out)
        return out

    def advance(self, now: int, *, grace: int, silence: int) -> list[Released]:
        """For a live sensor: let the clock, less lateness and ``grace`` ms, release what waits.

        A datastream that has moved on by ``silence`` ms in this way gets a mark.
        """
        out: list[Released] = []
        for (sensor, prop), series in self._series.items():
            until = now - series.lateness - grace
            if series.floor > self.believed:
                series.forget_beyond(self.believed)
            if series.due and series.due[0] <= until:
                self.held -= series.release(until, out)
            if series.read and until - series.floor >= silence and not series.due:
                series.floor = until
                out.append(Mark(sensor, prop, until))
        return out

    def flush(self) -> list[Released]:
        """The input has ended: release all that is held."""
        out: list[Released] = []
        for series in self._series.values():
            self.held -= series.release(MAX_TIME, out)
        return out

    def counts(self) -> dict[Key, Counts]:
        """The figures of every datastream."""
        return {key: Counts(s.read, s.repeated, s.late) for key, s in self._series.items()}

    def floors(self) -> dict[Key, int]:
        """The last released time or mark of every datastream that has one."""
        return {key: s.floor for key, s in self._series.items() if s.floor > _BEGINNING}

    def _take_other(self, item: Mark | Event | Evidence, out: list[Released]) -> None:
        if isinstance(item, Mark):
            self._take_mark(item, out)
        elif _is_sound(item):
            out.append(item)
        else:
            self.dropped += 1

    def _take_mark(self, mark: Mark, out: list[Released]) -> None:
        series = self._series.get((mark.sensor, mark.property))
        if series is None or type(mark.t) is not int or not -MAX_TIME < mark.t < MAX_TIME:
            self.dropped += 1
            return
        self.held -= series.release(mark.t, out)
        if mark.t > series.floor:
            series.floor = mark.t
            out.append(mark)

    def _take_released(self, series: _Series, reading: Reading, out: list[Released]) -> None:
        if series.remembers(reading.t):
            series.repeated += 1
            return
        series.late += 1
        insort(series.recent, reading.t)
        series.trim()
        out.append(Late(reading))


def _is_sound(item: Event | Evidence) -> bool:
    """Whether the stream's decoder takes it: one that it refuses would block all that follow."""
    try:
        if isinstance(item, Evidence):
            _decode_evidence(_encode(item))
            return len(item.jpeg) <= MAX_PICTURE
        _decode_event(_encode(item))
    except msgspec.MsgspecError:
        return False
    return True
