"""The dataflow.

::

    16 MQTT partitions ──> lanes ──┬─> lines ────────────> InfluxDB        at once
      │ ticks                      ├─> anomalies ────────> MQTT            at once
      │                            ├─> pictures ─────────> files           at once
      │                            ├─> rejected ─────────> MQTT, InfluxDB  told, not kept
      │                            ├─> closed windows ─> districts ─> roll-ups ─┐
      │                            └─> acks ─┐                                  │
      └──────────────────────────────────────┴─> MQTT, InfluxDB  after the commit

What leaves at once is a function of one node's admitted batches alone, so an epoch that is run
again overwrites what it wrote. What depends on the order of arrival across nodes, and what a node
acts on, leaves after the commit (``stream.sinks.gate``).

Bytewax keeps the state of a step under ``citynerve.<step id>`` and the key of an item, or the name
of a partition. All of these names are frozen with the format of the store (``stream.store.FORMAT``)
for Bytewax finds no state under another name, and would begin anew: the nodes' batches would be
counted twice.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from msgspec import Struct

from citynerve.clock import Clock
from citynerve.messages import AnomalyEvent, Rejected
from stream.lane.output import Picture
from stream.lane.settings import LaneSettings
from stream.meters import Meters
from stream.rollup import CITY
from stream.sinks import acks, events, evidence, lines, outbox, rejections
from stream.sinks.acks import Acks, AckSink
from stream.sinks.events import EventSink
from stream.sinks.evidence import EvidenceSink
from stream.sinks.lines import Lines, LinesSink
from stream.sinks.outbox import OutboxSink
from stream.sinks.rejections import RejectedSink
from stream.sources.mqtt import Item, MqttSource, Tick
from stream.steps import Additions, DistrictStep, LaneStep, RollupStep, Taken

if TYPE_CHECKING:
    from bytewax.operators import KeyedStream

    from stream.block import Points
    from stream.lane.output import Closed

FLOW: Final = "citynerve"


class Ends(Struct, frozen=True, kw_only=True):
    """Where the flow begins and where it ends."""

    source: MqttSource
    lines: LinesSink
    events: EventSink
    evidence: EvidenceSink
    rejected: RejectedSink
    acks: AckSink
    outbox: OutboxSink


def build(ends: Ends, settings: LaneSettings, *, clock: Clock, meters: Meters) -> Dataflow:
    """Lay the flow from its source to its sinks."""
    flow = Dataflow(FLOW)
    signs = op.branch("ticks", op.input("mqtt", flow, ends.source), _is_tick)
    ticks = signs.trues
    taken = op.stateful_batch(
        "lane", signs.falses, lambda state: LaneStep(state, settings, clock, meters)
    )

    written: KeyedStream[Lines | Tick] = op.flat_map("lines", taken, _lines)
    line_ticks: KeyedStream[Lines | Tick] = op.map(
        "lines_tick", ticks, lambda _: (lines.PART, Tick.TICK)
    )
    op.output("lines_out", op.merge("lines_all", line_ticks, written), ends.lines)
    op.output("events_out", op.flat_map("events", taken, _events), ends.events)
    op.output("evidence_out", op.flat_map("evidence", taken, _evidence), ends.evidence)
    op.output("rejected_out", op.flat_map("rejected", taken, _rejected), ends.rejected)

    owed: KeyedStream[Acks | Tick] = op.flat_map("acks", taken, _acks)
    ack_ticks: KeyedStream[Acks | Tick] = op.map(
        "acks_tick", ticks, lambda _: (acks.PART, Tick.TICK)
    )
    op.output("acks_out", op.merge("acks_all", ack_ticks, owed), ends.acks)

    closed = op.flat_map("closed", taken, _by_district)
    routes = op.stateful_batch("district", closed, lambda state: DistrictStep(state, meters))
    blocks = op.map("block", routes, lambda keyed: (keyed[1].key.text(), keyed[1]))
    points = op.stateful_batch("rollup", blocks, lambda state: RollupStep(state, meters))
    outbox_points: KeyedStream[Points | Tick] = op.map(
        "points", points, lambda keyed: (outbox.PART, keyed[1])
    )
    outbox_ticks: KeyedStream[Points | Tick] = op.map(
        "outbox_tick", ticks, lambda _: (outbox.PART, Tick.TICK)
    )
    op.output("outbox_out", op.merge("outbox_all", outbox_ticks, outbox_points), ends.outbox)
    return flow


def _is_tick(item: Item) -> bool:
    return item[1] is Tick.TICK


def _lines(keyed: tuple[str, Taken]) -> Iterable[tuple[str, Lines | Tick]]:
    output = keyed[1].output
    if output.raw or output.lines:
        yield lines.PART, Lines(output.raw, output.lines)


def _events(keyed: tuple[str, Taken]) -> Iterable[tuple[str, list[AnomalyEvent]]]:
    if keyed[1].output.anomalies:
        yield events.PART, keyed[1].output.anomalies


def _evidence(keyed: tuple[str, Taken]) -> Iterable[tuple[str, list[Picture]]]:
    if keyed[1].output.evidence:
        yield evidence.PART, keyed[1].output.evidence


def _rejected(keyed: tuple[str, Taken]) -> Iterable[tuple[str, list[Rejected]]]:
    if keyed[1].output.rejected:
        yield rejections.PART, keyed[1].output.rejected


def _acks(keyed: tuple[str, Taken]) -> Iterable[tuple[str, Acks | Tick]]:
    if keyed[1].output.acks:
        yield acks.PART, Acks(keyed[1].at, keyed[1].output.acks)


def _by_district(keyed: tuple[str, Taken]) -> Iterable[tuple[str, Additions]]:
    closed = keyed[1].output.closed
    if not closed:
        return
    districts: defaultdict[str, list[Closed]] = defaultdict(list)
    for one in closed:
        districts[one.district].append(one)
    for district, several in districts.items():
        yield district, Additions(district, several)
    yield CITY, Additions(CITY, closed)
