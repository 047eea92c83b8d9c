import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from citynerve.demo.servers import Mosquitto
from citynerve.messages import Health
from citynerve.mqtt import Link
from tests.integration.edge.agents import (
    AgentProcess,
    configure,
    counts,
    plugin,
    spooled_readings,
)
from tests.integration.edge.centre import Centre, Row
from tests.integration.edge.counting_driver import readings
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration


@pytest.fixture
def quick_centre(broker: Mosquitto, tmp_path: Path) -> Iterator[Centre]:
    """One that commits often and grants much, where what matters is what is sent, not how."""
    one = Centre(broker.config.url, tmp_path, commit_s=0.02, credit=1 << 20)
    one.start()
    yield one
    one.kill()


def expected_rows(total: int) -> list[tuple[str, int, float]]:
    """What must arrive of ``counting_driver.readings``: the first value of each time, in order."""
    first = {
        (f"s{number % 2}", 1_000_000 + number * 1_000): float(number) for number in range(total)
    }
    return sorted((sensor, t, value) for (sensor, t), value in first.items())


def short(rows: list[Row]) -> list[tuple[str, int, float]]:
    return sorted((sensor, t, value) for _, sensor, _, t, value, _ in rows)


def health(centre: Centre, node: str = "node-0") -> Health:
    status = centre.statuses.get(node)
    return Health() if status is None or status.health is None else status.health


def test_a_finished_input_is_committed_reported_and_the_agent_ends(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    config = configure(tmp_path / "n", broker.config.url, plugin("Counting", "c", total=5_000))
    assert AgentProcess(config, "--until-done").wait() == 0
    assert short(centre.rows()) == expected_rows(5_000)
    given = readings(5_000, 0)
    assert counts(tmp_path / "n" / "spool.db") == {
        name: (read := sum(one.sensor == name for one in given), 2_500, read - 2_500, 0, 2_500)
        for name in ("s0", "s1")
    }
    until(lambda: health(centre).done, "the last status")
    assert not centre.statuses["node-0"].online
    assert max(centre.sizes) <= 16 * 1024


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_every_reading_arrives_exactly_once(
    broker: Mosquitto, centre: Centre, tmp_path: Path, seed: int
) -> None:
    rng = Random(seed)
    total, spool = 60_000, tmp_path / "n" / "spool.db"
    # Paced, so that its input lasts longer than its lives, however fast the machine is.
    sensor = plugin("Counting", "c", total=total, per_poll=100, interval_ms=10)
    config = configure(tmp_path / "n", broker.config.url, sensor)
    # In its start, while it collects, and while it sends: each to a random extent.
    for instant in ("start", "spool", "commit") * 3:
        agent = AgentProcess(config)
        more, spooled, committed = rng.randrange(2_000), spooled_readings(spool), centre.count()
        if instant == "start":
            time.sleep(0.8 * rng.random())
        elif instant == "spool":
            until(lambda: spooled_readings(spool) > spooled + more, "it collects")  # noqa: B023
        else:
            until(lambda: centre.count() > committed + more // 4, "it sends")  # noqa: B023
        agent.kill()
        if rng.random() < 0.4:
            centre.kill()
            centre.start()
    assert 0 < spooled_readings(spool) < total, "it was not killed in the midst"
    sensor = plugin("Counting", "c", total=total, per_poll=100)
    config = configure(tmp_path / "n", broker.config.url, sensor)
    assert AgentProcess(config, "--until-done").wait() == 0
    assert short(centre.rows()) == expected_rows(total)
    times: dict[str, int] = {}
    for _, name, _, t, _, late in centre.rows():
        assert not late
        assert t > times.get(name, 0)
        times[name] = t
    assert counts(spool)["s0"][1] == total // 2
    assert health(centre).given_up == 0


def test_a_broker_that_dies_and_forgets_loses_nothing(
    broker: Mosquitto, quick_centre: Centre, tmp_path: Path
) -> None:
    total = 200_000
    sensor = plugin("Counting", "c", total=total, per_poll=200)
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, sensor), "--until-done")
    for _ in range(3):
        seen = quick_centre.count()
        until(lambda seen=seen: quick_centre.count() > seen + 2_000, "progress")  # type: ignore[misc]
        broker.kill()
        broker.start()
    assert agent.wait() == 0
    assert short(quick_centre.rows()) == expected_rows(total)


