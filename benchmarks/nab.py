"""The full detector on the Numenta Anomaly Benchmark (NAB), as the stream runs it.

``python -m benchmarks.nab DIR [--files LIST] --out RESULTS [--threshold T]``

``DIR`` has NAB's layout (``data/``; labels are not read). Writes one CSV a file with the score of
each row: 0 where no alarm is raised, else how many times over its limit the evidence was, drawn
into 0.5 to 1. The detector is told nothing of a file, neither its range nor its length, and is fed
as the stream feeds it: in calls of a few readings.
"""

import argparse
import csv
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.nab_corpus import File, Values, names_in, read
from stream.anomaly.detector import CLOSE, Detector, Reading
from stream.anomaly.detectors import Detectors
from stream.scenario import FullDetector, Property

THRESHOLD: Final = 0.5
"""NAB's economics: a false alarm costs a ninth of what a missed window does."""

_WARM_UP: Final = 100
_CALL: Final = 100


def rules(threshold: float) -> Property:
    """The pack's rules for every file."""
    return Property(detector=FullDetector(threshold=threshold, warm_up=_WARM_UP))


def score(file: File, threshold: float = THRESHOLD, detector: Detector | None = None) -> Values:
    """Scores of a file's rows by a detector that has seen nothing before."""
    detector = detector or Detectors()
    detector.grow(1)
    detector.configure(0, rules(threshold), None)
    rows = len(file.times)
    scores = np.zeros(rows)
    for start in range(0, rows, _CALL):
        part = slice(start, start + _CALL)
        size = len(file.times[part])
        found = detector.observe(
            Reading(
                np.zeros(size, np.int32),
                file.times[part],
                file.values[part],
                np.ones(size, np.uint8),
            )
        )
        alarms = found[found["phase"] != CLOSE]
        at = start + np.searchsorted(file.times[part], alarms["at"])
        scores[at] = 1 - 0.5 / alarms["score"]
    return scores


def write(path: Path, file: File, scores: Values) -> None:
    """A result as NAB has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["timestamp", "value", "anomaly_score"])
        for stamp, value, one in zip(
            file.stamps, file.values.tolist(), scores.tolist(), strict=True
        ):
            rows.writerow([stamp, repr(value), f"{one:.6f}"])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dir", type=Path, help="a corpus with data/ in it")
    parser.add_argument("--files", type=Path, help="a list of files, one a line; else all")
    parser.add_argument("--out", type=Path, required=True, help="where the scores go")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    given = parser.parse_args()
    for name in names_in(given.dir, given.files):
        file = read(given.dir, name)
        scores = score(file, given.threshold)
        write(given.out / name, file, scores)
        print(f"{name}: {len(scores)} rows, {np.count_nonzero(scores)} alarms")


if __name__ == "__main__":
    main()
