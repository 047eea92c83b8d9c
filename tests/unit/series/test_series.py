"""Labelled series: the truth about them is true."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.series import DEVELOPMENT, HELD_OUT, Series, series
from benchmarks.series.faults import KINDS, ON_PARTS, Fault
from benchmarks.series.parts import Parts
from benchmarks.series.regimes import REGIMES
from benchmarks.series.shapes import poisson

SOME = [*DEVELOPMENT[:102], *HELD_OUT[:34]]


@pytest.fixture(scope="module")
def made() -> list[Series]:
    return [series(seed) for seed in SOME]


def clean_at(one: Series) -> NDArray[np.float64]:
    """What the clean series says at each reading; every reading is one of the clean series."""
    rows = np.searchsorted(one.clean_times, one.times)
    assert np.array_equal(one.clean_times[rows], one.times)
    return one.clean_values[rows]


def test_development_and_held_out_seeds_share_none_and_hold_each_regime_as_often() -> None:
    assert not set(DEVELOPMENT) & set(HELD_OUT)
    for seeds in (DEVELOPMENT, HELD_OUT):
        often = Counter(seed % len(REGIMES) for seed in seeds)
        assert len(often) == len(REGIMES)
        assert len(set(often.values())) == 1


def test_a_seed_gives_the_same_series_again(made: list[Series]) -> None:
    for one in made[:17]:
        again = series(one.seed)
        assert np.array_equal(one.values, again.values)
        assert np.array_equal(one.times, again.times)
        assert one.windows == again.windows


def test_no_series_is_another_ones_copy(made: list[Series]) -> None:
    assert len({one.values.tobytes() for one in made}) == len(made)


def test_times_rise_and_values_are_numbers(made: list[Series]) -> None:
    for one in made:
        assert len(one.times) == len(one.values)
        assert np.all(np.diff(one.times) > 0)
        assert np.isfinite(one.values).all()
        assert 600 <= len(one.clean_values) <= 20_000
        assert 10 <= one.interval <= 3600


def test_windows_hold_every_difference_and_begin_and_end_with_one(made: list[Series]) -> None:
    seen: Counter[str] = Counter()
    for one in made:
        differs = one.values != clean_at(one)
        missing = np.setdiff1d(one.clean_times, one.times)
        covered = np.zeros(len(differs), np.bool_)
        for window in one.windows:
            seen[window.kind] += 1
            assert 0 <= window.start <= window.end < len(differs)
            assert not covered[window.start : window.end + 1].any()
            covered[window.start : window.end + 1] = True
            if window.kind == "gap":
                before, after = one.times[window.start - 1], one.times[window.start]
                taken = (missing > before) & (missing < after)
                assert taken.any()
                missing = missing[~taken]
            else:
                assert differs[window.start]
                assert differs[window.end]
        assert not differs[~covered].any()
        assert not len(missing)
    assert set(seen) == set(KINDS)


def test_neutral_spans_lie_outside_of_windows(made: list[Series]) -> None:
    for one in made:
        if one.regime == "moved":
            continue
        for first, last in one.neutral:
            assert all(last < w.start or first > w.end for w in one.windows)


def measured_unit(one: Series) -> float:
    """The robust deviation of a constant datastream's readings."""
    clean = one.clean_values
    return 1.4826 * float(np.median(np.abs(clean - np.median(clean))))


def of_regime(regime: str, count: int) -> list[Series]:
    first = list(REGIMES).index(regime)
    return [series(seed) for seed in DEVELOPMENT[first :: len(REGIMES)][:count]]


def test_shifts_and_spikes_are_as_large_as_they_say() -> None:
    checked = 0
    for one in of_regime("constant", 30):
        off = one.values - clean_at(one)
        for window in one.windows:
            if window.kind not in {"level shift", "spike", "dip"}:
                continue
            inside = off[window.start : window.end + 1] / measured_unit(one)
            assert np.allclose(np.abs(inside), window.size, rtol=0.02)
            assert window.kind != "spike" or inside[0] > 0
            assert window.kind != "dip" or inside[0] < 0
            checked += 1
    assert checked > 5