def test_told_to_stop_it_keeps_what_is_collected_and_says_so(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    sensor = plugin("Ticking", "live", interval_ms=20)
    tables = {"send": {"batch_ms": 60_000, "mirror": True}}
    reader = Link(
        broker.config, client_id="reader", subscriptions=[("city/v1/last/node-0/live/p0", 0)]
    )
    reader.start()
    reader.wait_connected(PATIENCE_S)
    config = configure(tmp_path / "n", broker.config.url, sensor, **tables)
    agent = AgentProcess(config)
    until(lambda: "node-0" in centre.statuses, "online")
    assert centre.statuses["node-0"].online
    reader.messages.get(timeout=PATIENCE_S)
    reader.stop()
    # It has something now, which it does not keep back until the minute of its batch is over.
    assert agent.terminate() < 30
    assert agent.process.returncode == 0
    until(lambda: not centre.statuses["node-0"].online, "offline")
    assert centre.rows() == []
    spooled = counts(tmp_path / "n" / "spool.db")["live"]
    assert spooled[0] == spooled[4] > 0
    # The next process sends it, and goes on after it.
    agent = AgentProcess(config)
    until(lambda: centre.count() >= spooled[0], "what was kept")
    agent.terminate()
    times = [row[3] for row in centre.rows()]
    assert times == sorted(set(times))


def test_killed_its_last_will_says_that_it_is_offline(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, plugin("Ticking", "live")))
    until(lambda: "node-0" in centre.statuses, "online")
    agent.kill()
    until(lambda: not centre.statuses["node-0"].online, "offline")


def test_a_clone_is_found_reported_and_stops_sending(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    sensor = plugin("Ticking", "live", interval_ms=50)
    original = AgentProcess(configure(tmp_path / "a", broker.config.url, sensor))
    until(lambda: centre.count() > 5, "the original's data")
    problems: set[str] = set()
    clone = AgentProcess(configure(tmp_path / "b", broker.config.url, sensor))

    def reported() -> bool:
        problems.update(health(centre).problems)
        return any("another node calls itself 'node-0'" in problem for problem in problems)

    until(reported, "the complaint")
    seen = centre.count()
    until(lambda: centre.count() > seen + 20, "the other's data")
    terms = {batch.term for batch in centre.batches[-5:]}
    assert len(terms) == 1
    original.kill()
    clone.kill()


def test_another_streams_acks_are_ignored_and_reported(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    sensor = plugin("Ticking", "live", interval_ms=50)
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, sensor))
    until(lambda: centre.count() > 5, "data")
    centre.kill()
    other = Centre(broker.config.url, tmp_path, store="store-b")
    other.start()
    until(lambda: any("'store-b'" in text for text in health(other).problems), "the complaint")
    assert other.rows() == []
    other.kill()
    held = health(other).spool_batches
    assert held > 0
    centre.start()
    seen = centre.count()
    until(lambda: centre.count() > seen + 50, "data again")
    agent.terminate()
    times = [row[3] for row in centre.rows()]
    assert times == sorted(set(times))


def test_a_new_datastream_opens_a_new_term(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    sensor = plugin("Ticking", "live", interval_ms=50, grow_at=10)
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, sensor))
    until(lambda: any(row[2] == "p1" for row in centre.rows()), "the new property")
    agent.terminate()
    assert [prop.name for prop in centre.abouts["node-0"].sensors[0].properties] == ["p0", "p1"]
    assert len({batch.term for batch in centre.batches}) == 2


def test_what_waits_is_sent_under_the_description_that_it_was_made_under(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    """While the stream is away, a sensor is taken out of the configuration and another put in."""
    centre.kill()
    old, kept, new = (plugin("Ticking", name, interval_ms=50) for name in ("old", "kept", "new"))
    spool = tmp_path / "n" / "spool.db"
    for sensors in ((old, kept), (kept,), (kept, new)):
        enough = spooled_readings(spool) + 15
        agent = AgentProcess(configure(tmp_path / "n", broker.config.url, *sensors))
        until(lambda enough=enough: spooled_readings(spool) > enough, "a backlog")  # type: ignore[misc]
        agent.terminate()
    spooled = {name: figures[4] for name, figures in counts(spool).items()}
    centre.start()
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, kept, new))
    until(lambda: centre.count() > sum(spooled.values()) + 5, "what waited")
    agent.terminate()
    assert centre.undeclared == {}
    arrived = [row[1] for row in centre.rows()]
    assert arrived.count("old") == spooled["old"] > 5
    assert {sensor.name for sensor in centre.abouts["node-0"].sensors} == {"kept", "new"}


