"""How far the full detector's figures on NAB can be trusted: variants, sensitivity, other files.

``python -m benchmarks.nab_cross DIR [--files LIST] [--candidates N]``

- the score on the files and on variants of them, at the shipped threshold and at each one's best;
- the score when one parameter is moved by 30 % down or up, by variants too;
- cross-validation: of N sets of parameters, each drawn around the shipped ones (log-normal, 30 %),
  the one that is best on the other files, with its best threshold there, is judged on those left
  out: one file, one category, one half (10 times).
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.nab import THRESHOLD, rules
from benchmarks.nab_corpus import (
    File,
    Values,
    Worth,
    best,
    gained,
    normal,
    read_labelled,
    variants,
    worth,
)
from stream.anomaly.detector import CLOSE, Reading
from stream.anomaly.full import SHIPPED, Full
from stream.anomaly.full_state import Tuning

_MOVE: Final = 0.3
_HALVES: Final = 10
_THRESHOLD: Final = "threshold"


class Setting(NamedTuple):
    """A set of parameters."""

    tuning: Tuning
    threshold: float


_USUAL: Final = Setting(SHIPPED, THRESHOLD)


def alarms(file: File, setting: Setting) -> Values:
    """Scores of a file's rows, as ``benchmarks.nab`` has them, by a changed detector."""
    detector = Full(setting.tuning)
    detector.grow(1)
    detector.configure(0, rules(setting.threshold), None)
    size = len(file.times)
    found = detector.observe(
        Reading(np.zeros(size, np.int32), file.times, file.values, np.ones(size, np.uint8))
    )
    raised = found[found["phase"] != CLOSE]
    scores = np.zeros(size)
    scores[np.searchsorted(file.times, raised["at"])] = 1 - 0.5 / raised["score"]
    return scores


def moved(setting: Setting, name: str, factor: float) -> Setting:
    """One parameter times ``factor``; whole numbers stay whole, and move by 1 at least."""
    if name == _THRESHOLD:
        return setting._replace(threshold=setting.threshold * factor)
    old = getattr(setting.tuning, name)
    new: Any = old * factor
    if isinstance(old, int):
        new = max(round(new), 2)
        if new == old and factor != 1:
            new += 1 if factor > 1 else -1
    return setting._replace(tuning=setting.tuning._replace(**{name: new}))


def candidate(draw: np.random.Generator) -> Setting:
    """All parameters moved at once."""
    setting = _USUAL
    for name in (*Tuning._fields, _THRESHOLD):
        setting = moved(setting, name, math.exp(draw.normal(0, _MOVE)))
    # A ring of the many holds the few, too.
    tuning = setting.tuning
    return setting._replace(tuning=tuning._replace(short=min(tuning.short, tuning.long)))


class Corpus:
    """Files with what alarms in them are worth."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = files
        self.worths: list[Worth] = [worth(file) for file in files]

    def scores(self, setting: Setting) -> list[Values]:
        """Of all files."""
        return [alarms(file, setting) for file in self.files]

    def fixed(self, setting: Setting) -> float:
        """NAB's score at the detector's own alarms."""
        scores = self.scores(setting)
        sums = [gained(w, s, 0.5) for w, s in zip(self.worths, scores, strict=True)]
        return normal(self.worths, sums)

    def best(self, setting: Setting) -> float:
        """NAB's score at the best threshold above the detector's own."""
        return best(self.worths, self.scores(setting))[0]


def _folds(files: Sequence[File]) -> dict[str, list[list[int]]]:
    size = len(files)
    categories = [file.name.partition("/")[0] for file in files]
    draw = np.random.default_rng(0)
    halves: list[list[int]] = []
    for _ in range(_HALVES):
        order = draw.permutation(size).tolist()
        halves += [order[: size // 2], order[size // 2 :]]
    return {
        "one file": [[i] for i in range(size)],
        "one category": [
            [i for i in range(size) if categories[i] == category]
            for category in sorted(set(categories))
        ],
        "one half": halves,
    }


def crossed(corpus: Corpus, candidates: Sequence[Sequence[Values]]) -> dict[str, float]:
    """The score on files left out, of the candidate (a list of scores) best on the others."""
    answer = {}
    for name, folds in _folds(corpus.files).items():
        total, whole = 0.0, 0
        for left_out in folds:
            others = [i for i in range(len(corpus.files)) if i not in left_out]
            worths = [corpus.worths[i] for i in others]
            (_, threshold), chosen = max(
                (best(worths, [scores[i] for i in others]), k)
                for k, scores in enumerate(candidates)
            )
            for i in left_out:
                one = corpus.worths[i]
                total += gained(one, candidates[chosen][i], threshold)
                whole += one.windows + one.hittable
        answer[name] = 100 * total / whole
    return answer


def _table(title: str, rows: Mapping[str, tuple[float, ...]], heads: Sequence[str]) -> None:
    print(f"\n{title:<28}" + "".join(f"{head:>14}" for head in heads))
    for name, figures in rows.items():
        print(f"{name:<28}" + "".join(f"{figure:>14.2f}" for figure in figures))


def _usual(corpus: Corpus) -> tuple[float, float]:
    """The shipped parameters at their own threshold, and at the best one."""
    return corpus.fixed(_USUAL), corpus.best(_USUAL)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("dir", type=Path, help="a corpus with data/ and labels/ in it")
    parser.add_argument("--files", type=Path, help="a list of files, one a line; else all")
    parser.add_argument("--candidates", type=int, default=100)
    given = parser.parse_args()
    files = read_labelled(given.dir, given.files)
    own = Corpus(files)
    others = {name: Corpus(changed) for name, changed in variants(files).items()}
    rows = {name: _usual(one) for name, one in others.items()}
    means = tuple(float(np.mean(column)) for column in zip(*rows.values(), strict=True))
    _table(
        "files",
        {"as they are": _usual(own), **rows, "mean of the variants": (means[0], means[1])},
        ("own threshold", "best threshold"),
    )
    moves = {}
    for name in (*Tuning._fields, _THRESHOLD):
        for factor in (1 - _MOVE, 1 + _MOVE):
            setting = moved(_USUAL, name, factor)
            mean = float(np.mean([one.fixed(setting) for one in others.values()]))
            moves[f"{name} x {factor:.1f}"] = (own.fixed(setting), own.best(setting), mean)
    _table("moved", moves, ("own threshold", "best threshold", "variants, own"))
    draw = np.random.default_rng(1)
    settings = [_USUAL, *(candidate(draw) for _ in range(given.candidates))]
    candidates = [own.scores(setting) for setting in settings]
    alone = [best(own.worths, scores)[0] for scores in candidates[1:]]
    print(
        f"\n{len(alone)} sets of parameters drawn around the shipped: mean {np.mean(alone):.2f}, "
        f"worst {np.min(alone):.2f}, best {np.max(alone):.2f}"
    )
    drawn = crossed(own, candidates[1:])
    shipped = crossed(own, candidates[:1])
    _table(
        "left out",
        {name: (drawn[name], shipped[name]) for name in drawn},
        ("all chosen", "threshold"),
    )


if __name__ == "__main__":
    main()