def test_a_trend_ends_and_a_burst_peaks_at_what_they_say() -> None:
    checked: Counter[str] = Counter()
    for one in of_regime("constant", 30):
        off = np.abs(one.values - clean_at(one)) / measured_unit(one)
        for window in one.windows:
            inside = off[window.start : window.end + 1]
            if window.kind == "trend change" and one.sampling in {"regular", "jittered"}:
                assert inside[-1] == pytest.approx(window.size, rel=0.02)
                assert np.allclose(np.diff(inside), window.size / len(inside), rtol=0.02)
                checked["trend"] += 1
            if window.kind == "burst" and one.sampling in {"regular", "jittered"}:
                assert inside[inside > 1e-9].mean() == pytest.approx(window.size, rel=0.02)
                checked["burst"] += 1
    assert checked["trend"] > 1
    assert checked["burst"] > 1


def test_a_change_of_variance_multiplies_the_noise() -> None:
    checked = 0
    for one in of_regime("constant", 30):
        clean = clean_at(one)
        for window in one.windows:
            if window.kind == "variance change":
                inside = slice(window.start, window.end + 1)
                factor = np.std(one.values[inside]) / np.std(clean[inside])
                assert factor == pytest.approx(window.size, rel=0.02)
                checked += 1
    assert checked > 2


def test_flatlines_stand_still_for_longer_than_is_usual() -> None:
    checked = 0
    for seed in DEVELOPMENT[:204]:
        one = series(seed)
        longest = longest_run(one.clean_values)
        for window in one.windows:
            if window.kind == "flatline":
                inside = one.values[window.start : window.end + 1]
                assert np.all(inside == inside[0])
                # A thinned series has fewer rows in it than were planned.
                assert len(inside) > 0.5 * longest
                checked += 1
    assert checked > 5


def longest_run(values: NDArray[np.float64]) -> int:
    longest = run = 1
    for before, now in zip(values[:-1].tolist(), values[1:].tolist(), strict=True):
        run = run + 1 if now == before else 1
        longest = max(longest, run)
    return longest


def a_day() -> Parts:
    rows = 480
    phase = np.arange(rows) / 48
    return Parts(
        level=np.full(rows, 100.0),
        noise=np.zeros(rows),
        unit=np.ones(rows),
        draw=lambda mean, noise: mean + noise,
        phase=phase,
        shape=lambda phase: 10 * np.sin(2 * np.pi * phase),
        period=48,
    )


def applied(kind: str, size: float, start: int, stop: int) -> NDArray[np.float64]:
    parts = a_day()
    ON_PARTS[kind](parts, Fault(kind, start, stop, size, 0, 1), np.random.default_rng(0))
    return parts.values()


def test_a_season_that_is_missing_leaves_the_level() -> None:
    inside = applied("season break", 0.8, 96, 144)[96:144]
    assert inside.max() == pytest.approx(102.0)
    assert inside.min() == pytest.approx(98.0)


def test_a_frequency_change_has_more_periods_in_the_same_rows() -> None:
    values = applied("frequency change", 3.0, 96, 192)
    rising = (values[96:191] < 100) & (values[97:192] >= 100)
    assert np.count_nonzero(rising) in {5, 6}
    assert np.array_equal(values[:96], a_day().values()[:96])
    assert np.array_equal(values[192:], a_day().values()[192:])


def test_a_broken_pattern_has_the_same_values_in_another_order() -> None:
    values = applied("pattern break", 1, 96, 144)[96:144]
    usual = a_day().values()[96:144]
    assert np.allclose(np.sort(values), np.sort(usual))
    assert not np.allclose(values, usual)


@pytest.mark.parametrize("rate", [0.3, 4.0, 60.0, 500.0])
def test_counts_have_the_mean_and_the_variance_of_their_rate(rate: float) -> None:
    rows = 20_000
    noise = np.random.default_rng(3).normal(size=rows)
    counts = poisson(np.full(rows, rate), noise)
    assert np.array_equal(counts, np.round(counts))
    error = np.sqrt(rate / rows)
    assert counts.mean() == pytest.approx(rate, abs=4 * error)
    assert counts.var() == pytest.approx(rate, rel=0.06)
