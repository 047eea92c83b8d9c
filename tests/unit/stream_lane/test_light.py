"""The light detector on signals whose faults are known."""

import math
import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from stream.anomaly.detector import CLOSE, FINDING, OPEN, UPDATE, Reading
from stream.anomaly.light import KINDS, STATE, Light, upgrade
from stream.scenario import LightDetector, NoDetector, Property

MINUTE = 60_000
DAY = 86_400_000
T0 = 1_700_006_400_000  # midnight UTC
Findings = list[dict[str, float]]


WATCHED = LightDetector(threshold=8.0, least=10.0, flatline="2h", gap="30m")
STILL = structs.replace(WATCHED, spike=False)


def detector(
    rules: LightDetector = WATCHED, limits: tuple[float, float] | None = (-50.0, 300.0)
) -> Light:
    made = Light()
    made.grow(1)
    made.configure(0, Property(detector=rules), limits)
    return made


def observe(made: Light, times: Sequence[int], values: Sequence[float], row: int = 0) -> Findings:
    size = len(times)
    found = made.observe(
        Reading(
            np.full(size, row, np.int32),
            np.array(times, np.int64),
            np.array(values, np.float64),
            np.ones(size, np.uint8),
        )
    )
    return [dict(zip(FINDING.names or (), record, strict=True)) for record in found.tolist()]


def kinds(findings: Findings, phase: int = CLOSE) -> list[str]:
    return [KINDS[int(f["kind"])] for f in findings if f["phase"] == phase]


def days(count: float, step: int = 5 * MINUTE, seed: int = 1) -> tuple[list[int], list[float]]:
    """A daily wave from 30 to 70 with noise of 2."""
    draw = random.Random(seed)
    times = [T0 + i * step for i in range(int(count * DAY / step))]
    wave = [50 + 20 * math.sin(2 * math.pi * t / DAY) for t in times]
    return times, [round(level + draw.gauss(0, 2), 2) for level in wave]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    for seed in range(20):
        assert observe(detector(), *days(14, seed=seed)) == []


def test_a_spike_opens_and_closes_once_and_tells_what_was_expected() -> None:
    times, values = days(7)
    at = len(times) - 100
    values[at] += 60
    opened, closed = observe(detector(), times, values)
    assert (opened["phase"], closed["phase"]) == (OPEN, CLOSE)
    assert opened["opened"] == closed["opened"] == opened["at"] == times[at]
    assert closed["at"] == times[at + 1]
    assert opened["value"] == closed["value"] == values[at]
    assert opened["expected"] == pytest.approx(values[at] - 60, abs=8)
    assert opened["low"] < values[at] - 60 < opened["high"] < values[at]
    assert opened["score"] > 1


def test_a_spike_that_gets_worse_is_updated_and_keeps_its_opening() -> None:
    times, values = days(7)
    at = len(times) - 100
    values[at : at + 3] = [150.0, 155.0, 250.0]
    opened, update, closed = observe(detector(), times, values)
    assert [f["phase"] for f in (opened, update, closed)] == [OPEN, UPDATE, CLOSE]
    assert {f["opened"] for f in (opened, update, closed)} == {times[at]}
    assert update["value"] == closed["value"] == 250


