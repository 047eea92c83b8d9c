"""One pass over a recording: what is in it, and what of it was taken in.

A batch may stand in a recording several times, and under two terms: sent again without an answer,
or left over when a node began a new term. Which of them counted, the recorded acknowledgements
tell; without them, that a term begins with what the one before ended with.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from citynerve.codec import decode, decode_observation
from citynerve.errors import ProtocolError
from citynerve.messages import About, Ack, AnomalyEvent, Batch, Column, Crossing, Event, Hello
from citynerve.topics import is_node, shard
from edge.order import Key
from simulators.recording.ranges import Ranges
from simulators.recording.reader import Source, Stored
from simulators.recording.shape import CARRIED, LIVE, RETAINED

_NEVER: Final = 1 << 62


class Window(NamedTuple):
    """A half-open span of the recording's clock (when messages arrived), ms since 1970 UTC."""

    start: int = 0
    end: int = _NEVER

    def holds(self, at: int) -> bool:
        """Whether a moment lies in it."""
        return self.start <= at < self.end


@dataclass(slots=True)
class Series:
    """One datastream's readings: how many, of them late, first and last time (ms), last mark."""

    count: int = 0
    late: int = 0
    first: int = _NEVER
    last: int = 0
    mark: int = 0

    def add(self, column: Column) -> None:
        """Take in a column."""
        times = column.t
        if times:
            self.count += len(times)
            # A column that is in order, as all are that the stream takes.
            self.first = min(self.first, times[0])
            self.last = max(self.last, times[-1])
            if column.late:
                self.late += len(times)
        if column.wm is not None and column.wm > self.mark:
            self.mark = column.wm


@dataclass(slots=True)
class Term:
    """One term of a node: what of it stands in the recording. ``first``, ``last``: arrivals, ms."""

    about: About | None = None
    seqs: Ranges = field(default_factory=Ranges)
    repeats: int = 0
    first: int = _NEVER
    last: int = 0
    form: str = "json"
    order: "array[int]" = field(default_factory=lambda: array("q"))
    contents: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, batch: Batch, at: int) -> bool:
        """Take in a batch; whether it is there for the first time."""
        self.first, self.last = min(self.first, at), max(self.last, at)
        if not self.seqs.add(batch.seq):
            self.repeats += 1
            return False
        self.order.append(batch.seq)
        self.contents.append(_content(batch))
        return True

    def before(self, following: "Term") -> int | None:
        """The seq before the one that ``following`` began with again; None if it did not."""
        try:
            content = following.contents[following.order.index(1)]
            return self.order[self.contents.index(content)] - 1
        except ValueError:
            return None


@dataclass(slots=True)
class Node:
    """One node: its terms, datastreams, and what the stream said of it.

    ``series``, ``events`` and ``pictures`` are of batches at their first occurrence. ``cameras``:
    the lines and zones of each that events name. ``district``: of its anomalies.
    """

    terms: dict[int, Term] = field(default_factory=dict)
    series: dict[Key, Series] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    cameras: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)
    pictures: int = 0
    district: str = ""
    _acked: dict[int, int] = field(default_factory=dict)
    _settled: dict[int, int] = field(default_factory=dict)

    @property
    def played(self) -> list[int]:
        """The terms with batches, in the order in which they were open."""
        return sorted(number for number, term in self.terms.items() if len(term.seqs))

    def heard(self, ack: Ack) -> None:
        """The stream has acknowledged."""
        self._acked[ack.term] = max(ack.committed, self._acked.get(ack.term, 0))
        if ack.prev_term:
            self._settled[ack.prev_term] = ack.prev_committed

    def taken(self, number: int) -> Ranges:
        """The seqs of a term that stand in the recording and were taken in, or are the last of it.

        What a node had sent and not yet heard of when its term ended, it sent again in the next.
        """
        term = self.terms[number]
        limit = self._settled.get(number)
        if limit is None and any(later > number for later in self._acked):
            limit = self._acked.get(number, 0)
        if limit is None:
            following = next((later for later in self.played if later > number), None)
            limit = None if following is None else term.before(self.terms[following])
        return term.seqs if limit is None else term.seqs.upto(limit)

    def add(self, batch: Batch, at: int, form: str) -> None:
        """Take in a batch."""
        term = self.terms.setdefault(batch.term, Term())
        if not term.add(batch, at):
            return
        term.form = form
        for column in batch.obs:
            self.series.setdefault((column.s, column.p), Series()).add(column)
        for event in batch.events:
            self._note(event)
        self.pictures += len(batch.evidence)

    def _note(self, event: Event) -> None:
        self.events[str(event.__struct_config__.tag)] += 1
        lines, zones = self.cameras.setdefault(event.camera, (set(), set()))
        if isinstance(event, Crossing):
            lines.add(event.line)
        else:
            zones.add(event.zone)


