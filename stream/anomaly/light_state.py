"""What the light detector holds of a datastream, and its rules."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.void]
KINDS: Final = ("spike", "range", "flatline", "gap", "level shift", "trend", "variance")
SPIKE, RANGE, FLATLINE, GAP, LEVEL_SHIFT, TREND, VARIANCE = range(7)
LASTING: Final = 3
"""The last three are found by running means, in this order."""

STATE: Final = np.dtype(
    [
        ("last_time", "i8"),
        ("last_value", "f8"),
        ("run_since", "i8"),
        ("opened", "i8", (2,)),
        ("worst", "f8", (2,)),
        ("peak", "f4", (3,)),
        ("expected", "f4"),
        ("low", "f4"),
        ("high", "f4"),
        ("level", "f4"),
        ("spread", "f4"),
        ("tail", "f4"),
        ("interval", "f4"),
        ("longest_gap", "f4"),
        ("longest_run", "f4"),
        ("count", "u4"),
        ("hour_level", "f4", (24,)),
        ("hour_spread", "f4", (24,)),
        ("hour_count", "u2", (24,)),
        ("flat", "u1"),
        ("runs", "u1"),
        ("run_count", "u1"),
        ("lasting", "u1"),
        ("lasting_opened", "i8"),
        ("lasting_peak", "f4"),
        ("means", "f4", (LASTING,)),
        ("usual_means", "f4", (LASTING,)),
        ("spare", "u1", (4,)),
    ],
    align=True,
)
"""One datastream, times in ms (-1: none). ``opened`` and ``worst`` (the value at the peak) are a
spike's and a range anomaly's; ``expected``, ``low``, ``high`` belong to the spike's worst.
``flat``: a flatline is open, since ``run_since``. ``runs`` and ``run_count`` stop at what is asked
of them. ``lasting``: which of the running ``means`` opened the anomaly that is open since
``lasting_opened``; ``usual_means``: their usual extremes, in their limits. ``spare`` leaves no gap,
whose bytes would be anything."""

RULES: Final = np.dtype(
    [
        ("spike", "u1"),
        ("still_at_zero", "u1"),
        ("warm_up", "u4"),
        ("threshold", "f8"),
        ("least", "f8"),
        ("flatline", "f8"),
        ("gap", "f8"),
        ("low", "f8"),
        ("high", "f8"),
    ],
    align=True,
)

_FIRST_BYTES: Final = 360
"""Of a record before lasting changes were watched; the fields of today's that it had come first."""
_FIRST_USED: Final = 351


def blank(rows: int) -> Records:
    """Records of datastreams that have not been heard of."""
    state = np.zeros(rows, STATE)
    state["opened"] = -1
    state["last_time"] = -1
    state["lasting_opened"] = -1
    return state


def upgrade(state: bytes) -> bytes:
    """A snapshot of the records before lasting changes were watched, as one of today's."""
    old = np.frombuffer(state, np.uint8).reshape(-1, _FIRST_BYTES)
    new = blank(len(old))
    new.view(np.uint8).reshape(len(old), -1)[:, :_FIRST_USED] = old[:, :_FIRST_USED]
    return new.tobytes()
