"""The regimes: what a datastream is like when nothing is wrong with it."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from benchmarks.series.model import Values
from benchmarks.series.parts import Parts
from benchmarks.series.shapes import autocorrelated, cycle, holding, humps, poisson, weekdays

DAY: Final = 86_400


class Plan(NamedTuple):
    """``rows`` of a datastream every ``interval`` s, from ``start`` s after a Monday's midnight."""

    rows: int
    interval: int
    start: int

    def phase(self, period: float) -> Values:
        """Periods (s) since that midnight, at each row."""
        return (self.start + self.interval * np.arange(self.rows)) / period


Random = np.random.Generator
Maker = Callable[[Random, Plan], Parts]


def _added(mean: Values, noise: Values) -> Values:
    return mean + noise


def _plain(rng: Random, plan: Plan, level: Values, noise: Values) -> Parts:
    """Around a level, with noise whose scale is its robust one."""
    scale = float(np.median(np.abs(noise - np.median(noise)))) / 0.6745
    where = float(10 ** rng.uniform(0, 3)) * scale
    unit = np.full(plan.rows, scale)
    return Parts(where + level, noise, unit, _added, plan.phase(DAY))


def constant(rng: Random, plan: Plan) -> Parts:
    """A level with noise, autocorrelated or not."""
    size = 10 ** rng.uniform(-2, 2)
    noise = size * autocorrelated(rng, plan.rows, rng.choice([0.0, 0.0, 0.5, 0.9]))
    return _plain(rng, plan, np.zeros(plan.rows), noise)


def walk(rng: Random, plan: Plan) -> Parts:
    """A random walk, drawn back to its level slowly or not at all; the unit is its step's."""
    steps = rng.normal(size=plan.rows)
    back = rng.choice([0.0, 0.002, 0.02])
    level = np.zeros(plan.rows)
    for row in range(1, plan.rows):
        level[row] = (1 - back) * level[row - 1] + steps[row]
    return _plain(rng, plan, level, 0.5 * rng.normal(size=plan.rows)).in_units(1.2)


def trend(rng: Random, plan: Plan) -> Parts:
    """A straight line with noise."""
    rise = rng.choice([-1, 1]) * rng.uniform(5, 60)
    return _plain(rng, plan, np.linspace(0, rise, plan.rows), autocorrelated(rng, plan.rows, 0.3))


def season(rng: Random, plan: Plan) -> Parts:
    """A usual day of any smooth shape."""
    parts = _plain(rng, plan, np.zeros(plan.rows), autocorrelated(rng, plan.rows, 0.4))
    return _daily(parts, cycle(rng, rng.uniform(3, 20)), plan)


def two_seasons(rng: Random, plan: Plan) -> Parts:
    """A usual day on a slow usual week."""
    parts = _plain(rng, plan, np.zeros(plan.rows), autocorrelated(rng, plan.rows, 0.3))
    week = cycle(rng, rng.uniform(2, 8))
    parts.level += week(plan.phase(7 * DAY))
    return _daily(parts, cycle(rng, rng.uniform(3, 15)), plan)


def week(rng: Random, plan: Plan) -> Parts:
    """Humps on working days, lower or none at the weekend."""
    parts = _plain(rng, plan, np.zeros(plan.rows), autocorrelated(rng, plan.rows, 0.2))
    return _daily(parts, weekdays(humps(rng, rng.uniform(5, 25)), rng.uniform(0, 0.6)), plan)


def machine(rng: Random, plan: Plan) -> Parts:
    """A short cycle, very regular."""
    parts = _plain(rng, plan, np.zeros(plan.rows), rng.normal(size=plan.rows))
    rows = int(rng.integers(20, 200))
    parts.phase = plan.phase(rows * plan.interval)
    parts.shape, parts.period = cycle(rng, rng.uniform(6, 30)), rows
    return parts


def bursts(rng: Random, plan: Plan) -> Parts:
    """Bursts that come and fade, as they usually do."""
    level = np.zeros(plan.rows)
    fade = rng.uniform(0.5, 0.9)
    often = rng.uniform(0.005, 0.03)
    height = rng.uniform(5, 20)
    coming = (rng.random(plan.rows) < often) * height * (0.5 + rng.gamma(3.0, 1 / 3, plan.rows))
    for row in range(1, plan.rows):
        level[row] = fade * level[row - 1] + coming[row]
    return _plain(rng, plan, level, rng.normal(size=plan.rows)).in_units(1 + height / 4)


def counts(rng: Random, plan: Plan) -> Parts:
    """Poisson counts, at a steady rate or with a usual day."""
    rate = 10 ** rng.uniform(0.3, 2.0)
    parts = _counted(rng, plan, np.full(plan.rows, rate))
    if rng.random() < 0.6:  # noqa: PLR2004 - three in five
        parts = _daily(parts, humps(rng, rate * rng.uniform(0.5, 3)), plan)
        assert parts.shape is not None
        parts.unit = np.sqrt(parts.level + parts.shape(parts.phase))
    return parts


