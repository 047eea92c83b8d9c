"""What InfluxDB must hold by the script alone, whatever a run without faults gave.

Windows, counts and figures are computed here anew, from the readings' fates. So a loss or a double
that both runs share is found too: observations overwrite themselves in InfluxDB, but a batch that
was counted twice shows in the windows' counts.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from benchmarks.chaos.dump import Dump, Fields, Key, Tags
from benchmarks.chaos.script import Arrival, Fate, NodeScript

RELATIVE: Final = 1e-9
RAW: Final = "citynerve_raw"
MAIN: Final = "citynerve"
_NS: Final = 1_000_000
_EVERYWHERE: Final = "_city"
_LENGTHS: Final = {"10s": 10_000, "1m": 60_000, "10m": 600_000}
_SHOWN: Final = 8
_COMPARED: Final = ("count", "mean", "min", "max")
_REQUIRED: Final = ("observation", "aggregate", "rollup", "anomaly", "crossing")


@dataclass(slots=True)
class Verdict:
    """What the script says of one dump.

    ``lost`` and ``doubled`` count observations: not stored, or counted in fewer windows than they
    should be; counted in a window more often than once. ``problems`` are sentences for people.
    ``anomalies`` counts by kind: which there should be, only a detector can say.
    """

    observations: int = 0
    lost: int = 0
    doubled: int = 0
    unexpected: int = 0
    problems: list[str] = field(default_factory=list)
    anomalies: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether all is as the script says."""
        return not (self.lost or self.doubled or self.unexpected or self.problems)


class Figures(NamedTuple):
    """Figures of one window."""

    readings: int
    mean: float
    low: float
    high: float


def judge(dump: Dump, scripts: Sequence[NodeScript]) -> Verdict:
    """Hold a dump against the script."""
    verdict = Verdict()
    for measurement in _REQUIRED:
        if not dump.get(measurement):
            verdict.problems.append(f"there is no {measurement} at all")
    verdict.anomalies = Counter(dict(key.tags).get("kind", "") for key in dump.get("anomaly", ()))
    _judge_observations(dump, scripts, verdict)
    windows = _judge_aggregates(dump, scripts, verdict)
    _judge_rollups(dump, scripts, windows, verdict)
    _judge_crossings(dump, scripts, verdict)
    # The script breaks no rule, and what is sent again is no breach either.
    verdict.problems += [
        f"rejected: {dict(tags)}: {fields}"
        for (_, tags, _), fields in sorted(dump.get("rejected", {}).items())
    ]
    return verdict


def stream_tags(script: NodeScript, entry: Arrival, **more: str) -> Tags:
    """The tags of a datastream of the script."""
    tags = {
        "node": script.node,
        "sensor": entry.kind.sensor,
        "property": entry.kind.property,
        "district": script.district,
    }
    return tuple(sorted((tags | more).items()))


def _usable(entry: Arrival) -> bool:
    limits = entry.kind.limits
    return limits is None or limits[0] <= entry.value <= limits[1]


def _judge_observations(dump: Dump, scripts: Sequence[NodeScript], verdict: Verdict) -> None:
    stored = dump.get("observation", {})
    expected = {
        Key(RAW, stream_tags(script, entry), entry.t * _NS): entry
        for script in scripts
        for entry in script.arrivals()
        if entry.fate is not Fate.REPEATED
    }
    verdict.observations = len(expected)
    missing = sorted(expected.keys() - stored.keys())
    extra = sorted(stored.keys() - expected.keys())
    verdict.lost += len(missing)
    verdict.unexpected += len(extra)
    verdict.problems += [f"observation missing: {key}" for key in missing[:_SHOWN]]
    verdict.problems += [f"observation that nobody made: {key}" for key in extra[:_SHOWN]]
    wrong = [
        f"observation {key}: {stored[key]}, but the instrument gave {entry.value}"
        for key, entry in sorted(expected.items())
        if key in stored
        and stored[key] != {"value": entry.value, "quality": 0.0 if _usable(entry) else 2.0}
    ]
    verdict.unexpected += len(wrong)
    verdict.problems += wrong[:_SHOWN]


_Windows = dict[tuple[Tags, str], dict[int, Figures]]