def test_a_lost_store_gets_all_that_is_not_committed(
    broker: Mosquitto, quick_centre: Centre, tmp_path: Path
) -> None:
    sensor = plugin("Counting", "c", total=100_000, per_poll=100)
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, sensor), "--until-done")
    until(lambda: quick_centre.count() > 2_000, "data")
    quick_centre.kill()
    old = quick_centre.rows()
    (tmp_path / "store-a.db").rename(tmp_path / "lost.db")
    for rest in ("-wal", "-shm"):
        (tmp_path / f"store-a.db{rest}").unlink(missing_ok=True)
    quick_centre.start()
    assert agent.wait() == 0
    assert sorted({*short(old), *short(quick_centre.rows())}) == expected_rows(100_000)


def test_the_last_value_is_mirrored_for_other_tools(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    sensor = plugin("Ticking", "live", interval_ms=50)
    tables = {"send": {"batch_ms": 100, "mirror": True, "format": "msgpack"}}
    agent = AgentProcess(configure(tmp_path / "n", broker.config.url, sensor, **tables))
    reader = Link(
        broker.config, client_id="reader", subscriptions=[("city/v1/last/node-0/live/p0", 0)]
    )
    reader.start()
    message = json.loads(reader.messages.get(timeout=PATIENCE_S).payload)
    assert message == {"t": message["t"], "v": float(message["t"]), "unit": "ms"}
    until(lambda: centre.count() > 5, "data in MessagePack")
    reader.stop()
    agent.terminate()


def test_a_second_agent_on_the_same_spool_is_refused(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    config = configure(tmp_path / "n", broker.config.url, plugin("Ticking", "live"))
    agent = AgentProcess(config)
    until(lambda: "node-0" in centre.statuses, "online")
    second = subprocess.run(
        [sys.executable, "-m", "citynerve", "edge", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert second.returncode == 2
    assert f"held by process {agent.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr
    agent.terminate()


def test_on_a_full_disk_what_can_wait_waits_and_what_cannot_is_counted(
    broker: Mosquitto, quick_centre: Centre, tmp_path: Path, small_disk: Path
) -> None:
    total, spool = 20_000, small_disk / "spool.db"
    (small_disk / "others").write_bytes(bytes(4 << 20))
    flood = plugin("Ticking", "live", size=200, interval_ms=5)
    waits = plugin("Counting", "c", total=total, per_poll=20)
    where = {"path": str(spool), "max_mb": 1000}
    config = configure(tmp_path / "n", broker.config.url, flood, waits, spool=where)
    until(lambda: quick_centre.start_number == 1, "the centre")
    agent = AgentProcess(config)
    until(lambda: quick_centre.count() > 1_000, "data")
    quick_centre.kill()
    until(lambda: "disk full: oldest batches given up" in agent.log.read_text(), "a full disk")
    quick_centre.start()
    until(lambda: health(quick_centre).given_up > 0, "given up, reported")
    found = health(quick_centre).problems
    assert any("given up for lack of space" in text for text in found)
    agent.kill()
    # Without the flood, all that is left comes through.
    config = configure(tmp_path / "n", broker.config.url, waits, spool=where)
    assert AgentProcess(config, "--until-done").wait() == 0
    rows = quick_centre.rows()
    assert len({row[1:4] for row in rows}) == len(rows)
    with contextlib.closing(sqlite3.connect(spool)) as db:
        sent = next(db.execute("SELECT sum(sent) FROM counts"))[0]
        given_up = next(db.execute("SELECT value FROM meta WHERE key = 'given_up_readings'"))[0]
    assert given_up > 0
    assert sent == len(rows) + given_up


def test_on_a_full_disk_an_input_that_can_wait_loses_nothing(
    broker: Mosquitto, quick_centre: Centre, tmp_path: Path, small_disk: Path
) -> None:
    total, spool = 400_000, small_disk / "spool.db"
    (small_disk / "others").write_bytes(bytes(4 << 20))
    quick_centre.kill()
    sensor = plugin("Counting", "c", total=total, per_poll=2_000)
    config = configure(tmp_path / "n", broker.config.url, sensor, spool={"path": str(spool)})
    agent = AgentProcess(config, "--until-done")
    until(lambda: "disk full" in agent.log.read_text(), "a full disk")
    quick_centre.start()
    assert agent.wait() == 0
    assert short(quick_centre.rows()) == expected_rows(total)
    assert health(quick_centre).given_up == 0
