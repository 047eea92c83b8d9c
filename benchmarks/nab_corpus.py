"""NAB's files, variants of them, and its score, in arrays.

The score is NAB's standard profile (Lavin and Ahmad, 2015): see ``gains``. Times of a file are read
as UTC; where they repeat (a clock set back), the later row is taken one ms after the one before.
"""

import csv
import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Rows = NDArray[np.int64]
Window = tuple[int, int]

FALSE_ALARM: Final = 0.11
_PROBATION: Final = 0.15
_PROBATION_MOST: Final = 750
_STEEP: Final = 5.0
_FAR: Final = 3.0


class File(NamedTuple):
    """Rows of a file: stamps as written, times in ms; ``windows``: first and last row of each."""

    name: str
    stamps: list[str]
    times: Rows
    values: Values
    windows: tuple[Window, ...] = ()


def names_in(corpus: Path, listed: Path | None) -> list[str]:
    """The files of a list, or all of a corpus."""
    if listed is not None:
        return listed.read_text(encoding="utf-8").split()
    data = corpus / "data"
    return sorted(str(path.relative_to(data)) for path in data.rglob("*.csv"))


def read(corpus: Path, name: str) -> File:
    """A file without its labels."""
    with (corpus / "data" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    stamps = [row["timestamp"] for row in rows]
    times = np.array([_ms(stamp) for stamp in stamps], np.int64)
    steps = np.arange(len(times))
    times = np.maximum.accumulate(times - steps) + steps
    return File(name, stamps, times, np.array([float(row["value"]) for row in rows]))


def read_labelled(corpus: Path, listed: Path | None) -> list[File]:
    """Files with their windows."""
    labels = json.loads((corpus / "labels" / "combined_windows.json").read_text(encoding="utf-8"))
    files = []
    for name in names_in(corpus, listed):
        file = read(corpus, name)
        row_of = {_plain(stamp): row for row, stamp in reversed([*enumerate(file.stamps)])}
        windows = tuple((row_of[_plain(a)], row_of[_plain(b)]) for a, b in labels[name])
        files.append(file._replace(windows=windows))
    return files


def _plain(stamp: str) -> str:
    return stamp.partition(".")[0].strip()


def _ms(stamp: str) -> int:
    return int(datetime.fromisoformat(_plain(stamp)).replace(tzinfo=UTC).timestamp() * 1000)


class Worth(NamedTuple):
    """What alarms in a file's rows gain or cost, unweighted, and each row's window (-1: none).

    ``skip``: rows that do not count; ``hittable``: windows that can be hit after them.
    """

    gain: Values
    window: Rows
    skip: int
    hittable: int
    windows: int


def worth(file: File) -> Worth:
    """An alarm in a window gains up to 1, the more the earlier; one outside costs up to 1."""
    rows = np.arange(len(file.values))
    gain = np.full(len(rows), -1.0)
    number = np.full(len(rows), -1)
    for k, (first, last) in enumerate(file.windows):
        width = last - first + 1
        inside = _scaled((rows[first : last + 1] - last - 1) / width)
        gain[first : last + 1] = inside / (2 / (1 + math.exp(-_STEEP)) - 1)
        number[first : last + 1] = k
        gain[last + 1 :] = _scaled((rows[last + 1 :] - last) / max(width - 1, 1))
    skip = math.ceil(min(math.floor(_PROBATION * len(rows)), _PROBATION_MOST))
    hittable = len(np.unique(number[skip:][number[skip:] >= 0]))
    return Worth(gain, number, skip, hittable, len(file.windows))


def _scaled(x: Values) -> Values:
    return np.where(x > _FAR, -1.0, 2 / (1 + np.exp(_STEEP * np.minimum(x, _FAR))) - 1)


def gained(one: Worth, scores: Values, threshold: float) -> float:
    """What the alarms of a file are worth, above no alarm at all."""
    rows = np.flatnonzero(scores >= threshold)
    rows = rows[rows >= one.skip]
    of = one.window[rows]
    total = FALSE_ALARM * float(one.gain[rows[of < 0]].sum())
    for window in np.unique(of[of >= 0]):
        total += 1 + float(one.gain[rows[of == window]].max())
    return total


def normal(worths: Sequence[Worth], sums: Sequence[float]) -> float:
    """NAB's score: 0 for no alarm at all, 100 for the first row of each window and nothing else."""
    return 100 * sum(sums) / sum(one.windows + one.hittable for one in worths)


def best(worths: Sequence[Worth], scores: Sequence[Values]) -> tuple[float, float]:
    """The score at the best of 25 thresholds, the same for all files, and that threshold."""
    raised = np.unique(np.concatenate([one[one > 0] for one in scores]))
    steps = np.unique(np.quantile(raised, np.linspace(0, 1, 25), method="nearest"))
    answers = [
        (
            normal(worths, [gained(w, s, t) for w, s in zip(worths, scores, strict=True)]),
            float(t),
        )
        for t in steps
    ]
    return max(answers, default=(0.0, math.inf))


def variants(files: Sequence[File]) -> dict[str, list[File]]:
    """The files cropped, subsampled, aggregated and changed; windows that fall away are dropped."""
    draw = np.random.default_rng(5)
    made: dict[str, Callable[[File], File]] = {
        **{f"cropped by {share:.0%}": _cropper(share) for share in (0.08, 0.16, 0.3)},
        "every 2nd row": lambda file: _thin(file, 2, lambda rows: rows[:, 0]),
        "every other 2nd row": lambda file: _thin(file, 2, lambda rows: rows[:, 1]),
        "means of 2": lambda file: _thin(file, 2, lambda rows: rows.mean(1)),
        "means of 3": lambda file: _thin(file, 3, lambda rows: rows.mean(1)),
        "upside down": lambda file: file._replace(values=-file.values),
        "noise": lambda file: file._replace(
            values=file.values + draw.normal(0, 0.1 * np.std(file.values), len(file.values))
        ),
        "rounded": lambda file: file._replace(values=_rounded(file.values)),
        "square roots": lambda file: file._replace(
            values=np.sign(file.values) * np.sqrt(np.abs(file.values))
        ),
        "smoothed": lambda file: file._replace(values=_smoothed(file.values)),
    }
    return {name: [_counted(make(file)) for file in files] for name, make in made.items()}


def _cropper(share: float) -> Callable[[File], File]:
    def crop(file: File) -> File:
        cut = int(share * len(file.values))
        kept = tuple((a - cut, b - cut) for a, b in file.windows if a >= cut)
        return File(file.name, file.stamps[cut:], file.times[cut:], file.values[cut:], kept)

    return crop


def _thin(file: File, by: int, take: Callable[[Values], Values]) -> File:
    rows = len(file.values) // by
    used = rows * by
    windows = tuple((a // by, min(b // by, rows - 1)) for a, b in file.windows)
    return File(
        file.name,
        file.stamps[:used:by],
        file.times[:used:by],
        np.ascontiguousarray(take(file.values[:used].reshape(-1, by))),
        windows,
    )


def _rounded(values: Values) -> Values:
    step = np.std(values) / 6 + 1e-12
    rounded: Values = np.round(values / step) * step
    return rounded


def _smoothed(values: Values) -> Values:
    out = values.copy()
    for i in range(1, len(out)):
        out[i] = 0.5 * out[i - 1] + 0.5 * values[i]
    return out


def _counted(file: File) -> File:
    """Without windows whose middle does not count any more."""
    probation = min(_PROBATION * len(file.values), _PROBATION_MOST)
    kept = tuple((a, b) for a, b in file.windows if (a + b) / 2 > probation)
    return file._replace(windows=kept)
