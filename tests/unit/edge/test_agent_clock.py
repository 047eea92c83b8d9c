import threading
from pathlib import Path

from citynerve.clock import now_ms
from citynerve.mqtt import MqttConfig
from edge.agent import Agent
from edge.config import NodeConfig, NodeTable, SendTable
from edge.sensor.driver import Reading
from edge.spool import Spool
from tests.unit.edge.live_node import Scripted
from tests.waiting import until

HOUR = 3_600_000


def test_a_clock_set_back_does_not_keep_readings_from_the_disk(tmp_path: Path) -> None:
    driver = Scripted()
    driver.give = lambda now: [Reading("s", "p", now, 1.0)]
    back = 0
    config = NodeConfig(
        node=NodeTable(id="node-0", area="town"),
        mqtt=MqttConfig(url="mqtt://127.0.0.1:1"),
        send=SendTable(batch_ms=50),
    )
    spool = Spool.open(tmp_path / "spool.db", node="node-0", max_bytes=1 << 30)
    agent = Agent(config, [driver], spool, clock=lambda: now_ms() - back)
    held: list[int] = []

    def watch() -> None:
        """Set the clock back once something is spooled, and end when more is."""
        nonlocal back
        try:
            for _ in range(2):
                held.append(_grown(spool))
                back = HOUR
        finally:
            agent.stop()

    watcher = threading.Thread(target=watch)
    watcher.start()
    # SQLite's connection belongs to this thread; the other one looks at a figure only.
    agent.run()
    watcher.join()
    assert held[1] > held[0] > 0


def _grown(spool: Spool) -> int:
    """Wait until two more batches are spooled; how many there are."""
    before = spool.last
    until(lambda: spool.last >= before + 2, "two more batches")
    return spool.last