def sparse_counts(rng: Random, plan: Plan) -> Parts:
    """Nothing mostly; counts now and then."""
    there = rng.random(plan.rows) < rng.uniform(0.03, 0.3)
    rate = rng.uniform(2, 15)
    parts = _counted(rng, plan, np.where(there, rate, 0.0))
    parts.unit = np.full(plan.rows, 1 + np.sqrt(rate))
    return parts


def _counted(rng: Random, plan: Plan, rate: Values) -> Parts:
    noise = rng.normal(size=plan.rows)
    return Parts(rate, noise, np.sqrt(rate + 1e-9), poisson, plan.phase(DAY))


def clipped(rng: Random, plan: Plan) -> Parts:
    """A usual day that runs into the upper limit, the lower, or both."""
    parts = season(rng, plan)
    values = parts.values()
    low, high = np.quantile(values, [rng.choice([0, 0.2]), rng.choice([0.7, 0.85])])
    parts.limit = lambda values: np.clip(values, low, high)
    return parts


def switched(rng: Random, plan: Plan) -> Parts:
    """On and off, for a while each."""
    step = rng.uniform(5, 40)
    level = step * holding(rng, plan.rows, rng.uniform(10, 80), rng.uniform(10, 80))
    return _plain(rng, plan, level, rng.normal(size=plan.rows)).in_units(1 + step / 4)


def heavy_tailed(rng: Random, plan: Plan) -> Parts:
    """Noise with outliers of its own."""
    if rng.random() < 0.5:  # noqa: PLR2004 - a half
        noise = rng.standard_t(rng.uniform(2.2, 4), plan.rows)
    else:
        noise = np.exp(rng.uniform(0.5, 1.0) * rng.normal(size=plan.rows))
    parts = _plain(rng, plan, np.zeros(plan.rows), noise)
    return parts.in_units(float(np.quantile(np.abs(noise - np.median(noise)), 0.95)) / 2)


def multiplied(rng: Random, plan: Plan) -> Parts:
    """A usual day of a positive quantity whose noise grows with it."""
    share = rng.uniform(0.05, 0.3)
    base = 10 ** rng.uniform(0, 3)
    noise = autocorrelated(rng, plan.rows, 0.3)

    def draw(mean: Values, noise: Values) -> Values:
        return mean * np.exp(share * noise)

    parts = Parts(np.full(plan.rows, base), noise, np.zeros(0), draw, plan.phase(DAY))
    parts = _daily(parts, humps(rng, base * rng.uniform(1, 6)), plan)
    assert parts.shape is not None
    parts.unit = share * (parts.level + parts.shape(parts.phase))
    return parts


def moved(rng: Random, plan: Plan) -> Parts:
    """A level, or a usual day, that moves elsewhere for good now and then."""
    parts = season(rng, plan) if rng.random() < 0.5 else constant(rng, plan)  # noqa: PLR2004
    rows = np.sort(rng.integers(plan.rows // 5, plan.rows, int(rng.integers(1, 4))))
    for row in rows:
        parts.level[row:] += rng.choice([-1, 1]) * rng.uniform(4, 20) * parts.unit[row]
    parts.changes = tuple(rows.tolist())
    return parts


def quantised(rng: Random, plan: Plan) -> Parts:
    """A slow quantity, read in coarse steps."""
    parts = season(rng, plan) if rng.random() < 0.5 else walk(rng, plan)  # noqa: PLR2004
    step = float(parts.unit[0]) * rng.uniform(1, 4)
    parts.limit = lambda values: step * np.round(values / step)
    return parts.in_units(step)


def sawtooth(rng: Random, plan: Plan) -> Parts:
    """What fills slowly and is emptied when it is full."""
    level = np.zeros(plan.rows)
    full = rng.uniform(10, 60)
    rate = full / rng.uniform(40, 300)
    now = 0.0
    for row in range(plan.rows):
        now = 0.0 if now > full else now + rate * rng.uniform(0.5, 1.5)
        level[row] = now
    return _plain(rng, plan, level, rng.normal(size=plan.rows))


def _daily(parts: Parts, shape: Callable[[Values], Values], plan: Plan) -> Parts:
    unit = 1.0 if parts.draw is not _added else float(np.median(parts.unit))
    parts.shape = lambda phase: unit * shape(phase)
    parts.period = DAY // plan.interval
    return parts


class Regime(NamedTuple):
    """``days``: fewest that a series must hold to show it (0: any length)."""

    make: Maker
    days: int


REGIMES: Final[Mapping[str, Regime]] = {
    "constant": Regime(constant, 0),
    "walk": Regime(walk, 0),
    "trend": Regime(trend, 0),
    "season": Regime(season, 7),
    "two seasons": Regime(two_seasons, 28),
    "week": Regime(week, 21),
    "machine": Regime(machine, 0),
    "bursts": Regime(bursts, 0),
    "counts": Regime(counts, 7),
    "sparse counts": Regime(sparse_counts, 0),
    "clipped": Regime(clipped, 7),
    "switched": Regime(switched, 0),
    "heavy-tailed": Regime(heavy_tailed, 0),
    "multiplied": Regime(multiplied, 7),
    "moved": Regime(moved, 7),
    "quantised": Regime(quantised, 7),
    "sawtooth": Regime(sawtooth, 0),
}
