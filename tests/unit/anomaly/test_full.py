"""The full detector: causal, the same in any grouping, safe with any values, and not blind."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stream.anomaly.detector import CLOSE, OPEN, Reading
from stream.anomaly.full import SHIPPED, Full
from stream.anomaly.full_state import size
from stream.anomaly.light import STATE as LIGHT_STATE
from stream.scenario import FullDetector, NoDetector, Property

MINUTE = 60_000
DAY = 86_400_000
T0 = 1_700_006_400_000  # midnight UTC
YEAR = 365 * DAY
RULES = Property(detector=FullDetector(threshold=0.5, warm_up=100))
Values = NDArray[np.float64]
Found = NDArray[np.void]


def detector(rules: Property = RULES, limits: tuple[float, float] | None = None) -> Full:
    made = Full()
    made.grow(1)
    made.configure(0, rules, limits)
    return made


def at(rows: int, step: int = 5 * MINUTE) -> NDArray[np.int64]:
    return T0 + step * np.arange(rows, dtype=np.int64)


def observe(made: Full, times: NDArray[np.int64], values: Values) -> Found:
    rows = len(times)
    return made.observe(Reading(np.zeros(rows, np.int32), times, values, np.ones(rows, np.uint8)))


def usual(days: int = 14, seed: int = 1) -> Values:
    """A daily wave of 20 about 50 with noise of 2, every 5 minutes."""
    rows = days * 288
    noise = np.random.default_rng(seed).normal(0, 2, rows)
    wave: Values = 50 + 20 * np.sin(2 * np.pi * np.arange(rows) / 288) + noise
    return wave


def opened(found: Found) -> list[str]:
    return [Full.kinds[f["kind"]] for f in found if f["phase"] == OPEN]


def test_it_is_quiet_where_nothing_is_wrong() -> None:
    alarms = [len(opened(observe(detector(), at(28 * 288), usual(28, seed)))) for seed in range(10)]
    rows = 10 * 28 * 288
    assert sum(alarms) / rows < 1e-3


def test_a_spike_opens_where_it_is_and_tells_what_was_seen_before() -> None:
    values = usual()
    row = len(values) - 200
    before = values[row]
    values[row] += 80
    found = observe(detector(), at(len(values)), values)
    spikes = found[(found["at"] == at(len(values))[row]) & (found["phase"] == OPEN)]
    assert [Full.kinds[kind] for kind in spikes["kind"]] == ["spike"]
    (spike,) = spikes
    assert spike["opened"] == spike["at"]
    assert spike["value"] == values[row]
    assert spike["low"] <= spike["expected"] <= spike["high"] < spike["value"]
    # What is expected was seen just before, or lies about the daily wave's middle.
    assert min(abs(spike["expected"] - before), abs(spike["expected"] - 50)) < 15
    assert spike["score"] >= 1
    after = found[(found["phase"] == CLOSE) & (found["opened"] == spike["opened"])]
    assert len(after) == 1


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda part: part + 60, {"spike", "level shift", "trend"}),
        (lambda part: np.full_like(part, part[0]) + np.arange(len(part)) * 0.6, None),
        (lambda part: 50 + (part - 50) * 4, None),
        (lambda part: part[::-1] * 0 + 30 + 2 * np.sin(np.arange(len(part))), None),
    ],
    ids=["level", "ramp", "swing", "no season"],
)
def test_what_changes_for_a_while_is_found(change: object, kinds: set[str] | None) -> None:
    assert callable(change)
    values = usual(21)
    first, last = 16 * 288, 16 * 288 + 200
    values[first:last] = change(values[first:last])
    times = at(len(values))
    found = observe(detector(), times, values)
    inside = found[(found["at"] >= times[first]) & (found["at"] < times[last])]
    assert opened(inside)
    if kinds:
        assert set(opened(inside)) <= kinds


def test_the_future_of_a_series_changes_nothing_before() -> None:
    values = usual()
    changed = values.copy()
    cut = 2500
    changed[cut:] = np.random.default_rng(9).normal(500, 300, len(values) - cut)
    times = at(len(values))
    one, other = observe(detector(), times, values), observe(detector(), times, changed)
    before = one[one["at"] < times[cut]], other[other["at"] < times[cut]]
    assert before[0].tobytes() == before[1].tobytes()


NUMBER = st.one_of(
    st.floats(-100, 400),
    st.floats(width=64),
    st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1e300, -1e300, 1e30, math.nan, math.inf]),
)


@settings(max_examples=60)
@given(
    values=st.lists(NUMBER, min_size=0, max_size=250),
    repeated=st.integers(1, 3),
    steps=st.lists(st.sampled_from([1, 1000, MINUTE, DAY, YEAR]), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 750), max_size=4),
    seed=st.integers(0, 5),
)
def test_any_values_in_any_grouping_give_the_same_findings_and_state(
    values: list[float], repeated: int, steps: list[int], cuts: list[int], seed: int
) -> None:
    # Behind a usual start, so that records are there to be hurt.
    all_values = np.concatenate([usual(1, seed), np.repeat(np.array(values, float), repeated)])
    rows = len(all_values)
    times = T0 + np.cumsum(np.resize(np.array(steps, np.int64), rows))
    whole = detector()
    found = observe(whole, times, all_values)
    resumed = detector()
    parts = []
    ends = sorted({min(cut, rows) for cut in cuts} | {0, rows})
    for first, last in pairwise(ends):
        parts.append(observe(resumed, times[first:last], all_values[first:last]))
        state = resumed.snapshot(1)
        resumed = Full()
        resumed.restore(state)
        resumed.configure(0, RULES, None)
    assert found.tobytes() == b"".join(part.tobytes() for part in parts)
    assert whole.snapshot(1) == resumed.snapshot(1)
    for name in ("value", "expected", "score"):
        assert np.isfinite(found[name]).all()
    assert (found["score"] >= 1).all()
    life = [(f["phase"], f["opened"]) for f in found]
    now = None
    for phase, began in life:
        if phase == OPEN:
            assert now is None
            now = began
        assert began == now
        if phase == CLOSE:
            now = None


def test_constant_values_are_usual() -> None:
    for constant in (0.0, 953.0, 1e-9, -1e29):
        assert len(observe(detector(), at(5000), np.full(5000, constant))) == 0


@pytest.mark.parametrize("factor", [1e-6, 1e6, 1e20])
def test_a_unit_does_not_matter(factor: float) -> None:
    values = usual()
    values[3000] += 80
    times = at(len(values))
    plain = observe(detector(), times, values)
    other = observe(detector(), times, values * factor)
    assert (plain["at"] == other["at"]).all()
    assert (plain["kind"] == other["kind"]).all()
    assert other["value"] == pytest.approx(plain["value"] * factor, rel=1e-3)


def test_a_gap_of_a_year_is_survived() -> None:
    times = at(2 * 14 * 288)
    times[len(times) // 2 :] += YEAR
    values = np.concatenate([usual(seed=1), usual(seed=2)])
    found = observe(detector(), times, values)
    assert len(opened(found)) < 10


def test_rules_say_when_it_speaks() -> None:
    values = usual()
    values[3000] += 80
    times = at(len(values))
    silent = Property(detector=FullDetector(threshold=0.5, least=1000.0))
    late = Property(detector=FullDetector(threshold=0.5, warm_up=10_000))
    for rules in (silent, late, Property(detector=NoDetector())):
        assert len(observe(detector(rules), times, values)) == 0
    strict = opened(
        observe(detector(Property(detector=FullDetector(threshold=6.0))), times, values)
    )
    assert len(strict) <= len(opened(observe(detector(), times, values)))
    limits = (0.0, 100.0)
    values[3000] = 101.0
    with_it = detector(RULES, limits)
    found = observe(with_it, times, values)
    without = observe(detector(RULES, limits), np.delete(times, 3000), np.delete(values, 3000))
    assert found.tobytes() == without.tobytes()


def test_unusable_readings_are_not_seen() -> None:
    made = detector()
    before = made.snapshot(1)
    reading = Reading(np.zeros(1, np.int32), at(1), np.ones(1), np.zeros(1, np.uint8))
    assert len(made.observe(reading)) == 0
    assert made.snapshot(1) == before


def test_a_datastream_takes_less_than_4_kib_with_the_light_detector_beside_it() -> None:
    made = detector()
    assert len(made.snapshot(1)) == size(SHIPPED)
    assert size(SHIPPED) + LIGHT_STATE.itemsize + 4 <= 4096


def test_state_has_no_gaps_whose_bytes_would_be_anything() -> None:
    assert detector().snapshot(1) == detector().snapshot(1)
    values = usual(3)
    one, other = detector(), detector()
    observe(one, at(len(values)), values)
    observe(other, at(len(values)), values)
    assert one.snapshot(1) == other.snapshot(1)
