"""The lane of one shard: from the payloads of its nodes to all that leaves the stream.

A plain class over arrays. It knows nothing of Bytewax, MQTT or InfluxDB; it reads no clock but the
one it is given, and that only to refuse times in the future and to date what it reports of nodes.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import isfinite
from typing import Final

import numpy as np

from citynerve.clock import Clock, now_ms
from citynerve.codec import decode, decode_observation
from citynerve.errors import ProtocolError
from citynerve.messages import Batch, Hello, Rejected, Status
from citynerve.topics import SHARDS, is_node, shard
from stream.anomaly.detector import Reading
from stream.anomaly.detectors import Detectors
from stream.lane import state as lane_state
from stream.lane import windows
from stream.lane.admission import NO_TERM, NodeTerm, Verdict
from stream.lane.anomalies import Reporter
from stream.lane.columns import Collector
from stream.lane.events import event_line, refusal, status_line
from stream.lane.lines import NS
from stream.lane.nodes import Node, Registry, check
from stream.lane.output import AckState, Closed, LaneOutput, Picture
from stream.lane.settings import LaneSettings
from stream.scenario import WINDOWS

_SAMPLE: Final = 200
_MOST_STATUS: Final = 32 << 10
"""Bytes: its texts become fields, of which InfluxDB takes no more than 64 KB."""
_DETECTORS: Final = "detectors"
_LIGHT: Final = "light"
_RUN: Final = 8192
"""Readings after which the kernels run: what lies between them and the lines is held at once."""

_KEPT_FROM: Final = 600_000  # ms: shorter windows go where raw observations go, and are forgotten


class Lane:
    """State of one shard's nodes, and the one step that changes it.

    Args:
        shard_digit: The shard, one of ``citynerve.topics.SHARDS``.
        settings: What every lane is told.
        clock: The stream's clock.

    Not thread-safe. After a call of :meth:`take`, :meth:`table` and :meth:`snapshot` include it.
    """

    def __init__(self, shard_digit: str, settings: LaneSettings, clock: Clock = now_ms) -> None:
        if shard_digit not in SHARDS:
            raise ValueError(f"no shard: {shard_digit!r}")
        self.shard = shard_digit
        self._settings = settings
        self._clock = clock
        self._detector = Detectors()
        self._reporter = Reporter(self._detector.kinds)
        self._collector = Collector()
        self._adopt(Registry(settings.scenarios), windows.blank(0))

    @staticmethod
    def prepare() -> None:
        """Compile the kernels, or load them; seconds the first time on a machine.

        Called before a stream runs; the first :meth:`take` would stand still meanwhile otherwise.
        """
        windows.take(windows.blank(1), np.zeros(1, windows.RULES), Collector().columns(), 0)
        Detectors.prepare()

    @classmethod
    def restore(
        cls, shard_digit: str, settings: LaneSettings, clock: Clock, state: bytes
    ) -> "Lane":
        """A lane that goes on where :meth:`snapshot` was taken.

        Raises:
            RefusedError: ``state`` is of another version, or of another shard.
        """
        lane = cls(shard_digit, settings, clock)
        frozen = lane_state.decode(state, shard_digit)
        if frozen.version < lane_state.SEVERAL_DETECTORS:
            lane._detector.restore_light(frozen.detectors[_LIGHT])
        else:
            lane._detector.restore(frozen.detectors[_DETECTORS])
        lane._adopt(*lane_state.restore_registry(frozen, settings.scenarios))
        return lane

    def _adopt(self, registry: Registry, state: windows.Records) -> None:
        self._registry = registry
        self._windows = state
        self._rules = np.zeros(len(state), windows.RULES)
        self._raw = np.zeros(len(state), np.bool_)
        self._group = np.zeros(len(state), np.int64)
        self._groups: dict[tuple[str, str], int] = {}
        self._names: bytes | None = None
        self._by_topic = {
            self._settings.topics.obs(name): node for name, node in registry.nodes.items()
        }
        self._configure(range(len(registry)))

    def snapshot(self) -> bytes:
        """All of the state, as a copy."""
        if self._names is None:
            self._names = lane_state.encode_names(self._registry)
        rows = len(self._registry)
        detectors = {_DETECTORS: self._detector.snapshot(rows)}
        return lane_state.encode(
            self.shard, self._names, self._registry, self._windows[:rows], detectors
        )

    def table(self) -> dict[str, AckState]:
        """What an ack to each known node would say now; all urgent."""
        return {name: node.term.state(urgent=True) for name, node in self._registry.nodes.items()}

    def take(self, arrivals: Sequence[tuple[str, bytes]]) -> LaneOutput:
        """Bring in payloads, in order, as ``(topic, payload)``; what cannot be taken is reported.

        Any payload whatever is safe. The same payloads give the same facts and the same state,
        however they are spread over calls.
        """
        call = _Call(self._clock(), self._settings.max_skew)
        for topic, payload in arrivals:
            try:
                self._arrived(topic, payload, call)
            except ProtocolError as error:
                call.reject(error, topic, payload)
        self._flush(call)
        call.finish()
        return call.out

    def _arrived(self, topic: str, payload: bytes, call: "_Call") -> None:
        node = self._by_topic.get(topic)
        if node is None:
            kind, name = self._address(topic)
            if kind == "status":
                self._status(name, payload, call)
                return
        else:
            name = node.name
        message = decode_observation(payload)
        if message.node != name:
            raise ProtocolError("node", f"{message.node[:80]!r} on the topic of {name!r}")
        if isinstance(message, Hello):
            self._hello(message, topic, call)
        elif node is None:
            call.drop(Verdict.WRONG_TERM.value, message.node)
        else:
            self._batch(message, node, topic, call)

    def _address(self, topic: str) -> tuple[str, str]:
        levels = self._settings.topics.split(topic)
        match levels:
            case ["obs", digit, name] if is_node(name):
                if not digit == shard(name) == self.shard:
                    raise ProtocolError("shard", f"{name} is of shard {shard(name)}, not {digit}")
            case ["status", name] if is_node(name):
                pass
            case _:
                raise ProtocolError("topic", f"{topic[:80]!r} is no topic of a node's")
        return levels[0], name

    def _status(self, name: str, payload: bytes, call: "_Call") -> None:
        if len(payload) > _MOST_STATUS:
            raise ProtocolError("size", f"{len(payload)} bytes, at most {_MOST_STATUS}")
        status = decode(payload, Status)
        if status.node != name:
            raise ProtocolError("node", f"{status.node[:80]!r} on the topic of {name!r}")
        node = self._registry.nodes.get(name)
        if node is None:
            call.count_drop("status")
            return
        if not 0 <= status.sent <= call.latest:
            raise ProtocolError("old" if status.sent < 0 else "future", f"sent: {status.sent}")
        line = status_line(status, node, call.now)
        if line is not None:
            call.out.lines.append(line)

    def _hello(self, hello: Hello, topic: str, call: "_Call") -> None:
        check(hello.about)
        self._registry.check_room(hello.node, hello.about)
        node = self._registry.nodes.get(hello.node)
        term = node.term if node is not None else NodeTerm()
        if term.hello(hello.term):
            # What came before it belongs to the old description.
            self._flush(call)
            node = self._registry.open(hello.node, hello.about, term)
            self._by_topic[topic] = node
            self._names = None
            self._configure(node.rows.values())
        call.acknowledge(hello.node, term, urgent=True)

    def _batch(self, batch: Batch, node: Node, topic: str, call: "_Call") -> None:
        verdict = node.term.batch(batch.term, batch.seq, batch.oldest)
        if verdict is not Verdict.ADMITTED:
            call.count_drop(verdict.value)
            call.acknowledge(node.name, node.term, urgent=True)
            return
        out = call.out
        out.batches += 1
        call.acknowledge(node.name, node.term, urgent=batch.want_ack)
        rows = node.rows
        add = self._collector.add
        origin = call.origin(node, topic)
        for column in batch.obs:
            row = rows.get((column.s, column.p))
            if row is None:
                wrong = (column.s, column.p) in node.wrong_units
                reason: str | None = "unit" if wrong else "undeclared"
            else:
                reason = add(column, row, origin)
            if reason is not None:
                where = f"{column.s[:80]} {column.p[:80]}"
                call.refuse(reason, where, origin, max(len(column.t), 1))
        for event in batch.events:
            reason = refusal(event, node, call.latest)
            if reason is not None:
                call.refuse(reason, f"event {event.id}", origin, 1)
                continue
            line = event_line(event, node)
            if line is not None:
                out.lines.append(line)
        out.evidence += [Picture(batch.node, one) for one in batch.evidence]
        if self._collector.readings >= _RUN:
            self._flush(call)

    def _configure(self, rows: Iterable[int]) -> None:
        size = len(self._registry)
        have = len(self._windows)
        if size > have:
            more = max(size, 2 * have) - have
            self._windows = np.concatenate([self._windows, windows.blank(more)])
            self._rules = np.concatenate([self._rules, np.zeros(more, windows.RULES)])
            self._raw = np.concatenate([self._raw, np.zeros(more, np.bool_)])
            self._group = np.concatenate([self._group, np.zeros(more, np.int64)])
        self._detector.grow(size)
        for row in rows:
            datastream = self._registry.datastreams[row]
            rules = datastream.rules
            low, high = datastream.range or (-np.inf, np.inf)
            chosen = tuple(name in rules.windows for name in windows.NAMES)
            self._rules[row] = (chosen, low, high)
            self._raw[row] = rules.raw or self._settings.raw == "all"
            group = datastream.district, datastream.property
            self._group[row] = self._groups.setdefault(group, len(self._groups))
            self._detector.configure(row, rules, datastream.range)

    def _flush(self, call: "_Call") -> None:
        if not len(self._collector):
            return
        columns = self._collector.columns()
        taken = windows.take(self._windows, self._rules, columns, call.latest)
        call.out.observations += len(taken.row)
        self._close(taken, call.out)
        if self._settings.raw != "none":
            self._store(taken, call.out)
        if taken.any_refused:
            self._refused(taken, columns, call)
        readings = Reading(taken.row, taken.time, taken.value, taken.usable)
        findings = self._detector.observe(readings)
        if len(findings):
            self._reporter.report(findings, self._registry.datastreams, call.out)
        self._collector.clear()

    def _close(self, taken: windows.Taken, out: LaneOutput) -> None:
        if not len(taken.closed):
            return
        datastreams = self._registry.datastreams
        names = windows.NAMES
        for row, w, start, count, mean, low, high, std, late in taken.closed.tolist():
            datastream = datastreams[row]
            window = names[w]
            lines = out.raw if WINDOWS[window] < _KEPT_FROM else out.lines
            head = f"{datastream.aggregate}{window} count={count!r}"
            tail = f"late={late!r}{datastream.place} {start * NS}"
            if isfinite(mean) and isfinite(std):
                lines.append(f"{head},mean={mean!r},min={low!r},max={high!r},std={std!r},{tail}")
            else:
                # Values near the largest double: their mean or spread is not one.
                lines.append(f"{head},min={low!r},max={high!r},{tail}")
        out.closed += self._grouped(taken.closed)

    def _grouped(self, closed: windows.Records) -> Iterator[Closed]:
        finite = closed[np.isfinite(closed["mean"]) & np.isfinite(closed["std"])]
        kinds = self._group[finite["row"]] * len(windows.NAMES) + finite["window"]
        order = np.argsort(kinds, kind="stable")
        kinds, records = kinds[order], finite[order]
        groups = list(self._groups)
        cuts = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
        for begin, end in pairwise(cuts):
            if begin < end:
                group, window = divmod(int(kinds[begin]), len(windows.NAMES))
                yield Closed(*groups[group], windows.NAMES[window], records[begin:end])

    def _store(self, taken: windows.Taken, out: LaneOutput) -> None:
        wanted = self._raw[taken.row] | (taken.usable == 0) | (taken.quality == windows.BAD)
        if not wanted.any():
            return
        datastreams = self._registry.datastreams
        out.raw += [
            f"{datastreams[row].observation} value={value!r},quality={quality} {time * NS}"
            for row, value, quality, time in zip(
                taken.row[wanted].tolist(),
                taken.value[wanted].tolist(),
                taken.quality[wanted].tolist(),
                taken.time[wanted].tolist(),
                strict=True,
            )
        ]

    def _refused(self, taken: windows.Taken, columns: windows.Columns, call: "_Call") -> None:
        for i, counts in enumerate(taken.refused.tolist()):
            for reason, count in zip(windows.REASONS, counts, strict=True):
                if count:
                    datastream = self._registry.datastreams[columns.row[i]]
                    where = f"{datastream.sensor} {datastream.property}"
                    call.refuse(reason, where, self._collector.origin[i], count)


class _Call:
    """What one call of ``take`` gathers."""

    def __init__(self, now: int, max_skew: int) -> None:
        self.now = now
        self.latest = now + max_skew
        self.out = LaneOutput()
        self._touched: dict[str, NodeTerm] = {}
        self._urgent: set[str] = set()
        self._origins: list[tuple[Node, str]] = []
        self._refused: dict[tuple[str, str], Rejected] = {}

    def origin(self, node: Node, topic: str) -> int:
        """An index for a batch of ``node``, to name it when one of its columns is refused."""
        self._origins.append((node, topic))
        return len(self._origins) - 1

    def acknowledge(self, name: str, term: NodeTerm, *, urgent: bool) -> None:
        """The node's state is to be told; ``term`` is looked at when the call ends."""
        self._touched[name] = term
        if urgent:
            self._urgent.add(name)

    def count_drop(self, reason: str) -> None:
        """Count what was not admitted."""
        self.out.dropped[reason] = self.out.dropped.get(reason, 0) + 1

    def drop(self, reason: str, name: str) -> None:
        """A batch of a node that nothing is known of: it must say hello."""
        self.count_drop(reason)
        if name not in self._touched:
            self.out.acks[name] = NO_TERM

    def reject(self, error: ProtocolError, topic: str, payload: bytes) -> None:
        """A whole payload could not be taken."""
        name = topic.rpartition("/")[2]
        self.out.rejected.append(
            Rejected(
                reason=error.reason,
                detail=error.detail[:_SAMPLE],
                topic=topic[:_SAMPLE],
                sent=self.now,
                node=name if is_node(name) else None,
                sample=payload[:_SAMPLE].decode("utf-8", "backslashreplace"),
            )
        )

    def refuse(self, reason: str, where: str, origin: int, count: int) -> None:
        """Part of an admitted batch could not be taken; told once a node and reason."""
        node, topic = self._origins[origin]
        told = self._refused.get((node.name, reason))
        self._refused[node.name, reason] = Rejected(
            reason=reason,
            detail=told.detail if told else where,
            topic=topic,
            sent=self.now,
            node=node.name,
            count=told.count + count if told else count,
        )

    def finish(self) -> None:
        """Write acks and refusals into the output."""
        for name, term in self._touched.items():
            self.out.acks[name] = term.state(urgent=name in self._urgent)
        self.out.rejected += self._refused.values()
