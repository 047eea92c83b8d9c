"""The judge that knows only the script: it accepts what is right and notices each wrong."""

import copy
from collections import defaultdict
from collections.abc import Callable

import pytest

from benchmarks.chaos.dump import Dump, Fields, Key
from benchmarks.chaos.faults import Strike, schedule
from benchmarks.chaos.script import ABSURD, KINDS, Arrival, Fate, NodeScript, node_script
from benchmarks.chaos.truth import MAIN, RAW, Verdict, judge

SPAN = 45 * 60_000
NS = 1_000_000
SCRIPTS = [node_script(3, index, SPAN) for index in range(2)]
LENGTHS = {"1m": 60_000, "10m": 600_000}


def right_dump(scripts: list[NodeScript]) -> Dump:
    """What a stream without a fault would store, by the plainest means."""
    dump: Dump = {name: {} for name in ("observation", "aggregate", "rollup", "crossing")}
    parts: dict[tuple[str, str, str, int], list[list[float]]] = defaultdict(list)
    for script in scripts:
        for passed in script.crossings():
            tags = {
                "node": script.node,
                "camera": passed.camera,
                "line": passed.line,
                "class": passed.cls,
                "direction": passed.direction,
                "district": script.district,
            }
            dump["crossing"][key(MAIN, tags, passed.t, passed.track)] = {"count": 1.0}
        for kind in KINDS:
            tags = {
                "node": script.node,
                "sensor": kind.sensor,
                "property": kind.property,
                "district": script.district,
            }
            entries = [e for e in script.arrivals() if e.kind is kind and e.fate != Fate.REPEATED]
            add_observations(dump, tags, entries)
            for window, length in LENGTHS.items():
                for start, values in add_aggregates(dump, tags, entries, window, length).items():
                    for district in (script.district, "_city"):
                        parts[district, kind.property, window, start].append(values)
    for (district, prop, window, start), members in parts.items():
        values = [value for member in members for value in member]
        tags = {"district": district, "property": prop, "window": window}
        dump["rollup"][key(database_of(window), tags, start)] = figures(
            values, datastreams=len(members)
        )
    dump["anomaly"] = {key(MAIN, {"kind": "gap"}, 1): {"score": 1.0}}
    return dump


def key(database: str, tags: dict[str, str], t: int, nanoseconds: int = 0) -> Key:
    return Key(database, tuple(sorted(tags.items())), t * NS + nanoseconds)


def database_of(window: str) -> str:
    return MAIN if window == "10m" else RAW


def is_absurd(entry: Arrival) -> bool:
    return entry.kind.limits is not None and (entry.value < 0 or entry.value >= ABSURD)


def add_observations(dump: Dump, tags: dict[str, str], entries: list[Arrival]) -> None:
    for entry in entries:
        quality = 2.0 if is_absurd(entry) else 0.0
        dump["observation"][key(RAW, tags, entry.t)] = {"value": entry.value, "quality": quality}


