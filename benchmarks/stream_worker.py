"""One stream under measurement, in a process of its own: the real parts, with the sink exchanged.

``bare`` receives, decodes, counts and acknowledges; nothing else.
"""

import json
import resource
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig
from bytewax.run import cli_main

from citynerve import log
from citynerve.clock import now_ms
from citynerve.codec import decode_observation
from citynerve.config import convert
from citynerve.messages import Batch
from stream import flow, owner, store
from stream.config import StreamConfig
from stream.lane.output import AckState
from stream.meters import Meters
from stream.service import Service
from stream.sinks.acks import PART, Acks
from stream.sinks.lines import LinesSink
from stream.sinks.outbox import OutboxSink
from stream.sources.mqtt import Item, Received, Start, Tick


class Discard:
    """A writer to nowhere."""

    failures = 0

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Drop them."""


class BareStep(StatefulBatchLogic[Received | Start | Tick, Acks, dict[str, tuple[int, int]]]):
    """Decodes and counts."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._nodes: dict[str, tuple[int, int]] = {}

    def on_batch(self, values: list[Received | Start | Tick]) -> tuple[Iterable[Acks], bool]:
        """Count."""
        readings, touched = 0, {}
        for value in values:
            if isinstance(value, Received):
                for _, payload in value.arrivals:
                    message = decode_observation(payload)
                    seq = 0
                    if isinstance(message, Batch):
                        seq = message.seq
                        for column in message.obs:
                            readings += len(column.t)
                    self._nodes[message.node] = (message.term, seq)
                    touched[message.node] = AckState(message.term, seq, 0, 0, urgent=True)
        self._meters.add("lane", "observations", readings)
        return [Acks(now_ms(), touched)], False

    def snapshot(self) -> dict[str, tuple[int, int]]:
        """What an acknowledgement would say."""
        return dict(self._nodes)


def _bare(service: Service) -> Dataflow:
    ends = service.ends()
    dataflow = Dataflow("bare")
    signs = op.branch("ticks", op.input("mqtt", dataflow, ends.source), _is_tick)
    counted = op.stateful_batch("count", signs.falses, lambda _: BareStep(service.meters))
    owed = op.map("acks", counted, lambda keyed: (PART, keyed[1]))
    ticks = op.map("acks_tick", signs.trues, lambda _: (PART, Tick.TICK))
    op.output("acks_out", op.merge("acks_all", ticks, owed), ends.acks)
    return dataflow


def _is_tick(item: Item) -> bool:
    return item[1] is Tick.TICK


def _dataflow(service: Service, kind: str) -> Dataflow:
    if kind == "bare":
        return _bare(service)
    ends = service.ends()
    if kind == "discard":
        ends = flow.Ends(
            source=ends.source,
            lines=LinesSink(Discard, raw="raw", main="main"),
            events=ends.events,
            evidence=ends.evidence,
            rejected=ends.rejected,
            acks=ends.acks,
            outbox=OutboxSink(Discard, raw="raw", main="main", meters=service.meters),
        )
    return flow.build(ends, service.lane_settings, clock=now_ms, meters=service.meters)


def _report(service: Service) -> None:
    while True:
        time.sleep(0.1)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        figures = {
            "at": time.monotonic(),
            "observations": service.meters.get("lane", "observations"),
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss * 1024,
            "lines": service.meters.get("influx", "lines"),
        }
        print(json.dumps(figures), flush=True)


def main(kind: str, settings: str) -> None:
    """Run until killed."""
    log.configure("warning")
    config = convert(json.loads(settings), StreamConfig, file="benchmark")
    with store.opened(Path(config.store.path)) as opened:
        link = owner.link(config.mqtt, opened.identity.id, opened.identity.start)
        link.start()
        link.wait_connected(10)
        service = Service(config, opened, link)
        if kind == "influx":
            with service.connect_influx() as influx:
                influx.ensure(0)
        threading.Thread(target=_report, args=(service,), daemon=True).start()
        recovery = RecoveryConfig(opened.recovery, timedelta(0))  # type: ignore[no-untyped-call]
        cli_main(  # type: ignore[no-untyped-call]
            _dataflow(service, kind),
            workers_per_process=config.flow.workers,
            epoch_interval=timedelta(milliseconds=config.flow.epoch_ms),
            recovery_config=recovery,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
