"""The anomalies: what each kind does to a datastream, and how large it is.

Sizes of ``spike``, ``dip``, ``level shift``, ``trend change`` (at its end) and ``burst`` (the mean
of its peaks) are in the datastream's units (its usual deviation there); ``variance change`` is a
factor on the noise, ``season break`` the share of the swing that is missing, ``frequency change`` a
factor on the speed; ``flatline`` (beyond twice the longest usual
run) and ``gap`` are rows, ``pattern break`` periods, and
``out of range`` the spans of the whole series by which it lies outside of them.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from benchmarks.series.model import Values
from benchmarks.series.parts import Parts

Random = np.random.Generator


class Fault(NamedTuple):
    """An anomaly to come: rows ``start`` to ``stop`` (not included), of a ``size``."""

    kind: str
    start: int
    stop: int
    size: float
    grade: int
    sign: int


def _unit(parts: Parts, fault: Fault) -> float:
    return float(np.median(parts.unit[fault.start : fault.stop]))


def _shift(parts: Parts, fault: Fault, _: Random) -> None:
    parts.level[fault.start : fault.stop] += fault.sign * fault.size * _unit(parts, fault)


def _trend(parts: Parts, fault: Fault, _: Random) -> None:
    rows = fault.stop - fault.start
    ramp = np.arange(1, rows + 1) / rows
    parts.level[fault.start : fault.stop] += fault.sign * fault.size * _unit(parts, fault) * ramp


def _burst(parts: Parts, fault: Fault, rng: Random) -> None:
    rows = fault.stop - fault.start
    peaks = rng.random(rows) < 0.5  # noqa: PLR2004 - every other row
    peaks[0] = peaks[-1] = True
    height = rng.uniform(0.5, 1.5, rows) * peaks
    height *= fault.size * peaks.sum() / height.sum()
    parts.level[fault.start : fault.stop] += fault.sign * height * _unit(parts, fault)


def _variance(parts: Parts, fault: Fault, _: Random) -> None:
    parts.loudness[fault.start : fault.stop] *= fault.size


def _season(parts: Parts, fault: Fault, _: Random) -> None:
    parts.swing[fault.start : fault.stop] *= 1 - fault.size


def _frequency(parts: Parts, fault: Fault, _: Random) -> None:
    inside = slice(fault.start, fault.stop)
    first = parts.phase[fault.start]
    parts.phase[inside] = first + (parts.phase[inside] - first) * fault.size


def _pattern(parts: Parts, fault: Fault, _: Random) -> None:
    """The season runs backwards: the same values at the wrong times."""
    parts.phase[fault.start : fault.stop] = parts.phase[fault.start : fault.stop][::-1].copy()


def _flatline(values: Values, fault: Fault) -> None:
    values[fault.start : fault.stop] = values[fault.start - 1]


def _range(values: Values, fault: Fault) -> None:
    low, high = float(values.min()), float(values.max())
    beyond = fault.size * (high - low)
    values[fault.start : fault.stop] = high + beyond if fault.sign > 0 else low - beyond


FLATLINE: Final = "flatline"
GAP: Final = "gap"

ON_PARTS: Final[Mapping[str, Callable[[Parts, Fault, Random], None]]] = {
    "spike": _shift,
    "dip": _shift,
    "level shift": _shift,
    "trend change": _trend,
    "variance change": _variance,
    "pattern break": _pattern,
    "season break": _season,
    "frequency change": _frequency,
    "burst": _burst,
}
ON_VALUES: Final[Mapping[str, Callable[[Values, Fault], None]]] = {
    FLATLINE: _flatline,
    "out of range": _range,
}
KINDS: Final = (*ON_PARTS, *ON_VALUES, GAP)

_SIZES: Final[Mapping[str, tuple[float, float, float]]] = {
    "spike": (5, 8, 14),
    "dip": (5, 8, 14),
    "level shift": (2, 4, 8),
    "trend change": (3, 6, 12),
    "variance change": (2.5, 4, 8),
    "pattern break": (1, 1, 2),
    "season break": (0.5, 0.8, 1.0),
    "frequency change": (1.4, 2.0, 3.0),
    "burst": (4, 7, 12),
    FLATLINE: (30, 60, 150),
    "out of range": (0.3, 1.0, 4.0),
    GAP: (20, 60, 200),
}
_SEASONAL: Final = ("pattern break", "season break", "frequency change")
_SHORT: Final = ("spike", "dip", "out of range")


def possible(parts: Parts) -> tuple[str, ...]:
    """The kinds that such a datastream can have."""
    return tuple(kind for kind in KINDS if parts.period or kind not in _SEASONAL)


def plan(rng: Random, kind: str, grade: int, parts: Parts) -> Fault:
    """A fault of that kind, at row 0: how long it lasts, how large it is."""
    rows = len(parts.level)
    size = float(_SIZES[kind][grade])
    periods = {"season break": 1, "frequency change": 2, "pattern break": int(size)}
    if kind in periods:
        last = periods[kind] * parts.period
    elif kind in {FLATLINE, GAP}:
        last = int(size)
    elif kind in _SHORT:
        last = int(rng.integers(1, 4))
    elif kind == "burst":
        last = int(rng.integers(4, 25))
    else:
        last = int(rng.integers(25, max(50, rows // 25)))
    sign = {"spike": 1, "dip": -1}.get(kind, int(rng.choice([-1, 1])))
    return Fault(kind, 0, last, size, grade, sign)
