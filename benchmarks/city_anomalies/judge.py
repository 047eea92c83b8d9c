"""Which faults were found, how soon, and what was raised besides."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from benchmarks.city_anomalies.data import Datastream
from benchmarks.city_anomalies.faults import HOUR, KINDS, SIZES, Trial, hours, inject, profile
from benchmarks.city_anomalies.run import Alarm, Feed, Subject, alarms, feed

_AFTER: Final = 0.1  # of a fault's duration: until then an alarm still counts for it
_SETTLES: Final = 1.0  # of its duration, after that: its end may be told of


class Judged(NamedTuple):
    """What became of a trial.

    ``delay`` (ms) of the first alarm that the fault raised, None: it was missed; ``by``: that
    alarm's kind. ``extra``: alarms elsewhere that are not raised without the fault. ``apart``:
    whether a fault of one reading lies farther from the usual of its hour than a reading does once
    a week; if not, nothing that looks at single readings and alarms once a week can find it.
    """

    trial: Trial
    delay: int | None
    by: str
    extra: int
    apart: bool


def trials(datastreams: Sequence[Datastream], seed: int, each: int) -> Iterator[list[Trial | None]]:
    """For each kind and size all its trials, ``each`` on every datastream; None: no room for it."""
    for k, kind in enumerate(KINDS):
        for size in SIZES:
            yield [
                inject(datastreams, row, kind, size, _random(seed, k, size, row, number))
                for row in range(len(datastreams))
                for number in range(each)
            ]


def _random(seed: int, kind: int, size: float, row: int, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, kind, int(size * 10), row, number])


def judge(
    subject: Subject,
    datastreams: Sequence[Datastream],
    made: Sequence[Trial],
    clean: Sequence[Sequence[Alarm]],
) -> list[Judged]:
    """Run all trials; ``clean``: the alarms that each datastream raises as it was recorded."""
    if not made:
        return []
    feeds = [Feed(one.times, one.values, datastreams[one.row].rules) for one in made]
    return [
        _judged(trial, raised, datastreams[trial.row], clean[trial.row])
        for trial, raised in zip(made, alarms(subject, feeds), strict=True)
    ]


def _judged(
    trial: Trial, raised: Sequence[Alarm], one: Datastream, clean: Sequence[Alarm]
) -> Judged:
    usual = {(alarm.kind, alarm.at) for alarm in clean}
    new = [alarm for alarm in raised if (alarm.kind, alarm.at) not in usual]
    lasts = trial.end - trial.start
    until = trial.end + max(int(_AFTER * lasts), 2 * one.interval)
    hits = [alarm for alarm in new if trial.start <= alarm.at <= until]
    settled = until + max(int(_SETTLES * lasts), HOUR)
    extra = [alarm for alarm in new if not trial.start <= alarm.at <= settled]
    first = min(hits, key=lambda alarm: alarm.at, default=None)
    return Judged(
        trial,
        first.at - trial.start if first is not None else None,
        first.kind if first is not None else "",
        len(extra),
        _apart(trial, one),
    )


def _apart(trial: Trial, one: Datastream) -> bool:
    if trial.kind not in {"spike", "drop"}:
        return True
    usual = profile(one)
    away = one.values - usual[hours(one.times)]
    row = int(np.searchsorted(trial.times, trial.start))
    faulty = float(trial.values[row] - usual[int(hours(trial.times[row : row + 1])[0])])
    weeks = float(one.times[-1] - one.times[0]) / (168 * HOUR)
    if trial.kind == "drop":
        away, faulty = -away, -faulty
    return bool(np.count_nonzero(away >= faulty) <= weeks)


def clean_alarms(subject: Subject, datastreams: Sequence[Datastream]) -> list[list[Alarm]]:
    """The alarms that each datastream raises as it was recorded."""
    return alarms(subject, [feed(one) for one in datastreams])