def test_what_is_usual_at_noon_is_not_at_midnight() -> None:
    times, values = days(14)
    low = next(i for i in range(len(times) - 250, len(times)) if times[i] % DAY == DAY * 3 // 4)
    values[low] = 70.0
    assert kinds(observe(detector(), times, values)) == ["spike"]


def test_a_lasting_change_is_learned() -> None:
    times, values = days(14)
    middle = len(times) // 2
    values[middle:] = [value + 60 for value in values[middle:]]
    findings = observe(detector(), times, values)
    assert kinds(findings, OPEN) == kinds(findings, CLOSE)
    last = max(f["at"] for f in findings)
    assert last < times[middle] + 6.5 * DAY


LIVELY = structs.replace(WATCHED, least=0.0)


def lasting(
    change: Callable[[float, float], float], begin: int = 12, end: int = 14
) -> tuple[Findings, int, int]:
    """What is found when days ``begin`` to ``end`` are changed: ``(share of them gone, value)``."""
    times, values = days(16, seed=3)
    first, last = (next(i for i, t in enumerate(times) if t >= T0 + d * DAY) for d in (begin, end))
    values[first:last] = [
        change((i - first) / (last - first), values[i]) for i in range(first, last)
    ]
    return observe(detector(LIVELY), times, values), times[first], times[last]


def test_a_shift_too_small_for_a_spike_is_found_by_its_lasting() -> None:
    findings, first, last = lasting(lambda _, value: value + 9)
    assert kinds(findings, OPEN)[0] == "level shift"
    opened = findings[0]
    assert first < opened["at"] == opened["opened"] < first + DAY // 4
    assert opened["value"] == pytest.approx(opened["expected"] + 9, abs=4)
    assert opened["low"] < opened["expected"] < opened["high"] < opened["value"]
    closed = next(f for f in findings if f["phase"] == CLOSE)
    assert closed["opened"] == opened["opened"]
    assert last < closed["at"] < last + DAY // 2


def test_a_slow_drift_is_found_before_it_ends() -> None:
    findings, first, last = lasting(lambda share, value: value + 10 * share, begin=11)
    assert kinds(findings, OPEN)[0] in {"level shift", "trend"}
    assert first < findings[0]["at"] < last


def test_readings_that_spread_wider_around_their_level_are_a_change_of_variance() -> None:
    draw = random.Random(4)
    findings, first, last = lasting(lambda _, value: value + draw.choice([-7, 7]))
    assert kinds(findings, OPEN)[0] == "variance"
    assert first < findings[0]["at"] < first + DAY // 4
    assert last < max(f["at"] for f in findings) < last + DAY


def test_nothing_lasting_is_said_of_a_datastream_of_two_days() -> None:
    times, values = days(3)
    begin = 2 * len(times) // 3
    values[begin:] = [value + 6 for value in values[begin:]]
    assert observe(detector(LIVELY), times, values) == []


def test_what_lasts_is_not_looked_for_where_spikes_are_not() -> None:
    times, values = days(16)
    values[3000:] = [value + 6 for value in values[3000:]]
    assert observe(detector(structs.replace(LIVELY, spike=False)), times, values) == []


def test_records_of_before_lasting_changes_go_on_where_they_were() -> None:
    times, values = days(4)
    whole, cut = detector(), len(times) // 2
    observe(whole, times[:cut], values[:cut])
    # What they were: all that stands before the byte that tells of lasting changes, and padding.
    before = STATE.fields["lasting"][1]  # type: ignore[index]
    old = whole.snapshot(1)[:before] + bytes(360 - before)
    resumed = detector()
    resumed.restore(upgrade(old))
    resumed.configure(0, Property(detector=WATCHED), (-50.0, 300.0))
    values[-5] = 140.0
    found = observe(resumed, times[cut:], values[cut:])
    assert [(f["opened"], KINDS[int(f["kind"])]) for f in found] == [(times[-5], "spike")] * 2


def test_a_stuck_sensor_is_a_flatline_from_its_first_equal_reading() -> None:
    times, values = days(7)
    at = len(times) - 200
    values[at : at + 60] = [values[at]] * 60
    findings = observe(detector(STILL), times, values)
    assert kinds(findings, OPEN) == kinds(findings, CLOSE) == ["flatline"]
    assert findings[0]["opened"] == times[at]
    assert findings[0]["at"] == pytest.approx(times[at] + 120 * MINUTE, abs=5 * MINUTE)
    assert findings[-1]["at"] == times[at + 60]
    assert findings[-1]["value"] == values[at]


def test_what_always_stands_still_is_no_flatline() -> None:
    times, _ = days(7)
    assert observe(detector(), times, [953.0 - 800] * len(times)) == []


def test_nights_without_change_are_learned() -> None:
    times, values = days(21)
    night = [20.0 if t % DAY < DAY // 3 else value for t, value in zip(times, values, strict=True)]
    findings = observe(detector(STILL), times, night)
    assert all(f["opened"] < T0 + 7 * DAY for f in findings)


def test_standing_at_zero_may_be_usual() -> None:
    times, values = days(7)
    at = len(times) - 200
    values[at : at + 100] = [0.0] * 100
    assert kinds(observe(detector(STILL), times, values)) == ["flatline"]
    usual = detector(structs.replace(STILL, still_at_zero=True))
    assert observe(usual, times, values) == []


def test_a_gap_is_told_when_it_ends() -> None:
    times, values = days(7)
    at = len(times) - 100
    del times[at : at + 24]
    del values[at : at + 24]
    (gap,) = observe(detector(), times, values)
    assert KINDS[int(gap["kind"])] == "gap"
    assert (gap["phase"], gap["opened"], gap["at"]) == (CLOSE, times[at - 1], times[at])
    assert gap["expected"] == pytest.approx(5 * MINUTE, rel=0.05)


def test_frequent_gaps_become_usual() -> None:
    times, values = days(21)
    kept = [(t, v) for t, v in zip(times, values, strict=True) if t % DAY > DAY // 4]
    findings = observe(detector(), [t for t, _ in kept], [v for _, v in kept])
    assert len(kinds(findings)) <= 3


def test_the_impossible_is_reported_at_once_and_not_learned() -> None:
    made = detector()
    findings = observe(made, [T0, T0 + 1, T0 + 2, T0 + 3], [310.0, 320.0, 900.0, 50.0])
    assert [f["phase"] for f in findings] == [OPEN, UPDATE, CLOSE]
    assert {KINDS[int(f["kind"])] for f in findings} == {"range"}
    assert findings[-1]["value"] == 900
    assert (findings[0]["low"], findings[0]["high"]) == (-50, 300)
    with_it, without = detector(), detector()
    times, values = days(3)
    observe(with_it, [T0 - 5 * MINUTE, *times], [1000.0, *values])
    observe(without, times, values)
    spike = [times[-1] + 5 * MINUTE], [200.0]
    (one,), (other,) = observe(with_it, *spike), observe(without, *spike)
    assert one["expected"] == pytest.approx(other["expected"])


def test_without_detector_only_the_range_is_watched() -> None:
    made = Light()
    made.grow(1)
    made.configure(0, Property(detector=NoDetector()), (0.0, 100.0))
    times, values = days(7)
    values[-5:-1] = [99.0, 1.0, 99.0, 101.0]
    assert kinds(observe(made, times, values)) == ["range"]


def test_unusable_readings_are_not_seen() -> None:
    made = detector()
    before = made.snapshot(1)
    reading = Reading(
        np.zeros(1, np.int32), np.zeros(1, np.int64), np.zeros(1), np.zeros(1, np.uint8)
    )
    assert len(made.observe(reading)) == 0
    assert made.snapshot(1) == before


def test_datastreams_do_not_touch_each_other() -> None:
    made = detector()
    made.grow(3)
    rules = Property(detector=WATCHED)
    made.configure(2, rules, None)
    times, values = days(7)
    both = [row for _ in times for row in (0, 2)]
    found = made.observe(
        Reading(
            np.array(both, np.int32),
            np.repeat(np.array(times), 2),
            np.array([v for value in values for v in (value, -1e6 * value)]),
            np.ones(len(both), np.uint8),
        )
    )
    assert len(found) == 0
    alone = detector()
    observe(alone, times, values)
    assert made.snapshot(1) == alone.snapshot(1)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-100, 400)),
        max_size=300,
    ),
    steps=st.lists(st.integers(1, 10**9), min_size=300, max_size=300),
    cut=st.integers(0, 300),
)
def test_any_values_in_any_grouping_give_the_same_and_finite_state(
    values: list[float], steps: list[int], cut: int
) -> None:
    limits = None if cut % 2 else (-50.0, 300.0)
    times = [T0 + sum(steps[: i + 1]) for i in range(len(values))]
    whole, parts = detector(WATCHED, limits), detector(WATCHED, limits)
    findings = observe(whole, times, values)
    resumed = detector(WATCHED, limits)
    divided = observe(parts, times[:cut], values[:cut])
    resumed.restore(parts.snapshot(1))
    resumed.configure(0, Property(detector=WATCHED), limits)
    divided += observe(resumed, times[cut:], values[cut:])
    assert str(findings) == str(divided)
    assert whole.snapshot(1) == resumed.snapshot(1)
    for f in findings:
        assert math.isfinite(f["score"])
        assert math.isfinite(f["value"])
    open_now: dict[float, float] = {}
    for f in findings:
        if f["phase"] == OPEN:
            assert f["kind"] not in open_now
            open_now[f["kind"]] = f["opened"]
        elif KINDS[int(f["kind"])] != "gap":
            assert open_now[f["kind"]] == f["opened"]
            if f["phase"] == CLOSE:
                del open_now[f["kind"]]
