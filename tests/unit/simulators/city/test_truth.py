from pathlib import Path

import msgspec
import numpy as np
import pytest

from citynerve.errors import UnavailableError
from simulators.city.properties import PROPERTIES
from simulators.city.truth import Incident, Touched, read_truth, write_truth
from simulators.city.world import World
from tests.unit.simulators.city.worlds import (
    HOUR,
    MINUTE,
    MONDAY,
    Readings,
    absent,
    at,
    read,
    world,
)

RUSH = MONDAY + 7 * HOUR
END = RUSH + 100 * MINUTE

WANTED = (
    at(10, "accident", "road-01", size=0.85, lasts=25),
    at(20, "fire", "air-02", size=1.2, lasts=20),
    at(25, "gas_leak", "air-10", lasts=20),
    at(35, "overcrowding", "square-06", lasts=15),
    at(30, "cloudburst", size=40.0, lasts=20),
    at(40, "flood", "water-03", lasts=20),
    at(60, "jam", "road-08", lasts=20),
    at(12, "event", "square-06", lasts=60, size=400.0),
    at(65, "power_cut", "road-12", lasts=10),
)


def without(name: str) -> World:
    return world(20, start=RUSH, wanted=WANTED, without=frozenset({name}))


@pytest.fixture(scope="module")
def all_of_it() -> tuple[dict[str, Incident], Readings, set[tuple[str, str, str]]]:
    """The truth of all incidents together, what was read, and which datastreams were silent."""
    of = world(20, start=RUSH, wanted=WANTED)
    readings, silent = read(of, RUSH, END), set(absent(of, RUSH, END))
    return {one.id: one for one in of.truth(END)}, readings, silent


@pytest.fixture(scope="module")
def truth(
    all_of_it: tuple[dict[str, Incident], Readings, set[tuple[str, str, str]]],
) -> dict[str, Incident]:
    return all_of_it[0]


@pytest.mark.parametrize("name", [f"{one.kind}-w{i}" for i, one in enumerate(WANTED)])
def test_what_an_incident_touches_is_what_differs_without_it(
    all_of_it: tuple[dict[str, Incident], Readings, set[tuple[str, str, str]]], name: str
) -> None:
    """Two whole cities, one of them without the incident.

    Both draw the same noise, so a reading differs by what the model differs, but for noise that
    grows with the value, and rounding.
    """
    truth, struck, silent = all_of_it
    usual = read(without(name), RUSH, END)
    told = {(one.node, one.sensor, one.property): one for one in truth[name].datastreams}
    for key, (times, values) in struck.items():
        if key in silent:
            continue
        off = np.abs(values - usual[key][1])
        about = PROPERTIES[key[2]]
        blur = about.quantum + 0.35 * off + (60.0 if key[2] == "flow" else 0.0)
        surely = times[off - blur > about.threshold]
        hardly = times[off + blur > about.threshold]
        one = told.get(key)
        if one is None:
            assert not len(surely), key
        else:
            assert len(hardly), key
            assert hardly[0] <= one.start <= (surely[0] if len(surely) else one.start), key
            last = one.end - about.interval
            assert (surely[-1] if len(surely) else last) <= last <= hardly[-1], key
            assert np.all(times[off > 0] >= truth[name].start)


def test_what_is_told_of_one_is_what_it_does(truth: dict[str, Incident]) -> None:
    def effects(name: str) -> dict[tuple[str, str], str]:
        return {(one.node, one.property): one.effect for one in truth[name].datastreams}

    assert effects("accident-w0")["road-01", "speed"] == "down"
    assert effects("fire-w1")["air-02", "pm25"] == "up"
    assert effects("gas_leak-w2")["air-10", "ch4"] == "up"
    assert effects("overcrowding-w3")["square-06", "people"] == "up"
    assert effects("flood-w5")["water-03", "water_level"] == "up"
    assert effects("cloudburst-w4")["water-03", "rain"] == "up"
    assert set(effects("power_cut-w8").values()) >= {"silent"}
    rain = next(one for one in truth["cloudburst-w4"].datastreams if one.property == "water_level")
    assert rain.end > truth["cloudburst-w4"].end + HOUR // 2
    assert truth["cloudburst-w4"].district == "_city"
    assert truth["cloudburst-w4"].street is None
    assert truth["fire-w1"].street is not None
    assert truth["accident-w0"].start == RUSH + 10 * MINUTE


