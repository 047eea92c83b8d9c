"""A live input, brought through intake and batches into a real lane of the stream."""

from collections.abc import Callable, Sequence
from pathlib import Path

from citynerve import codec
from citynerve.messages import (
    About,
    Batch,
    Hello,
    HelloMessage,
    PropertyAbout,
    SensorAbout,
)
from citynerve.topics import Topics, shard
from edge.batcher import Batcher, Envelope, wrap
from edge.intake import Intake
from edge.sensor.driver import Item
from edge.spool import Spool
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.scenario import load_scenarios
from tests.unit.edge.quiet_driver import QuietDriver

START = 1_763_899_800_000
"""The beginning of a ten-minute window, ms."""
NODE = "node-0"
SENSOR = SensorAbout("s", (PropertyAbout("p", "1"),))


class Scripted(QuietDriver):
    """A live driver that gives what it is told to."""

    name = "scripted"

    def __init__(self, *sensors: SensorAbout) -> None:
        self.about = list(sensors or [SENSOR])
        self.give: Callable[[int], Sequence[Item]] = lambda _: []

    def sensors(self) -> Sequence[SensorAbout]:
        return self.about

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        assert limit > 0
        return self.give(now)


class LiveNode:
    """``now`` is the true time, which the stream's clock tells; the node's is ``ahead`` of it."""

    def __init__(self, folder: Path, driver: Scripted) -> None:
        self.now = START
        self.ahead = 0
        self.driver = driver
        self.spool = Spool.open(folder / "spool.db", node=NODE, max_bytes=1 << 30)
        self.intake = Intake(driver, self.spool, self.clock)
        self._batcher = Batcher()
        self._seq = 0
        settings = LaneSettings(scenarios=load_scenarios(), raw="all")
        self._lane = Lane(shard(NODE), settings, lambda: self.now)
        self._topic = Topics().obs(NODE)
        self.lines: list[str] = []
        self.rejected: dict[str, int] = {}
        about = About("town/centre", sensors=tuple(driver.sensors()))
        hello = HelloMessage(Hello(NODE, 1 << 32, about, START))
        self._lane.take([(self._topic, codec.encode(hello))])

    def clock(self) -> int:
        return self.now + self.ahead

    def step(self) -> None:
        """Poll once, and send what came of it."""
        clock = self.clock()
        self._batcher.add("scripted", self.intake.poll(clock, 1000), clock)
        self._batcher.seal()
        for sealed in self._batcher.collect():
            self._seq += 1
            envelope = Envelope(NODE, 1 << 32, self._seq, 1, clock, want_ack=False)
            self._take(wrap(sealed.body, envelope))

    def windows(self, window: str) -> dict[int, int]:
        """Count of each closed window, by its start (ms)."""
        found = {}
        for line in self.lines:
            head, fields, time = line.rsplit(" ", 2)
            if head.endswith(f",window={window}"):
                found[int(time) // 1_000_000] = int(float(fields.split(",")[0].split("=")[1]))
        return found

    def _take(self, payload: bytes) -> None:
        assert isinstance(codec.decode_observation(payload), Batch)
        out = self._lane.take([(self._topic, payload)])
        self.lines += out.raw + out.lines
        for refused in out.rejected:
            self.rejected[refused.reason] = self.rejected.get(refused.reason, 0) + refused.count
