"""Shapes and noises that regimes are made of."""

import math
from collections.abc import Callable

import numpy as np

from benchmarks.series.model import Values

Random = np.random.Generator
Shape = Callable[[Values], Values]


def autocorrelated(rng: Random, rows: int, share: float) -> Values:
    """Normal noise of variance 1, of which each row keeps ``share`` of the one before."""
    fresh = rng.normal(size=rows)
    if not share:
        return fresh
    noise = np.empty(rows)
    noise[0] = fresh[0]
    left = math.sqrt(1 - share * share)
    for row in range(1, rows):
        noise[row] = share * noise[row - 1] + left * fresh[row]
    return noise


def cycle(rng: Random, swing: float) -> Shape:
    """A smooth shape of a few harmonics, ``swing`` from its lowest to its highest."""
    order = np.arange(1, 5)
    amplitude = rng.normal(size=4) / order**1.5
    amplitude[0] = rng.choice([-1, 1]) * rng.uniform(0.7, 1.5)
    shift = rng.uniform(0, 1, 4)

    def plain(phase: Values) -> Values:
        waves = np.sin(2 * np.pi * (phase[:, None] * order + shift))
        return np.asarray(waves @ amplitude)

    drawn = plain(np.linspace(0, 1, 1000))
    low, high = float(drawn.min()), float(drawn.max())
    return lambda phase: swing * (plain(phase) - low) / (high - low)


def humps(rng: Random, height: float) -> Shape:
    """Nothing at night; one hump or two by day."""
    peaks = [rng.uniform(0.3, 0.7)] if rng.random() < 0.5 else [0.34, 0.7]  # noqa: PLR2004
    width = rng.uniform(0.04, 0.09)
    share = rng.uniform(0.6, 1.0, len(peaks))

    def shape(phase: Values) -> Values:
        hour = phase % 1.0
        total = np.zeros(len(phase))
        for peak, part in zip(peaks, share, strict=True):
            total += part * np.exp(-0.5 * ((hour - peak) / width) ** 2)
        return height * total

    return shape


def weekdays(day: Shape, weekend: float) -> Shape:
    """``day`` on working days, ``weekend`` times it on the sixth and seventh."""

    def shape(phase: Values) -> Values:
        free = np.floor(phase) % 7 >= 5  # noqa: PLR2004 - Saturday and Sunday
        return day(phase) * np.where(free, weekend, 1.0)

    return shape


def holding(rng: Random, rows: int, on: float, off: float) -> Values:
    """1 and 0 in turn, each held for ``on`` and ``off`` rows on average."""
    state = np.zeros(rows)
    row, up = 0, False
    while row < rows:
        hold = 3 + int(rng.exponential(on if up else off))
        state[row : row + hold] = up
        row, up = row + hold, not up
    return state


def poisson(rate: Values, noise: Values) -> Values:
    """Counts of the given rates: the Poisson quantiles of the noise's normal ranks.

    So the same noise gives the same counts wherever the rate is the same.
    """
    rate = np.maximum(rate, 0.0)
    rank = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in noise])
    rank = np.minimum(rank, 1 - 1e-12)
    count = np.zeros(len(rate))
    # The normal approximation is good to less than a count at these rates.
    many = rate > 200  # noqa: PLR2004
    count[many] = np.maximum(np.round(rate + noise * np.sqrt(rate)), 0)[many]
    term = np.exp(-np.where(many, 0.0, rate))
    total = term.copy()
    k = 0
    while True:
        short = ~many & (total < rank)
        if not short.any():
            return count
        k += 1
        term = term * rate / k
        total += term
        count[short] = k
        if k > 1000:  # noqa: PLR2004 - rounding keeps the last ranks from being reached
            return count
