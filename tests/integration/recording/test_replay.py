"""A recorded run, replayed into an empty centre, gives what the run gave: all servers are real."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.chaos.compare import MACHINERY, compare
from benchmarks.chaos.dump import Dump
from simulators.recording.info import Info, look
from simulators.recording.reader import File
from tests.integration.recording.town import Centre, Command, Town, recorder
from tests.servers import InfluxDb1, Mosquitto
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration


@dataclass
class Recorded:
    """The town's run, recorded."""

    folder: Path
    file: Path
    first: Centre
    second: Centre
    run: Dump
    info: Info


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("town")
    broker, influx = Mosquitto(folder / "mosquitto"), InfluxDb1(folder / "influxdb")
    broker.start()
    influx.start()
    first, second = (Centre(folder, name, broker, influx) for name in ("first", "second"))
    try:
        for centre in (first, second):
            centre.stream.start(ready=False)
        file = folder / "run.mcap"
        recording = recorder(folder, first.mqtt, file)
        for centre in (first, second):
            until(lambda: "stream runs" in centre.stream.text(), "the stream runs")  # noqa: B023
        town = Town(folder, first.mqtt)
        # Slowly, so that it is stopped in the midst, however fast or slow the machine.
        town.run(
            pace=100.0, enough=lambda: {"chaos-0", "chaos-1"} <= set(first.nodes("observation"))
        )
        town.run()
        recording.end()
        yield Recorded(folder, file, first, second, settled(first), look([file]))
    finally:
        for centre in (first, second):
            centre.stream.end()
        influx.stop()
        broker.stop()


def settled(centre: Centre) -> Dump:
    """What a centre holds once its roll-ups, which leave last, are complete and all is still."""
    seen, since = centre.dump(), time.monotonic()

    def still() -> bool:
        nonlocal seen, since
        now = centre.dump()
        if comparable(now) != comparable(seen):
            seen, since = now, time.monotonic()
        return rolled_up(now) and time.monotonic() - since > 1.2

    until(still, "all is written")
    return seen


def rolled_up(found: Dump) -> bool:
    """Whether the whole city's roll-ups count what all windows count."""
    sums: dict[str, Counter[tuple[str, str]]] = {"aggregate": Counter(), "rollup": Counter()}
    for measurement, counts in sums.items():
        for key, fields in found.get(measurement, {}).items():
            tags = dict(key.tags)
            if measurement == "aggregate" or tags["district"] == "_city":
                counts[tags["property"], tags["window"]] += int(fields["count"])
    return sums["aggregate"] == sums["rollup"]


def comparable(found: Dump) -> Dump:
    return {name: points for name, points in found.items() if name not in MACHINERY}


def equal(run: Dump, centre: Centre) -> bool:
    return all(difference.equal for difference in compare(run, centre.dump()).values())


def replay(recorded: Recorded, centre: Centre, *more: str) -> Command:
    mqtt = ("--mqtt-url", centre.mqtt.url, "--mqtt-root", centre.mqtt.root)
    return Command(recorded.folder, "replay", str(recorded.file), *mqtt, "--until-done", *more)


def test_the_recording_tells_what_was_in_the_run(recorded: Recorded) -> None:
    info = recorded.info
    assert [node.node for node in info.nodes] == ["chaos-0", "chaos-1", "odd"]
    assert not info.unreadable
    assert info.files[0].closed
    # Each node was started twice.
    assert all(len([t for t in node.terms if t.batches]) == 2 for node in info.nodes[:2])
    assert all(term.hello and not term.missing for node in info.nodes for term in node.terms)
    stored = recorded.run["observation"]
    assert info.observations >= len(stored) > 1_500
    assert sum(s.late for node in info.nodes for s in node.datastreams) > 0
    assert {"crossing", "crowd", "dwell"} <= set().union(*(node.events for node in info.nodes))


def test_a_replay_gives_the_content_of_the_run_though_it_is_killed(recorded: Recorded) -> None:
    run, second = recorded.run, recorded.second
    assert {"aggregate", "anomaly", "crossing", "event", "observation", "rollup"} <= run.keys()
    assert any(fields["late"] for fields in run["aggregate"].values())
    assert any(fields["quality"] for fields in run["observation"].values())
    part = len(run["observation"]) // 10
    # Slowly, so that it is killed in the midst, however long it takes to look.
    killed = replay(recorded, second, "--speed", "0.2")
    until(lambda: len(second.nodes("observation")) > part, "a part of it is stored")
    killed.kill()
    assert len(second.nodes("observation")) < len(run["observation"])
    told = replay(recorded, second, "--speed", "max").wait()
    assert "goes on with the replay that was interrupted" in told
    assert "all of it is committed" in told
    until(lambda: equal(run, second), "both centres hold the same")
    assert second.pictures() == recorded.first.pictures() != {}

    # And once more: all of it is there already, and refused.
    before = second.dump().get("rejected", {})
    replay(recorded, second, "--speed", "max").wait()
    until(lambda: second.dump().get("rejected", {}) != before, "the second replay is refused")
    assert equal(run, second)


