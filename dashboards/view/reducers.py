"""One value for a whole field: Grafana's calculations (``lastNotNull``, ``mean``, ``p95`` ...)."""

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from citynerve.errors import ConfigError
from dashboards.view.frames import Value

_PERCENTILE: Final = re.compile(r"^p(\d{1,2})$")


def reduced(values: Sequence[Value], calc: str) -> Value:
    """The calculation ``calc`` over a field's values; None where it has no result.

    Raises:
        ConfigError: There is no such calculation.
    """
    percentile = _PERCENTILE.match(calc)
    if percentile:
        return _percentile(_numbers(values), int(percentile[1]) / 100)
    try:
        return _CALCS[calc](values)
    except KeyError:
        raise ConfigError(
            "a calculation that the local view does not know",
            key="calcs",
            value=calc,
            fix=f"use one of {', '.join(_CALCS)}, p1 to p99",
        ) from None


def label(calc: str) -> str:
    """What Grafana calls a calculation in legends and tables, in English."""
    percentile = _PERCENTILE.match(calc)
    if percentile:
        return f"{percentile[1]}th %"
    return _LABELS.get(calc, calc)


def _numbers(values: Sequence[Value]) -> list[float]:
    return [
        value
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN
    ]


def _there(values: Sequence[Value]) -> list[Value]:
    return [value for value in values if value is not None]


def _over_numbers(calc: Callable[[list[float]], float]) -> Callable[[Sequence[Value]], Value]:
    def run(values: Sequence[Value]) -> Value:
        numbers = _numbers(values)
        return calc(numbers) if numbers else None

    return run


def _mean(numbers: list[float]) -> float:
    return math.fsum(numbers) / len(numbers)


def _median(numbers: list[float]) -> float:
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _variance(numbers: list[float]) -> float:
    mean = _mean(numbers)
    return math.fsum((number - mean) ** 2 for number in numbers) / len(numbers)


def _delta(numbers: list[float]) -> float:
    """How far a counter has run, whatever resets it had."""
    total, rising = 0.0, True
    for place, (before, now) in enumerate(pairwise(numbers), 2):
        if before > now:
            rising = False
            total += now if place == len(numbers) else 0.0
        else:
            total += now - before if rising else now
            rising = True
    return total


def _step(numbers: list[float]) -> float | None:
    steps = [now - before for before, now in pairwise(numbers)]
    return min(steps) if steps else None


def _diff(values: Sequence[Value]) -> Value:
    numbers = _numbers(values)
    return numbers[-1] - numbers[0] if numbers else None


def _diff_percent(values: Sequence[Value]) -> Value:
    numbers = _numbers(values)
    return (numbers[-1] - numbers[0]) / numbers[0] if numbers and numbers[0] else None


def _changes(values: Sequence[Value]) -> Value:
    return sum(before != now for before, now in pairwise(values))


def _percentile(numbers: list[float], part: float) -> Value:
    ordered = sorted(numbers)
    return ordered[math.floor((len(ordered) - 1) * part + 0.5)] if ordered else None


def _above_zero(numbers: list[float]) -> float | None:
    return min((number for number in numbers if number > 0), default=None)


_CALCS: Final[dict[str, Callable[[Sequence[Value]], Value]]] = {
    "lastNotNull": lambda values: next((v for v in reversed(values) if v is not None), None),
    "last": lambda values: values[-1] if values else None,
    "firstNotNull": lambda values: next((v for v in values if v is not None), None),
    "first": lambda values: values[0] if values else None,
    "min": _over_numbers(min),
    "max": _over_numbers(max),
    "mean": _over_numbers(_mean),
    "median": _over_numbers(_median),
    "sum": lambda values: math.fsum(_numbers(values)),
    "count": len,
    "range": _over_numbers(lambda numbers: max(numbers) - min(numbers)),
    "diff": _diff,
    "diffperc": _diff_percent,
    "delta": lambda values: _delta(_numbers(values)),
    "step": lambda values: _step(_numbers(values)),
    "logmin": lambda values: _above_zero(_numbers(values)),
    "variance": _over_numbers(_variance),
    "stdDev": _over_numbers(lambda numbers: math.sqrt(_variance(numbers))),
    "changeCount": _changes,
    "distinctCount": lambda values: len(set(values)),
    "allIsNull": lambda values: not _there(values),
    "allIsZero": lambda values: bool(_there(values)) and not any(_there(values)),
}

_LABELS: Final = {
    "lastNotNull": "Last *",
    "last": "Last",
    "firstNotNull": "First *",
    "first": "First",
    "min": "Min",
    "max": "Max",
    "mean": "Mean",
    "median": "Median",
    "sum": "Total",
    "count": "Count",
    "range": "Range",
    "diff": "Difference",
    "diffperc": "Difference percent",
    "delta": "Delta",
    "step": "Step",
    "logmin": "Min (above zero)",
    "variance": "Variance",
    "stdDev": "StdDev",
    "changeCount": "Change Count",
    "distinctCount": "Distinct Count",
    "allIsNull": "All Nulls",
    "allIsZero": "All Zeros",
}
