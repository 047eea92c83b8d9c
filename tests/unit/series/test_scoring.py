"""Scoring: figures worked out by hand, and by the benchmark's own scorer where that is here."""

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.series import Series, Window, series
from benchmarks.series.scoring import nab, outcome, wide
from benchmarks.series.subjects import alarm_scores, raised
from stream.anomaly.detector import CLOSE, FINDING, OPEN, UPDATE

ROWS = 400


def flat(windows: tuple[Window, ...], neutral: tuple[tuple[int, int], ...] = ()) -> Series:
    times = 1_700_000_000_000 + 60_000 * np.arange(ROWS)
    values = np.zeros(ROWS)
    return Series(1, "constant", "regular", 60, times, values, times, values, windows, neutral)


def spike(start: int, end: int) -> Window:
    return Window(start, end, "spike", 5.0, 0)


def test_the_first_alarm_in_a_window_or_its_aftermath_hits_it() -> None:
    one = flat((spike(100, 101), spike(200, 201), spike(300, 301)), ((102, 110), (202, 210)))
    seen = outcome(one, np.array([70, 99, 100, 104, 209, 211, 302]))
    assert [hit.row for hit in seen.hits] == [100, 209, None]
    # 99, 211 and 302 are false, and 70: probation ends before row 60.
    assert seen.false == 4
    assert seen.judged == ROWS - 60 - 6 - 18


def test_alarms_in_probation_do_not_count() -> None:
    seen = outcome(flat(()), np.array([0, 59]))
    assert (seen.false, seen.judged) == (0, 340)


def test_wide_windows_are_a_tenth_of_the_rows_together() -> None:
    assert wide(flat((spike(200, 201),))) == [(180, 220)]
    assert wide(flat((spike(100, 101), spike(300, 350)))) == [(90, 110), (290, 350)]


def test_silence_is_worth_nothing_and_perfection_a_hundred() -> None:
    one = flat((spike(200, 201),))
    scores = np.zeros(ROWS)
    assert nab([(one, scores)])[0] == 0
    scores[180] = 1
    assert nab([(one, scores)])[0] == pytest.approx(100)


def test_a_false_alarm_costs_eleven_hundredths() -> None:
    one = flat((spike(200, 201),))
    scores = np.zeros(ROWS)
    scores[[100, 180]] = 1
    # Two from missed to perfect make 100; a false alarm before any window costs its full weight.
    assert nab([(one, scores)])[0] == pytest.approx(100 * (2 - 0.11) / 2)


def test_the_best_threshold_leaves_the_weak_false_alarms_out() -> None:
    one = flat((spike(200, 201),))
    scores = np.zeros(ROWS)
    scores[100], scores[180] = 0.4, 0.9
    value, threshold = nab([(one, scores)])
    assert value == pytest.approx(100)
    assert threshold == 0.9
    assert nab([(one, scores)], 0.3)[0] == pytest.approx(94.5)


def test_the_benchmarks_own_scorer_says_the_same(samples: Path, tmp_path: Path) -> None:
    if not (samples / "nab" / "score.py").exists():
        pytest.skip("no scorer of the benchmark beside the recordings")
    rng = np.random.default_rng(5)
    corpus = tmp_path / "corpus"
    results = tmp_path / "results"
    (corpus / "labels").mkdir(parents=True)
    results.mkdir()
    labels = {}
    scored = []
    for seed in range(12):
        one = series(seed)
        # The benchmark knows no neutral rows.
        one = Series(**{**vars(one), "neutral": ()})
        scores = np.round(rng.random(len(one.values)) ** 4, 3) * (rng.random(len(one.values)) < 0.1)
        scored.append((one, scores))
        stamps = [
            datetime.fromtimestamp(t // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            for t in (one.times[0] // 1000 + 10 * np.arange(len(scores))).tolist()
            for t in [t * 1000]
        ]
        labels[f"{seed}.csv"] = [[stamps[a], stamps[b]] for a, b in wide(one)]
        with (results / f"{seed}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["timestamp", "value", "anomaly_score"])
            writer.writerows(zip(stamps, one.values.tolist(), scores.tolist(), strict=True))
    (corpus / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    names = tmp_path / "files.txt"
    names.write_text("\n".join(labels))
    said = subprocess.run(
        [
            *(sys.executable, str(samples / "nab" / "score.py"), str(results)),
            *("--corpus", str(corpus), "--files", str(names)),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[0]
    value, threshold = nab(scored)
    assert float(said.split()[1]) == pytest.approx(value, abs=0.006)
    assert float(said.split()[3]) == pytest.approx(threshold)


def test_an_alarm_is_raised_once_where_it_opens_or_where_it_is_over_at_once() -> None:
    findings = np.zeros(4, FINDING)
    findings["kind"] = [0, 0, 0, 3]
    findings["phase"] = [OPEN, UPDATE, CLOSE, CLOSE]
    one = flat(())
    findings["opened"] = one.times[[50, 50, 50, 70]]
    findings["at"] = one.times[[50, 52, 60, 75]]
    findings["score"] = [1.5, 3.0, 3.0, 2.0]
    assert raised(findings)["at"].tolist() == one.times[[50, 75]].tolist()
    scores = alarm_scores(one, findings)
    assert np.flatnonzero(scores).tolist() == [50, 75]
    assert scores[[50, 75]].tolist() == [1.5, 2.0]
