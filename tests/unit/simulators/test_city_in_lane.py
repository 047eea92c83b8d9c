"""The demo's city, brought into the stream's lanes: are its faults found, and nothing else?"""

from pathlib import Path

import pytest
from msgspec import convert

from citynerve import codec
from citynerve.messages import About, AnomalyEvent, Batch, Column, Hello, HelloMessage
from citynerve.topics import Topics, shard
from edge.sensor.driver import Item, Mark, Reading
from simulators import city
from simulators.fault import Truth
from simulators.node import SimulatedNode
from stream.lane.lane import Lane
from stream.lane.settings import LaneSettings
from stream.scenario import load_scenarios

ORIGIN = 1_763_900_000_000
END = ORIGIN + 70_000
KINDS = {"spike": {"spike", "range"}, "stuck": {"flatline"}, "gap": {"gap"}}
INTERVAL = 60_000
"""Between two readings of the history, ms."""
SETTLING = 600_000
"""An anomaly may open this long after its fault ended, ms."""


def columns(items: list[Item]) -> list[Column]:
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


def anomalies(node: str, driver: SimulatedNode, area: str) -> list[AnomalyEvent]:
    """What a lane reports of one node's history and first 70 s, each anomaly once."""
    topic = Topics().obs(node)
    lane = Lane(shard(node), LaneSettings(scenarios=load_scenarios()), lambda: END)
    about = About(area=area, sensors=tuple(driver.sensors()))
    lane.take([(topic, codec.encode(HelloMessage(Hello(node, 1 << 32, about, END))))])
    driver.open(ORIGIN)
    seq = 0
    found: dict[str, AnomalyEvent] = {}
    while items := list(driver.poll(END, 50)):
        seq += 1
        batch = Batch(node, 1 << 32, seq, seq, END, obs=columns(items))
        out = lane.take([(topic, codec.encode(batch))])
        assert out.rejected == []
        found |= {event.id: event for event in out.anomalies}
    return list(found.values())


def explains(fault: Truth, event: AnomalyEvent) -> bool:
    same = (fault.sensor, fault.property) == (event.sensor, event.property)
    # A gap begins with the last reading before it.
    return same and fault.start - INTERVAL <= event.t <= fault.end + SETTLING


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_demo_finds_its_faults_and_little_else(seed: int) -> None:
    missed, false, faults = [], [], 0
    for node, tables in city.node_configs(len(city.KITS), seed).items():
        options = convert(tables["sensor"][0]["options"], dict)
        driver = SimulatedNode("city", options, Path())
        events = anomalies(node, driver, tables["node"]["area"])
        truth = driver.truth()
        sharp = [fault for fault in truth if fault.kind in KINDS]
        faults += len(sharp)
        missed += [
            fault
            for fault in sharp
            if not any(explains(fault, e) and e.kind in KINDS[fault.kind] for e in events)
        ]
        false += [e for e in events if not any(explains(fault, e) for fault in truth)]
    assert faults == 9
    assert missed == []
    assert len(false) <= 1
