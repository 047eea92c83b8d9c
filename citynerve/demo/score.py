"""How right a run was: anomalies against the incidents that were injected, counts against scenes.

An incident is *found* if an anomaly of a datastream that it touched overlaps the time in which it
touched it, with some slack: a gap shows from the reading before it on, and a detector may need
a while after the end. It is *missed* if none does and it is over; if it still goes on it is
*running*. An anomaly is *false* if it overlaps no such time of its datastream. The *delay* is from
the incident's start to the first such anomaly's opening, in phenomenon time.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

import msgspec

from citynerve.demo.account import Key
from simulators.city.truth import Incident

BEFORE_MS: Final = 120_000
AFTER_MS: Final = 900_000
_DAY_MS: Final = 86_400_000


class Found(NamedTuple):
    """An anomaly as InfluxDB holds it; ``ended`` is None while it is open. Times in ms."""

    key: Key
    kind: str
    opened: int
    ended: int | None


class Outcome(msgspec.Struct, frozen=True):
    """What became of some incidents; ``delay_s`` is the median of the found ones."""

    found: int
    missed: int
    running: int
    delay_s: float | None


class CityScore(msgspec.Struct, frozen=True, kw_only=True):
    """All of a simulated city's incidents that had begun.

    ``false_a_week`` is the number of false anomalies of one datastream in a week, on average.
    """

    incidents: Outcome
    anomalies: int
    false: int
    false_a_week: float
    kinds: dict[str, Outcome]
    missed_incidents: list[str]


class LineScore(msgspec.Struct, frozen=True, rename={"cls": "class"}):
    """Crossings of one line in one direction by one class: in the scene, and as counted."""

    camera: str
    line: str
    direction: str
    cls: str
    truth: int
    counted: int


class CameraScore(msgspec.Struct, frozen=True):
    """One simulated camera: all its crossings, and each line's."""

    node: str
    truth: int
    counted: int
    lines: list[LineScore]


class Scorecard(msgspec.Struct, frozen=True):
    """What the program found against what was there."""

    city: CityScore | None
    cameras: list[CameraScore]


class Crossed(NamedTuple):
    """Which line was crossed, which way, by what."""

    camera: str
    line: str
    direction: str
    cls: str


def judge(
    incidents: Iterable[Incident],
    anomalies: Iterable[Found],
    *,
    start: int,
    end: int,
    datastreams: int,
) -> CityScore:
    """Bring incidents and anomalies together.

    Args:
        incidents: The ground truth.
        anomalies: All that was found in the datastreams of the simulated city.
        start: From when on there are observations, ms.
        end: Up to when they have come in, ms.
        datastreams: How many there are.
    """
    begun = [incident for incident in incidents if incident.start < end]
    by_key: defaultdict[Key, list[Found]] = defaultdict(list)
    for anomaly in anomalies:
        by_key[anomaly.key].append(anomaly)
    explained: set[Found] = set()
    outcomes = []
    for incident in begun:
        first = None
        for touched in incident.datastreams:
            key = Key(touched.node, touched.sensor, touched.property)
            for anomaly in by_key.get(key, ()):
                if _overlaps(anomaly, touched.start - BEFORE_MS, touched.end + AFTER_MS):
                    explained.add(anomaly)
                    first = anomaly.opened if first is None else min(first, anomaly.opened)
        outcomes.append((incident, first))
    every = [anomaly for found in by_key.values() for anomaly in found]
    false = len(every) - len(explained)
    weeks = datastreams * max(1, end - start) / (7 * _DAY_MS)
    return CityScore(
        incidents=_outcome(outcomes, end),
        anomalies=len(every),
        false=false,
        false_a_week=round(false / weeks, 2) if weeks else 0.0,
        kinds={
            kind: _outcome([one for one in outcomes if one[0].kind == kind], end)
            for kind in sorted({incident.kind for incident in begun})
        },
        missed_incidents=[
            incident.id for incident, first in outcomes if first is None and incident.end < end
        ],
    )


def _outcome(outcomes: Sequence[tuple[Incident, int | None]], end: int) -> Outcome:
    delays = [max(0, first - incident.start) for incident, first in outcomes if first is not None]
    missed = sum(first is None and incident.end < end for incident, first in outcomes)
    found = len(delays)
    delay = round(median(delays) / 1000, 1) if delays else None
    return Outcome(found, missed, len(outcomes) - found - missed, delay)


def compare(node: str, truth: Iterable[Crossed], counted: Iterable[Crossed]) -> CameraScore:
    """Bring a scene's crossings and a camera's together."""
    there, found = _tally(truth), _tally(counted)
    lines = [
        LineScore(*crossed, truth=there.get(crossed, 0), counted=found.get(crossed, 0))
        for crossed in sorted({*there, *found})
    ]
    return CameraScore(node, sum(there.values()), sum(found.values()), lines)


def _tally(crossings: Iterable[Crossed]) -> dict[Crossed, int]:
    tally: defaultdict[Crossed, int] = defaultdict(int)
    for crossed in crossings:
        tally[crossed] += 1
    return tally


def _overlaps(anomaly: Found, start: int, end: int) -> bool:
    return anomaly.opened <= end and (anomaly.ended is None or anomaly.ended >= start)