def test_under_other_names_nothing_collides(recorded: Recorded) -> None:
    first = recorded.first
    wanted = ("--node", "odd", "--node", "chaos-0", "--rename", "lab-", "--speed", "max")
    assert "2 nodes" in replay(recorded, first, *wanted).wait()
    counts = Counter(first.nodes("observation"))
    assert counts["odd"] == counts["lab-odd"] > 0
    assert counts["chaos-0"] == counts["lab-chaos-0"] > 0
    assert counts["lab-chaos-1"] == 0
    ids = {str(fields["id"]) for fields in first.dump("event")["event"].values()}
    assert {f"lab-{one}" for one in ids if not one.startswith("lab-")} <= ids
    pictures = first.pictures()
    assert pictures["lab-odd.lab-p0.jpg"] == pictures["odd.p0.jpg"]


def test_turns_of_a_loop_follow_each_other_and_go_on_after_a_kill(recorded: Recorded) -> None:
    first, run = recorded.first, recorded.run
    size = Counter(dict(key.tags)["node"] for key in run["observation"])["chaos-1"]
    loop = ("--node", "chaos-1", "--rename", "chaos-1=round", "--loop", "--speed", "max")
    killed = replay(recorded, first, *loop)
    until(lambda: first.nodes("observation").count("round") > 1.5 * size, "it is in its next turn")
    killed.kill()
    looping = replay(recorded, first, *loop)
    until(lambda: "goes on with" in looping.text, "it goes on")
    more = first.nodes("observation").count("round") + 2 * size
    until(lambda: first.nodes("observation").count("round") > more, "it is further on")
    looping.end()

    found = first.dump()
    rejected = [fields.get("sample") for fields in found.get("rejected", {}).values()]
    assert not [sample for sample in rejected if "round" in str(sample)]
    times = {
        node: sorted(k.time for k in found["observation"] if ("node", node) in k.tags)
        for node in ("chaos-1", "round")
    }
    span = times["round"][size] - times["round"][0]
    for turn in range(len(times["round"]) // size):
        part = times["round"][turn * size : (turn + 1) * size]
        assert [t - turn * span for t in part] == times["chaos-1"]


def test_a_recorder_that_is_killed_leaves_what_it_heard(recorded: Recorded) -> None:
    file, second = recorded.folder / "killed.mcap", recorded.second
    # Slowly enough to be playing still when another begins, on a busy machine, too.
    again = ("--rename", "again-", "--times", "now")
    playing = replay(recorded, second, *again, "--speed", "0.1")
    killed = recorder(recorded.folder, second.mqtt, file)
    until(lambda: heard(file) > 20, "messages are in the file")
    before = heard(file)
    killed.kill()
    found = File.open(file)
    assert len(list(found.messages())) >= before
    assert not found.closed
    assert "not closed" in look([file]).as_text()

    # Nobody plays over a node that runs.
    other = replay(recorded, second, "--rename", "again-", "--dir", "other")
    assert other.process.wait(PATIENCE_S) == 2
    assert "held by a node that is online" in other.text
    playing.end()
    told = replay(recorded, second, *again, "--speed", "max").wait()
    assert "goes on with the replay that was interrupted" in told
    assert "all of it is committed" in told
    counts = Counter(second.nodes("observation"))
    assert counts["again-odd"] == Counter(recorded.first.nodes("observation"))["odd"] > 0


def heard(file: Path) -> int:
    return sum(1 for _ in File.open(file).messages())


def test_a_table_is_played_as_a_node(recorded: Recorded) -> None:
    folder = recorded.folder
    rows = [f"2014-02-17T12:{n:02d}:00Z,{n}" for n in range(60)]
    (folder / "Town hall.csv").write_text("\n".join(["timestamp,value", *rows]) + "\n")
    mqtt = recorded.second.mqtt
    told = Command(
        folder,
        *("replay", "Town hall.csv", "--mapping", "timestamp-value", "--area", "chaos/hall"),
        *("--mqtt-url", mqtt.url, "--mqtt-root", mqtt.root, "--speed", "max", "--until-done"),
        *("--from", "2014-02-17T12:10:00Z"),
    ).wait()
    assert "all of it is committed" in told
    found = settled(recorded.second)
    values = [
        f["value"] for k, f in found["observation"].items() if ("node", "town-hall") in k.tags
    ]
    assert sorted(map(float, values)) == [float(n) for n in range(10, 60)]