def add_aggregates(
    dump: Dump, tags: dict[str, str], entries: list[Arrival], window: str, length: int
) -> dict[int, list[float]]:
    windows: dict[int, list[float]] = defaultdict(list)
    for entry in entries:
        if entry.fate is Fate.TAKEN and not is_absurd(entry):
            windows[entry.t // length * length].append(entry.value)
    late = sum(entry.fate is Fate.LATE for entry in entries)
    for start, values in windows.items():
        dump["aggregate"][key(database_of(window), tags | {"window": window}, start)] = figures(
            values, late=late if start == max(windows) else 0
        )
    return windows


def figures(values: list[float], **more: float) -> Fields:
    return {
        "count": float(len(values)),
        "mean": sum(values) / len(values),
        "min": min(values),
        "max": max(values),
        **{name: float(value) for name, value in more.items()},
    }


RIGHT = right_dump(SCRIPTS)


def spoilt(change: Callable[[Dump], None]) -> Verdict:
    dump = copy.deepcopy(RIGHT)
    change(dump)
    return judge(dump, SCRIPTS)


def test_what_is_right_is_accepted() -> None:
    verdict = judge(RIGHT, SCRIPTS)
    assert verdict.problems == []
    assert verdict.good
    assert verdict.anomalies == {"gap": 1}
    assert verdict.observations == len(RIGHT["observation"]) > 1_000


def test_the_script_holds_every_kind_of_trouble() -> None:
    fates = {entry.fate for script in SCRIPTS for entry in script.arrivals()}
    assert fates == set(Fate)
    assert any(entry.value >= ABSURD for script in SCRIPTS for entry in script.arrivals())
    assert {script.district for script in SCRIPTS} == {"harbour", "hill"}
    assert any(True for script in SCRIPTS for _ in script.crossings())


def test_two_runs_of_a_script_are_the_same() -> None:
    again = node_script(3, 0, SPAN)
    assert list(again.entries) == list(SCRIPTS[0].entries)
    assert list(node_script(4, 0, SPAN).entries) != list(SCRIPTS[0].entries)


def test_a_lost_observation_is_noticed() -> None:
    verdict = spoilt(lambda dump: dump["observation"].popitem() and None)
    assert (verdict.lost, verdict.doubled) == (1, 0)
    assert not verdict.good


def test_an_observation_that_nobody_made_is_noticed() -> None:
    def invent(dump: Dump) -> None:
        other = next(iter(dump["observation"]))
        dump["observation"][other._replace(time=other.time + 1)] = {"value": 1.0, "quality": 0.0}

    assert spoilt(invent).unexpected == 1


@pytest.mark.parametrize("field", ["value", "quality"])
def test_a_wrong_value_is_noticed(field: str) -> None:
    def change(dump: Dump) -> None:
        next(iter(dump["observation"].values()))[field] = 0.125

    assert spoilt(change).unexpected == 1


def test_an_observation_counted_twice_is_noticed() -> None:
    def count_again(dump: Dump) -> None:
        fields = next(iter(dump["aggregate"].values()))
        fields["count"] = float(fields["count"]) + 1

    verdict = spoilt(count_again)
    assert (verdict.lost, verdict.doubled) == (0, 1)
    assert not verdict.good


def test_a_lost_window_is_noticed() -> None:
    verdict = spoilt(lambda dump: dump["aggregate"].popitem() and None)
    assert verdict.lost > 0
    assert not verdict.good


@pytest.mark.parametrize("field", ["mean", "min", "max", "late"])
@pytest.mark.parametrize("measurement", ["aggregate", "rollup"])
def test_a_wrong_figure_is_noticed(measurement: str, field: str) -> None:
    if (measurement, field) == ("rollup", "late"):
        field = "datastreams"

    def change(dump: Dump) -> None:
        fields = next(iter(dump[measurement].values()))
        fields[field] = float(fields[field]) + 1e-6

    assert not spoilt(change).good


@pytest.mark.parametrize("measurement", ["aggregate", "rollup"])
def test_a_window_in_the_wrong_database_is_noticed(measurement: str) -> None:
    def move(dump: Dump) -> None:
        points = dump[measurement]
        there, fields = points.popitem()
        points[there._replace(database=RAW if there.database == MAIN else MAIN)] = fields

    assert not spoilt(move).good


def test_a_lost_roll_up_is_noticed() -> None:
    assert not spoilt(lambda dump: dump["rollup"].popitem() and None).good


def test_a_lost_crossing_is_noticed() -> None:
    assert not spoilt(lambda dump: dump["crossing"].popitem() and None).good


@pytest.mark.parametrize("name", ["observation", "aggregate", "rollup", "crossing", "anomaly"])
def test_an_empty_measurement_proves_nothing(name: str) -> None:
    assert not spoilt(lambda dump: dump[name].clear()).good


def test_a_schedule_follows_from_its_seed_and_holds_every_kind() -> None:
    faults = schedule(1, 40, 100.0, 4)
    assert faults == schedule(1, 40, 100.0, 4)
    assert faults != schedule(2, 40, 100.0, 4)
    assert {fault.strike for fault in faults} == set(Strike)
    assert all(0 <= fault.at <= 100 and fault.pause > 0 for fault in faults)
