"""The demo's city, brought into the stream's lanes: is what goes wrong found, and nothing else?"""

from collections.abc import Sequence
from pathlib import Path

from citynerve import codec
from citynerve.messages import About, AnomalyEvent, Batch, Column, Hello, HelloMessage
from citynerve.topics import Topics, shard
from edge.sensor.driver import Item, Mark, Reading
from simulators import city
from simulators.city.driver import SimulatedNode
from simulators.city.truth import Incident, Touched, read_truth
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.scenario import load_scenarios

START = 1_763_900_000_000
HISTORY = 30 * 3_600_000
END = START + 90_000
KINDS = {
    "accident": {"spike"},
    "fire": {"spike"},
    "flood": {"spike"},
    "overcrowding": {"spike"},
    "spike": {"spike", "range"},
    "stuck": {"flatline"},
    "silent": {"gap"},
}
"""What each kind of incident is found as."""

SETTLING = 600_000
"""An anomaly may open this long after its cause ended, ms."""


def columns(items: Sequence[Item]) -> list[Column]:
    found: dict[tuple[str, str], Column] = {}
    for item in items:
        assert isinstance(item, Reading | Mark)
        column = found.setdefault((item.sensor, item.property), Column(item.sensor, item.property))
        if isinstance(item, Reading):
            column.t.append(item.t)
            column.v.append(item.value)
        else:
            column.wm = item.t
    return list(found.values())


class Heard:
    """One node's driver into a lane of its own, and what the lane reports, each anomaly once."""

    def __init__(self, node: str, driver: SimulatedNode, area: str) -> None:
        self.driver = driver
        self.anomalies: dict[str, AnomalyEvent] = {}
        self._node = node
        self._seq = 0
        self._lane = Lane(shard(node), LaneSettings(scenarios=load_scenarios()), lambda: END)
        about = About(area=area, sensors=tuple(driver.sensors()))
        self._take(HelloMessage(Hello(node, 1 << 32, about, END)))
        driver.open(START)

    def step(self) -> None:
        self._seq += 1
        obs = columns(self.driver.poll(END, 4_000))
        self._take(Batch(self._node, 1 << 32, self._seq, self._seq, END, obs=obs))

    def _take(self, message: HelloMessage | Batch) -> None:
        out = self._lane.take([(Topics().obs(self._node), codec.encode(message))])
        assert out.rejected == []
        self.anomalies |= {event.id: event for event in out.anomalies}


def explains(touched: Touched, event: AnomalyEvent) -> bool:
    same = (touched.node, touched.sensor, touched.property) == (
        event.node, event.sensor, event.property
    )  # fmt: skip
    # A gap begins with the last reading before it.
    return same and touched.start - 120_000 <= event.t <= touched.end + SETTLING


def test_the_stream_finds_what_the_demo_shows_and_little_else(tmp_path: Path) -> None:
    configs = city.node_configs(
        6, 1, start_ms=START, duration_ms=90_000, interval_ms=1_000, rate=0.0,
        truth=str(tmp_path / "truth.ndjson"),
    )  # fmt: skip
    nodes = [
        Heard(
            node,
            SimulatedNode("city", tables["sensor"][0]["options"], tmp_path),
            tables["node"]["area"],
        )
        for node, tables in configs.items()
    ]
    # All abreast, as in a fleet: the city is computed once.
    while any(not node.driver.finished for node in nodes):
        for node in nodes:
            node.step()
    events = [event for node in nodes for event in node.anomalies.values()]
    truth = read_truth(tmp_path / "truth.ndjson")

    def found(one: Incident) -> bool:
        return any(
            explains(touched, event) and event.kind in KINDS[one.kind]
            for touched in one.datastreams
            for event in events
        )

    sharp = [one for one in truth if one.kind in KINDS]
    assert len(sharp) == 14
    assert [one.id for one in sharp if not found(one)] == []
    explained = [t for one in truth for t in one.datastreams]
    false = [e for e in events if not any(explains(touched, e) for touched in explained)]
    assert len(false) <= 1
