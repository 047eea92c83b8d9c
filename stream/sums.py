"""The sums of roll-ups: exact, so that the order of additions is nothing.

A sum is kept as floats that do not overlap, as in J. R. Shewchuk, "Adaptive Precision
Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997, section 2; it is rounded
once, to the nearest float with ties to even, as Python's ``math.fsum`` does it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream.compiled import compiled
from stream.lane.windows import Floats, Records

SUM: Final = np.dtype(
    [
        ("readings", "i8"),
        ("low", "f8"),
        ("high", "f8"),
        ("datastreams", "i4"),
        ("used", "i2"),
        ("changed", "i2"),
    ],
    align=True,
)
"""One roll-up but for its sum, of which ``used`` floats are in use; ``changed``: 1 until told."""

POINT: Final = np.dtype(
    [
        ("start", "i8"),
        ("readings", "i8"),
        ("mean", "f8"),
        ("low", "f8"),
        ("high", "f8"),
        ("datastreams", "i8"),
    ],
    align=True,
)
"""A roll-up's figures; ``start`` in ms since 1970 UTC."""

Partials = NDArray[np.float64]
"""The floats of each sum, a row each."""


def blank(size: int) -> Records:
    """Roll-ups of nothing."""
    sums = np.zeros(size, SUM)
    sums["low"], sums["high"] = np.inf, -np.inf
    return sums


@compiled
def add(
    sums: Records, partials: Partials, first: int, length: int, closed: Records, begin: int
) -> tuple[int, int]:
    """Add closed windows, from ``closed[begin]`` on.

    Args:
        sums: ``SUM`` of each window, that which starts at ``first`` before the others.
        partials: A row for each of them.
        first: ms since 1970 UTC.
        length: Of a window, ms.
        closed: ``stream.lane.windows.CLOSED``.
        begin: Index.

    Returns:
        How far it came: less than ``len(closed)`` where a row of ``partials`` has no room; and how
        many were refused and changed nothing, since their sum would leave the range of floats.
    """
    room = partials.shape[1]
    kept = np.empty(room, np.float64)
    refused = 0
    for i in range(begin, len(closed)):
        window = closed[i]
        slot = (window.start - first) // length
        value = window.mean * window.count
        size = 0
        for j in range(sums[slot].used):
            partial = partials[slot, j]
            if abs(value) >= abs(partial):
                big, small = value, partial
            else:
                big, small = partial, value
            value = big + small
            rest = small - (value - big)
            if rest != 0.0:
                kept[size] = rest
                size += 1
        if not np.isfinite(value):
            refused += 1
            continue
        if size == room:
            return i, refused
        partials[slot, :size] = kept[:size]
        partials[slot, size] = value
        sums[slot].used = size + 1
        sums[slot].readings += np.int64(window.count)
        sums[slot].datastreams += 1
        sums[slot].low = min(sums[slot].low, window.low)
        sums[slot].high = max(sums[slot].high, window.high)
        sums[slot].changed = 1
    return len(closed), refused


@compiled
def tell(sums: Records, partials: Partials, first: int, length: int, points: Records) -> int:
    """Write the ``POINT`` of each that has changed since the last time; how many."""
    count = 0
    for slot in range(len(sums)):
        if sums[slot].changed:
            sums[slot].changed = 0
            point = points[count]
            point.start = first + slot * length
            point.readings = sums[slot].readings
            point.mean = _rounded(partials[slot], sums[slot].used) / sums[slot].readings
            point.low = sums[slot].low
            point.high = sums[slot].high
            point.datastreams = sums[slot].datastreams
            count += 1
    return count


@compiled
def _rounded(partials: Floats, size: int) -> float:
    total = 0.0
    rest = 0.0
    i = size
    while i > 0 and rest == 0.0:
        i -= 1
        before = total
        total = before + partials[i]
        rest = partials[i] - (total - before)
    if i > 0 and rest != 0.0 and (rest < 0.0) == (partials[i - 1] < 0.0):
        # Exactly between two floats but for what is smaller still, which decides.
        twice = rest * 2.0
        other = total + twice
        if twice == other - total:
            total = other
    return total
