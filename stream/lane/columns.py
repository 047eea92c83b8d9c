"""Decoded columns into flat arrays, without an object per reading."""

from array import array
from typing import Final

import numpy as np

from citynerve.messages import Column
from stream.lane.windows import NO_MARK, Columns

_QUALITIES: Final = frozenset((0, 1, 2))


class Collector:
    """Gathers the columns of many batches for one run of the kernel.

    ``origin[i]`` says whose column ``i`` is (an index that the caller chooses); ``readings`` is how
    many there are in all.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all columns."""
        # New arrays each time: numpy may still look at the old ones' memory.
        self._row = array("i")
        self._end = array("q")
        self._mark = array("q")
        self._late = array("B")
        self._time = array("q")
        self._value = array("d")
        self._quality: list[tuple[int, list[int]]] = []
        self.readings = 0
        self.origin: list[int] = []

    def __len__(self) -> int:
        return len(self._row)

    def add(self, column: Column, row: int, origin: int) -> str | None:
        """Take a column of datastream ``row``, or say why not (``shape``, ``future``)."""
        times = column.t
        values = column.v
        size = len(times)
        if size != len(values):
            return "shape"
        if column.q is not None:
            if len(column.q) != size or not _QUALITIES.issuperset(column.q):
                return "shape"
            self._quality.append((self.readings, column.q))
        try:
            self._mark.append(NO_MARK if column.wm is None else column.wm)
            self._time.fromlist(times)
        except OverflowError:
            # No 64 bits hold it: hundreds of millions of years from now, or before.
            return self._undo(column)
        self._value.fromlist(values)
        self.readings += size
        self._row.append(row)
        self._end.append(self.readings)
        self._late.append(column.late)
        self.origin.append(origin)
        return None

    def _undo(self, column: Column) -> str:
        del self._mark[len(self._row) :]
        if column.q is not None:
            self._quality.pop()
        return "future"

    def columns(self) -> Columns:
        """All of them as arrays, valid until :meth:`clear`."""
        quality = np.zeros(self.readings, np.uint8)
        for begin, codes in self._quality:
            quality[begin : begin + len(codes)] = codes
        return Columns(
            np.frombuffer(self._row, np.int32),
            np.frombuffer(self._end, np.int64),
            np.frombuffer(self._mark, np.int64),
            np.frombuffer(self._late, np.uint8),
            np.frombuffer(self._time, np.int64),
            np.frombuffer(self._value, np.float64),
            quality,
        )
