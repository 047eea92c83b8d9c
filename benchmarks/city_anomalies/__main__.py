"""What the detectors find of faults in a real city's datastreams, and what they imagine.

``python -m benchmarks.city_anomalies DIR [--seed N] [--trials N] [--detector NAME] [--list]``

DIR holds recordings of Aarhus as the CityBench benchmark carries them (``traffic/``, ``parking/``,
``weather.csv``). Each fault is injected alone, with a seed, into a datastream that the detector has
known for weeks; datastreams go through the lane's validation, and are judged with the settings of
the shipped scenario packs. ``--list`` prints the alarms of the recordings as they are: some of them
are true.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.city_anomalies.data import Datastream, read, sensor_weeks
from benchmarks.city_anomalies.faults import HOUR, KINDS, SIZES
from benchmarks.city_anomalies.judge import Judged, clean_alarms, judge, trials
from benchmarks.city_anomalies.run import DETECTORS, Alarm
from stream.scenario import load_scenarios

_LARGE: Final = 2.0
_RECALL_GOAL: Final = 0.95
_FALSE_GOAL: Final = 1.0


def recall(judged: Sequence[Judged]) -> float | None:
    """The share of the faults that were found."""
    return sum(one.delay is not None for one in judged) / len(judged) if judged else None


def delay(judged: Sequence[Judged]) -> float | None:
    """The median time until a fault was found, h; of those that were."""
    found = [one.delay for one in judged if one.delay is not None]
    return median(found) / HOUR if found else None


def summary(judged: Sequence[Judged], alarms: int, weeks: float) -> dict[str, Any]:
    """The figures: by kind and size, and all together."""
    large = [one for one in judged if one.trial.size >= _LARGE]
    return {
        "trials": len(judged),
        "recall of large": recall(large),
        "recall of large, apart": recall([one for one in large if one.apart]),
        "delay of large": delay(large),
        "alarms a sensor and week": alarms / weeks,
        "extra alarms a trial": sum(one.extra for one in judged) / max(len(judged), 1),
        "kinds": {
            kind: {
                "recall of large": recall([one for one in large if one.trial.kind == kind]),
                "delay of large": delay([one for one in large if one.trial.kind == kind]),
                "sizes": {
                    str(size): {
                        "trials": len(of := _of(judged, kind, size)),
                        "recall": recall(of),
                        "delay": delay(of),
                        "apart": recall([one for one in of if one.apart]),
                    }
                    for size in SIZES
                },
                "by": dict(Counter(one.by for one in large if one.by and one.trial.kind == kind)),
            }
            for kind in KINDS
        },
    }


def _of(judged: Sequence[Judged], kind: str, size: float) -> list[Judged]:
    return [one for one in judged if one.trial.kind == kind and one.trial.size == size]


def _share(value: float | None) -> str:
    return f"{value:>6.0%}" if value is not None else f"{'-':>6}"


def _show(told: dict[str, Any], no_room: int) -> None:
    sizes = "".join(f"{f'size {size:g}':>16}" for size in SIZES)
    print(f"{'found of trials':<18}{sizes}{'2 and more':>12}{'delay h':>9}  by")
    for kind, row in told["kinds"].items():
        cells = "".join(
            f"{_share(cell['recall'])} of {cell['trials']:<6}" for cell in row["sizes"].values()
        )
        hours = row["delay of large"]
        late = f"{hours:>9.1f}" if hours is not None else f"{'-':>9}"
        by = ", ".join(f"{name} {count}" for name, count in Counter(row["by"]).most_common())
        print(f"{kind:<18}{cells}{_share(row['recall of large']):>12}{late}  {by}")
    print(
        f"\nfaults of size 2 and more found: {told['recall of large']:.1%} "
        f"(goal: {_RECALL_GOAL:.0%}); without the spikes and drops that are no farther off than a "
        f"reading is once a week: {told['recall of large, apart']:.1%}"
    )
    print(f"median delay: {told['delay of large']:.1f} h; {no_room} faults had no room")
    print(
        f"alarms on the recordings as they are: {told['alarms a sensor and week']:.2f} a sensor "
        f"and week (goal for false ones: {_FALSE_GOAL:g}); alarms elsewhere that a fault has "
        f"brought about: {told['extra alarms a trial']:.2f} a trial"
    )


def _list(datastreams: Sequence[Datastream], clean: Sequence[Sequence[Alarm]]) -> None:
    for one, raised in zip(datastreams, clean, strict=True):
        for alarm in raised:
            print(
                f"{one.name:<22}{alarm.kind:<13}{_when(alarm.opened)} at {_when(alarm.at)} "
                f"value {alarm.value:.6g}, expected {alarm.expected:.6g}, "
                f"{alarm.low:.6g} to {alarm.high:.6g}, score {alarm.score:.3g}"
            )


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%a %Y-%m-%d %H:%M")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=2, help="of each on every datastream")
    parser.add_argument("--detector", choices=[*DETECTORS], default="light")
    parser.add_argument("--list", action="store_true", help="the alarms of the clean run")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    given = parser.parse_args()
    datastreams = read(given.folder, load_scenarios())
    subject = DETECTORS[given.detector]
    clean = clean_alarms(subject, datastreams)
    weeks = sensor_weeks(datastreams)
    sensors = len({one.sensor for one in datastreams})
    print(f"{given.detector}: {len(datastreams)} datastreams of {sensors} sensors")
    print(f"{sum(map(len, clean))} alarms in {weeks:.0f} weeks of a sensor, as recorded: ", end="")
    kinds = Counter(alarm.kind for raised in clean for alarm in raised)
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none")
    if given.list:
        _list(datastreams, clean)
    judged: list[Judged] = []
    no_room = 0
    for made in trials(datastreams, given.seed, given.trials):
        possible = [trial for trial in made if trial is not None]
        no_room += len(made) - len(possible)
        judged += judge(subject, datastreams, possible, clean)
    told = summary(judged, sum(map(len, clean)), weeks)
    _show(told, no_room)
    if given.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
