"""How right the detectors are on labelled series, by kind of anomaly and by regime.

``python -m benchmarks.series [--seeds N] [--only DETECTOR] [--json]``

For each detector on the development and the held-out seeds: recall by kind and size, delay, false
alarms per 1,000 rows, and the score by NAB's economics, at the detector's own alarms and at the
threshold that is best for all. A missed goal is a figure like any other.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.series import DEVELOPMENT, HELD_OUT, series
from benchmarks.series.faults import KINDS
from benchmarks.series.model import GRADES, Series
from benchmarks.series.regimes import REGIMES
from benchmarks.series.scoring import Hit, Outcome, Scored, nab, outcome
from benchmarks.series.subjects import SUBJECTS, Subject

_SETS: Final = {"development": DEVELOPMENT, "held out": HELD_OUT}


class Result(NamedTuple):
    """One detector on one set of seeds."""

    scored: list[Scored]
    outcomes: list[Outcome]


def judge(subject: Subject, ones: Sequence[Series]) -> Result:
    """Run a detector on series."""
    scored = [(one, subject(one)) for one in ones]
    return Result(scored, [outcome(one, np.flatnonzero(scores)) for one, scores in scored])


def summary(result: Result) -> dict[str, Any]:
    """The figures, by kind, size and regime."""
    hits = [hit for one in result.outcomes for hit in one.hits]
    by_kind = {
        kind: {
            "windows": len(of := [hit for hit in hits if hit.window.kind == kind]),
            "recall": _recall(of),
            "by size": {
                name: _recall([hit for hit in of if hit.window.grade == grade])
                for grade, name in enumerate(GRADES)
            },
            "delay": _delay(of),
        }
        for kind in KINDS
    }
    by_regime: dict[str, dict[str, float | int | None]] = {}
    pairs = defaultdict(list)
    for (one, scores), seen in zip(result.scored, result.outcomes, strict=True):
        pairs[one.regime].append(((one, scores), seen))
    for regime in REGIMES:
        own = [hit for _, seen in pairs[regime] for hit in seen.hits]
        by_regime[regime] = {
            "windows": len(own),
            "recall": _recall(own),
            "false": _false([seen for _, seen in pairs[regime]]),
            "nab": nab([scored for scored, _ in pairs[regime]], 1e-9)[0] if own else None,
        }
    best, threshold = nab(result.scored)
    return {
        "series": len(result.scored),
        "rows": sum(len(one.values) for one, _ in result.scored),
        "windows": len(hits),
        "recall": _recall(hits),
        "delay": _delay(hits),
        "false": _false(result.outcomes),
        "nab": nab(result.scored, 1e-9)[0],
        "nab best": best,
        "threshold": threshold,
        "kinds": by_kind,
        "regimes": by_regime,
    }


def _recall(hits: Sequence[Hit]) -> float | None:
    return sum(hit.row is not None for hit in hits) / len(hits) if hits else None


def _delay(hits: Sequence[Hit]) -> float | None:
    delays = [hit.row - hit.window.start for hit in hits if hit.row is not None]
    return median(delays) if delays else None


def _false(outcomes: Sequence[Outcome]) -> float | None:
    judged = sum(one.judged for one in outcomes)
    return 1000 * sum(one.false for one in outcomes) / judged if judged else None


def _share(value: float | None) -> str:
    return f"{value:>8.0%}" if value is not None else f"{'-':>8}"


def _number(value: float | None, places: int = 2) -> str:
    return f"{value:>8.{places}f}" if value is not None else f"{'-':>8}"


def _show(title: str, told: dict[str, Any]) -> None:
    print(f"\n{title}: {told['series']} series, {told['rows']:,} rows, {told['windows']} windows")
    print(
        f"  recall {told['recall']:.1%}, false alarms per 1,000 rows {told['false']:.3f}, "
        f"median delay {told['delay']} rows"
    )
    print(
        f"  by NAB's economics {told['nab']:.1f} at its own alarms, {told['nab best']:.1f} at the "
        f"best threshold ({told['threshold']:.3g})"
    )
    sizes = "".join(f"{name:>8}" for name in GRADES)
    print(f"  {'kind':<18}{'windows':>8}{'recall':>8}{sizes}{'delay':>8}")
    for kind, row in told["kinds"].items():
        graded = "".join(_share(row["by size"][name]) for name in GRADES)
        delay = _number(row["delay"], 0)
        print(f"  {kind:<18}{row['windows']:>8}{_share(row['recall'])}{graded}{delay}")
    print(f"  {'regime':<18}{'windows':>8}{'recall':>8}{'false':>8}{'NAB':>8}")
    for regime, row in told["regimes"].items():
        figures = f"{_share(row['recall'])}{_number(row['false'], 3)}{_number(row['nab'], 1)}"
        print(f"  {regime:<18}{row['windows']:>8}{figures}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, help="only so many of each set")
    parser.add_argument("--only", choices=[*SUBJECTS], help="one detector")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    results: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, seeds in _SETS.items():
        ones = [series(seed) for seed in seeds[: given.seeds]]
        for subject in [given.only] if given.only else SUBJECTS:
            results[subject][name] = summary(judge(SUBJECTS[subject], ones))
            _show(f"{subject}, {name} seeds", results[subject][name])
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