def _judge_aggregates(dump: Dump, scripts: Sequence[NodeScript], verdict: Verdict) -> _Windows:
    stored: dict[tuple[Tags, str], dict[int, Fields]] = defaultdict(dict)
    for (database, tags, time), fields in dump.get("aggregate", {}).items():
        window = dict(tags)["window"]
        if (database == MAIN) != (window == "10m"):
            verdict.problems.append(f"a window of {window} in {database}: {tags}")
        bare = tuple(pair for pair in tags if pair[0] != "window")
        stored[bare, window][time // _NS] = fields
    expected: _Windows = {}
    late: dict[Tags, int] = {}
    for script in scripts:
        for tags, entries in _by_stream(script).items():
            late[tags] = sum(entry.fate is Fate.LATE for entry in entries)
            counted = [e for e in entries if e.fate is Fate.TAKEN and _usable(e)]
            names = {window for found, window in stored if found == tags}
            verdict.problems += [
                f"no {name} windows of {tags}" for name in {"1m", "10m"} - names if counted
            ]
            for name in sorted(names & _LENGTHS.keys()):
                expected[tags, name] = _figures(counted, _LENGTHS[name])
    for place, found in stored.items():
        if place not in expected:
            verdict.problems.append(f"windows that cannot be: {place}")
            continue
        _judge_windows(f"aggregate {place}", expected[place], found, verdict)
        counted_late = sum(float(fields.get("late", 0)) for fields in found.values())
        if counted_late != late[place[0]]:
            verdict.problems.append(f"{place}: {counted_late:g} late, not {late[place[0]]}")
    return expected


def _judge_windows(
    place: str, expected: dict[int, Figures], found: dict[int, Fields], verdict: Verdict
) -> None:
    wrong: list[str] = []
    for start in sorted(expected.keys() | found.keys()):
        right = expected.get(start, Figures(0, math.nan, math.nan, math.nan))
        fields = found.get(start, {})
        excess = int(float(fields.get("count", 0))) - right.readings
        verdict.doubled += max(0, excess)
        verdict.lost += max(0, -excess)
        if not _agrees(right, fields):
            wrong.append(f"{place} at {start}: {fields or 'nothing'}, should be {right}")
    verdict.problems += wrong[:_SHOWN]


def _agrees(right: Figures, fields: Fields) -> bool:
    if not fields:
        return right.readings == 0
    values = [fields.get(name) for name in _COMPARED]
    if right.readings == 0:
        return values[0] == 0
    return all(
        isinstance(value, float | int) and math.isclose(value, wanted, rel_tol=RELATIVE)
        for value, wanted in zip(values, right, strict=True)
    )


def _judge_rollups(
    dump: Dump, scripts: Sequence[NodeScript], windows: _Windows, verdict: Verdict
) -> None:
    districts = {script.district for script in scripts}
    parts: dict[tuple[str, str, str], dict[int, list[Figures]]] = {}
    for (tags, name), starts in windows.items():
        named = dict(tags)
        for district in (named["district"], _EVERYWHERE):
            place = parts.setdefault((district, named["property"], name), {})
            for start, figures in starts.items():
                place.setdefault(start, []).append(figures)
    stored: dict[tuple[str, str, str], dict[int, Fields]] = defaultdict(dict)
    for (database, tags, time), fields in dump.get("rollup", {}).items():
        named = dict(tags)
        if (database == MAIN) != (named["window"] == "10m"):
            verdict.problems.append(f"a roll-up of {named['window']} in {database}: {tags}")
        place_of = named["district"], named["property"], named["window"]
        stored[place_of][time // _NS] = fields
    for place_of in sorted(stored.keys() | parts.keys()):
        if place_of[0] not in districts | {_EVERYWHERE} or place_of not in parts:
            verdict.problems.append(f"roll-ups that cannot be: {place_of}")
            continue
        wanted = parts[place_of]
        found = stored.get(place_of, {})
        totals = {start: _total(figures) for start, figures in wanted.items()}
        _judge_windows(f"rollup {place_of}", totals, found, verdict)
        for start, members in wanted.items():
            told = found.get(start, {}).get("datastreams")
            if told != len(members):
                verdict.problems.append(
                    f"rollup {place_of} at {start}: {told} datastreams, not {len(members)}"
                )


def _judge_crossings(dump: Dump, scripts: Sequence[NodeScript], verdict: Verdict) -> None:
    wanted: dict[Tags, list[int]] = defaultdict(list)
    for script in scripts:
        for passed in script.crossings():
            named = {
                "node": script.node,
                "camera": passed.camera,
                "line": passed.line,
                "class": passed.cls,
                "direction": passed.direction,
                "district": script.district,
            }
            wanted[tuple(sorted(named.items()))].append(passed.t)
    found: dict[Tags, list[int]] = defaultdict(list)
    for (_, tags, time), fields in dump.get("crossing", {}).items():
        found[tags] += [time // _NS] * int(float(fields.get("count", 0)))
    for tags in sorted(wanted.keys() | found.keys()):
        if sorted(wanted[tags]) != sorted(found[tags]):
            verdict.problems.append(
                f"crossings of {tags}: {len(found[tags])}, should be {len(wanted[tags])},"
                " or at other times"
            )


def _by_stream(script: NodeScript) -> dict[Tags, list[Arrival]]:
    streams: dict[Tags, list[Arrival]] = defaultdict(list)
    for entry in script.arrivals():
        streams[stream_tags(script, entry)].append(entry)
    return streams


def _figures(entries: Iterable[Arrival], length: int) -> dict[int, Figures]:
    values: dict[int, list[float]] = defaultdict(list)
    for entry in entries:
        values[entry.t - entry.t % length].append(entry.value)
    return {
        start: Figures(len(v), math.fsum(v) / len(v), min(v), max(v)) for start, v in values.items()
    }


def _total(parts: Sequence[Figures]) -> Figures:
    count = sum(part.readings for part in parts)
    mean = math.fsum(part.mean * part.readings for part in parts) / count
    return Figures(count, mean, min(p.low for p in parts), max(p.high for p in parts))
