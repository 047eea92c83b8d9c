"""What leaves the order stage, grouped into batches: about a second of data, at most 16 KiB each.

A batch's content, its *body*, is encoded once and never changes; its envelope (term, seq, oldest)
is put around it each time it is sent.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from citynerve import codec
from citynerve.messages import Column, Event, Evidence
from edge.order import Key, Late, Released
from edge.sensor.driver import Mark, Reading

MAX_BATCH: Final = 16 * 1024
"""Bytes of an encoded batch without a picture, envelope included."""

_ENVELOPE: Final = 320
_COLUMN: Final = 80
_JSON_TIME: Final = 15
_MSGPACK_READING: Final = 20


class Body(msgspec.Struct, omit_defaults=True):
    """The part of a batch that never changes."""

    obs: list[Column] = []
    events: list[Event] = []
    evidence: list[Evidence] = []


class _RawBody(msgspec.Struct):
    obs: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()
    evidence: msgspec.Raw = msgspec.Raw()


class Sealed(NamedTuple):
    """A finished body, and what it holds of which driver and datastream."""

    body: bytes
    taken: dict[str, int]
    """Released items by driver."""
    sent: dict[Key, int]
    """Readings by datastream."""


class Envelope(NamedTuple):
    """What is put around a body at the moment of sending. See :class:`citynerve.messages.Batch`."""

    node: str
    term: int
    seq: int
    oldest: int
    sent: int
    want_ack: bool


def wrap(body: bytes, envelope: Envelope) -> bytes:
    """The batch as it travels, in the format of its body; the content is copied, not decoded."""
    as_json = body[:1] == b"{"
    raw = (msgspec.json if as_json else msgspec.msgpack).decode(body, type=_RawBody)
    parts = {
        name: part
        for name in ("obs", "events", "evidence")
        if bytes(part := getattr(raw, name)) != b""
    }
    message = {**envelope._asdict(), **parts}
    if not envelope.want_ack:
        del message["want_ack"]
    return msgspec.json.encode(message) if as_json else msgspec.msgpack.encode(message)


class _Open:
    """One column in the making."""

    __slots__ = ("graded", "key", "late", "q", "t", "v", "wm")

    def __init__(self, key: Key, *, late: bool) -> None:
        self.key = key
        self.late = late
        self.t: list[int] = []
        self.v: list[float] = []
        self.q: list[int] = []
        self.wm: int | None = None
        self.graded = False

    def finish(self) -> Column:
        if self.late:
            # They leave the order stage as they came; within a column times must increase.
            order = sorted(range(len(self.t)), key=self.t.__getitem__)
            self.t = [self.t[i] for i in order]
            self.v = [self.v[i] for i in order]
            self.q = [self.q[i] for i in order]
        quality = self.q if self.graded else None
        sensor, prop = self.key
        return Column(sensor, prop, self.t, self.v, quality, self.wm, self.late)


class Batcher:
    """Collects released items until a batch is full or old enough.

    Args:
        form: The format in which bodies are encoded.
        max_bytes: The limit for all but pictures, envelope included.
    """

    def __init__(self, form: codec.Format = "json", *, max_bytes: int = MAX_BATCH) -> None:
        self._form: codec.Format = form
        self._room = max_bytes - _ENVELOPE
        self._sealed: list[Sealed] = []
        self._clear()

    def _clear(self) -> None:
        self._columns: list[_Open] = []
        self._newest: dict[Key, _Open] = {}
        self._events: list[Event] = []
        self._evidence: list[Evidence] = []
        self._taken: dict[str, int] = {}
        self._bytes = 0
        self._opened: int | None = None

    def add(self, driver: str, items: Iterable[Released], now: int) -> None:
        """Take what ``driver`` released, at ``now`` (ms of a clock that does not go back)."""
        for item in items:
            if isinstance(item, Reading):
                self._add_reading(item, late=False)
            elif isinstance(item, Late):
                self._add_reading(item.reading, late=True)
            elif isinstance(item, Mark):
                self._add_mark(item)
            elif isinstance(item, Evidence):
                # A picture travels alone; what was released before it must leave before it.
                self.seal()
                self._evidence.append(item)
            else:
                self._reserve(len(msgspec.json.encode(item)) + 1)
                self._events.append(item)
            self._taken[driver] = self._taken.get(driver, 0) + 1
            if self._opened is None:
                self._opened = now
            if self._evidence:
                self.seal()

    def age(self, now: int) -> int:
        """For how long (ms) the open batch has been collected; 0 when it is empty."""
        return 0 if self._opened is None else now - self._opened

    def due(self, span: int) -> int | None:
        """When (ms) the open batch will have been collected for ``span`` ms; None: it is empty."""
        return None if self._opened is None else self._opened + span

    def seal(self) -> None:
        """Close the open batch, if anything is in it."""
        if self._opened is None:
            return
        sent: dict[Key, int] = {}
        for part in self._columns:
            sent[part.key] = sent.get(part.key, 0) + len(part.t)
        columns = [part.finish() for part in self._columns]
        body = Body(columns, self._events, self._evidence)
        self._sealed.append(Sealed(codec.encode(body, self._form), self._taken, sent))
        self._clear()

    def collect(self) -> list[Sealed]:
        """The batches that have been closed since the last call."""
        sealed, self._sealed = self._sealed, []
        return sealed

    def _reserve(self, size: int) -> None:
        if self._bytes + size > self._room:
            self.seal()
        self._bytes += size

    def _add_reading(self, reading: Reading, *, late: bool) -> None:
        sensor, prop, t, number, quality = reading
        value = float(number)
        # The shortest text that reads back as the same number: no encoder writes a longer one.
        size = _JSON_TIME + 3 + len(repr(value)) if self._form == "json" else _MSGPACK_READING
        column = self._column(sensor, prop, size, late=late)
        if not late and column.t and t <= column.t[-1]:
            # A wrong clock was put right. The stream refuses a column that goes back as a whole.
            column = self._begin((sensor, prop), size, late=False)
        elif late and t in column.t:
            # A repeat that the order stage no longer remembers: no column holds a time twice.
            self.seal()
            column = self._column(sensor, prop, size, late=late)
        column.t.append(t)
        column.v.append(value)
        column.q.append(quality)
        if quality:
            column.graded = True
        column.wm = None

    def _add_mark(self, mark: Mark) -> None:
        column = self._column(mark.sensor, mark.property, 0, late=False)
        column.wm = mark.t

    def _column(self, sensor: str, prop: str, size: int, *, late: bool) -> _Open:
        """The column to go on with, and room in it.

        A late reading parts what came before it from what comes after: the stream counts it to the
        window that is open when it comes, which must not depend on where a batch ends.
        """
        column = self._newest.get((sensor, prop))
        if column is None or column.late != late:
            return self._begin((sensor, prop), size, late=late)
        if self._bytes + size > self._room:
            self.seal()
            return self._begin((sensor, prop), size, late=late)
        self._bytes += size
        return column

    def _begin(self, key: Key, size: int, *, late: bool) -> _Open:
        self._reserve(size + _COLUMN + sum(map(len, key)))
        column = self._newest[key] = _Open(key, late=late)
        self._columns.append(column)
        return column