@dataclass(slots=True)
class Survey:
    """What a recording holds, within a window of its clock.

    Attributes:
        nodes: By id.
        messages: Of all topics, by kind; other topics under ``other``.
        size: Of their payloads, bytes.
        first: When the first live message arrived, ms since 1970 UTC.
        last: When the last did.
        refused: Observations that the stream refuses whole, by reason.
        units: Property to its units, by how many say so.
        outside: Batches outside the window.
    """

    window: Window = field(default_factory=Window)
    nodes: dict[str, Node] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    topics: set[str] = field(default_factory=set)
    size: int = 0
    retained: int = 0
    first: int = _NEVER
    last: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    units: dict[str, Counter[str]] = field(default_factory=dict)
    outside: int = 0

    @classmethod
    def of(cls, messages: Iterable[Stored], window: Window | None = None) -> "Survey":
        """Go through a recording.

        Hellos and acknowledgements are looked at wherever they stand: what they say of a batch in
        the window holds for it.
        """
        survey = cls(window or Window())
        for message in messages:
            survey.add(message)
        return survey

    def add(self, message: Stored) -> None:
        """Take in one message."""
        source, at, payload = message
        if source.mark != CARRIED:
            self.messages[source.kind or "other"] += 1
            self.topics.add(source.topic)
            self.size += len(payload)
            self.retained += source.mark == RETAINED
        if source.mark == LIVE:
            self.first, self.last = min(self.first, at), max(self.last, at)
        try:
            self._look(source, at, payload)
        except ProtocolError as error:
            self.refused[error.reason] += source.kind == "obs"

    def _look(self, source: Source, at: int, payload: bytes) -> None:
        match source.kind:
            case "obs":
                observed = read_observation(source, payload)
                if isinstance(observed, Hello):
                    self._hello(observed)
                elif self.window.holds(at):
                    self._node(source.node).add(observed, at, source.form)
                else:
                    self.outside += 1
            case "ack":
                self._node(source.node).heard(decode(payload, Ack))
            case "anomaly":
                told = decode(payload, AnomalyEvent)
                self._node(told.node).district = told.district
            case None if "/last/" in source.topic:
                self._unit(source.topic.rpartition("/")[2], decode(payload, _Mirror).unit)

    def _hello(self, hello: Hello) -> None:
        term = self._node(hello.node).terms.setdefault(hello.term, Term())
        if term.about is None:
            # The same term again changes nothing.
            term.about = hello.about
            for sensor in hello.about.sensors:
                for declared in sensor.properties:
                    self._unit(declared.name, declared.unit)

    def _unit(self, prop: str, unit: str) -> None:
        self.units.setdefault(prop, Counter())[unit] += 1

    def _node(self, name: str) -> Node:
        node = self.nodes.get(name)
        if node is None:
            node = self.nodes[name] = Node()
        return node


class _Mirror(msgspec.Struct):
    """A datastream's last value, as nodes mirror it for other tools."""

    unit: str


def read_observation(source: Source, payload: bytes) -> Batch | Hello:
    """What a node sent, if the stream takes it at all.

    Raises:
        ProtocolError: It is refused whole.
    """
    message = decode_observation(payload)
    if message.node != source.node or not is_node(message.node):
        raise ProtocolError("node", f"{message.node[:80]!r} on the topic of {source.node!r}")
    if f"/{shard(message.node)}/" not in source.topic:
        raise ProtocolError("shard", f"{message.node} is of shard {shard(message.node)}")
    return message


def _content(batch: Batch) -> int:
    """Equal for two batches of the same content, and hardly ever for others."""
    columns = [
        (one.s, one.p, one.t[0] if one.t else 0, len(one.t), one.wm, one.late) for one in batch.obs
    ]
    events = [one.id for one in batch.events]
    pictures = [one.id for one in batch.evidence]
    return hash((tuple(columns), tuple(events), tuple(pictures)))