FAULTS = (
    at(10, "spike", "air-02", sensor="station", property="pm25", lasts=3),
    at(20, "stuck", "noise-04", sensor="microphone", property="noise"),
    at(30, "drift", "water-03", sensor="gauge", property="water_level", size=1.0),
    at(40, "noisy", "road-01", sensor="loop-in", property="speed", size=2.0),
    at(50, "silent", "road-08", sensor="loop-out"),
    at(60, "outage", "parking-05"),
    at(10, "battery", "air-10", lasts=120),
)


def test_a_sensors_fault_touches_it_alone_and_in_its_time() -> None:
    right, wrong = world(20, start=RUSH), world(20, start=RUSH, wanted=FAULTS)
    high = RUSH + 3 * HOUR
    usual, struck = read(right, RUSH, high), read(wrong, RUSH, high)
    gone = absent(wrong, RUSH, high)
    truth = {one.kind: one for one in wrong.truth(high)}
    told = {(t.node, t.sensor, t.property): t for one in truth.values() for t in one.datastreams}
    for key, (times, values) in usual.items():
        kept, found = struck[key]
        same = np.isin(times, kept)
        changed = kept[found != values[same]].tolist() + gone.get(key, [])
        assert (key in told) == bool(changed), key
        if key in told:
            one = told[key]
            assert one.start >= min(changed)
            assert max(changed) == one.end - PROPERTIES[key[2]].interval
            # What goes slowly counts once it has gone far.
            if key[2] not in {"water_level", "battery"}:
                assert one.start == min(changed)
    assert effects(truth["stuck"]) == {"stuck"}
    assert effects(truth["drift"]) == {"drift"}
    assert effects(truth["noisy"]) == {"noise"}
    assert effects(truth["spike"]) == {"up"}
    assert effects(truth["silent"]) == effects(truth["outage"]) == {"silent"}
    assert len(truth["silent"].datastreams) == 2
    assert len(truth["outage"].datastreams) == 3
    assert {one.effect for one in truth["battery"].datastreams} == {"silent"}
    stuck = struck["noise-04", "microphone", "noise"]
    during = (stuck[0] >= truth["stuck"].start) & (stuck[0] < truth["stuck"].end)
    assert len(set(stuck[1][during])) == 1


def effects(one: Incident) -> set[str]:
    return {touched.effect for touched in one.datastreams}


def test_a_drift_counts_once_it_has_gone_far() -> None:
    of = world(3, start=RUSH, wanted=[at(10, "drift", "water-03", property="water_level")])
    (drift,) = of.truth(RUSH + 2 * HOUR)
    (touched,) = drift.datastreams
    assert drift.start + 2 * MINUTE < touched.start < drift.end
    assert 0 <= touched.end - drift.end < MINUTE


def test_the_file_is_one_incident_a_line(tmp_path: Path) -> None:
    one = Incident(
        "fire-w0", "fire", "havnen", None, 56.1, 10.2, 1, 5, 1.5,
        (Touched("air-02", "station", "pm25", 2, 4, "up"),),
    )  # fmt: skip
    path = tmp_path / "deep" / "truth.ndjson"
    write_truth(path, [one, one])
    assert list(read_truth(path)) == [one, one]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert msgspec.json.decode(lines[0]) == {
        "id": "fire-w0", "kind": "fire", "district": "havnen", "street": None,
        "lat": 56.1, "lon": 10.2, "start": 1, "end": 5, "size": 1.5,
        "datastreams": [{"node": "air-02", "sensor": "station", "property": "pm25", "start": 2,
                         "end": 4, "effect": "up"}],
    }  # fmt: skip
    assert [entry.name for entry in path.parent.iterdir()] == ["truth.ndjson"]


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no truth\n", encoding="utf-8")
    with pytest.raises(UnavailableError, match="ground truth"):
        write_truth(tmp_path / "file" / "truth.ndjson", [])
    for path in (tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(UnavailableError, match="ground truth"):
            read_truth(path)
