"""Messages into MCAP files, part after part.

What was written is complete up to the last :meth:`Recording.flush`: a process that is killed then
loses what came after, at most one chunk.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec
from mcap.writer import CompressionType, Writer

from citynerve import codec
from citynerve.errors import ConfigError, UnavailableError
from citynerve.topics import Topics
from simulators.recording.shape import (
    CARRIED,
    END,
    GAP,
    JSON_SCHEMA,
    LIVE,
    MARK,
    NS,
    PROFILE,
    RECORDING,
    RETAINED,
    Begun,
    End,
    Gap,
    as_metadata,
    kind_of,
    schema_of,
)

CHUNK: Final = 1 << 20
"""Bytes of messages that are compressed together, at most about."""
SUFFIX: Final = ".mcap"

# Channel ids have 16 bits.
_MOST_CHANNELS: Final = 65_000
_MOST_SENT: Final = (1 << 63) // NS
_SEQUENCE: Final = 0xFFFF_FFFF


class _HelloSent(msgspec.Struct):
    sent: int | None = None


class _Sent(msgspec.Struct):
    """Of any message, no more than when it was sent and whether it is a hello."""

    sent: int | None = None
    hello: _HelloSent | None = None


_json_sent = msgspec.json.Decoder(_Sent).decode
_msgpack_sent = msgspec.msgpack.Decoder(_Sent).decode


class Heard(NamedTuple):
    """One message as it arrived; ``at`` in ns since 1970 UTC."""

    topic: str
    payload: bytes
    at: int
    mark: str = LIVE


@dataclass(slots=True)
class Tally:
    """What was written: of one part, or of all."""

    messages: int = 0
    bytes: int = 0
    retained: int = 0
    unreadable: int = 0
    unreadable_topics: dict[str, int] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


class _Part:
    """One file."""

    def __init__(self, path: Path, begun: Begun) -> None:
        self.path = path
        self.began = begun
        self.messages = self.bytes = self.unreadable = 0
        self._topics = Topics(begun.root)
        self._channels: dict[tuple[str, str, codec.Format | None], int] = {}
        self._schemas: dict[str, int] = {}
        self._file = _create(path)
        # Its summary is what lets others find their way; chunk indices take 16 bytes a message.
        self._writer = Writer(self._file, chunk_size=CHUNK, compression=CompressionType.ZSTD)
        self._writer.start(PROFILE)
        self._writer.add_metadata(RECORDING, as_metadata(begun))
        self.flush()

    @property
    def size(self) -> int:
        """Bytes in the file, without the chunk in the making."""
        return self._file.tell()

    @property
    def full(self) -> bool:
        """Whether the format has no room for more topics."""
        return len(self._channels) >= _MOST_CHANNELS

    def write(self, heard: Heard, form: codec.Format | None, sent: int | None) -> None:
        key = heard.topic, heard.mark, form
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = self._channel(*key)
        at = heard.at
        self.messages += 1
        self.bytes += len(heard.payload)
        published = at if sent is None else sent * NS
        sequence = self.messages & _SEQUENCE
        self._writer.add_message(channel, at, heard.payload, published, sequence)

    def gap(self, gap: Gap) -> None:
        self._writer.add_metadata(GAP, as_metadata(gap))

    def flush(self) -> None:
        """Complete the chunk and hand it to the system."""
        self._writer.flush()  # type: ignore[no-untyped-call]

    def finish(self, end: End) -> None:
        """Write what makes the file complete, down to the disk."""
        self._writer.flush()  # type: ignore[no-untyped-call]
        self._writer.add_metadata(END, as_metadata(end))
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _channel(self, topic: str, mark: str, form: codec.Format | None) -> int:
        kind = kind_of(self._topics, topic) if form else None
        known = {MARK: mark} if mark else {}
        return self._writer.register_channel(topic, form or "", self._schema(kind), known)

    def _schema(self, kind: str | None) -> int:
        if kind is None:
            return 0
        found = self._schemas.get(kind)
        if found is None:
            name = f"{PROFILE}.{kind}"
            found = self._writer.register_schema(name, JSON_SCHEMA, schema_of(kind))
            self._schemas[kind] = found
        return found


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


class Recording:
    """A recording in the making.

    Args:
        out: The first part's file, or a folder (an existing one, or a path without suffix) in which
            parts are named by when the recording began. Nothing is written over.
        begun: What the metadata of each part says.
        rotate_bytes: A part that has grown this large is followed by another; None: never.
        rotate_ms: One that has lasted this long, likewise.

    Raises:
        ConfigError: The file exists already.
        UnavailableError: It cannot be written.
    """

    def __init__(
        self,
        out: Path,
        begun: Begun,
        *,
        rotate_bytes: int | None = None,
        rotate_ms: int | None = None,
    ) -> None:
        self.tally = Tally()
        self.parts: list[Path] = []
        self._name = _namer(out, begun.start)
        self._begun = begun
        self._rotate_bytes = rotate_bytes
        self._rotate_ns = None if rotate_ms is None else rotate_ms * NS
        self._topics = Topics(begun.root)
        self._hellos: dict[str, tuple[Heard, int | None]] = {}
        self._part = self._open(begun.start * NS)

    def write(self, heard: Heard) -> None:
        """Add a message.

        Raises:
            UnavailableError: It cannot be written.
        """
        form = codec.form_of(heard.payload)
        tally = self.tally
        tally.messages += 1
        tally.bytes += len(heard.payload)
        tally.retained += heard.mark == RETAINED
        sent = self._look(heard, form)
        with self._explained():
            self._part.write(heard, form, sent)

    def _look(self, heard: Heard, form: codec.Format | None) -> int | None:
        """When a message says it was sent, ms; its last hello of each node is remembered."""
        if form is None:
            if heard.payload:
                self._unreadable(heard.topic)
            return None
        try:
            seen = (_json_sent if form == "json" else _msgpack_sent)(heard.payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._unreadable(heard.topic)
            return None
        sent = seen.sent if seen.hello is None else seen.hello.sent
        if sent is not None and not 0 <= sent < _MOST_SENT:
            sent = None
        if seen.hello is not None and kind_of(self._topics, heard.topic) == "obs":
            self._hellos[heard.topic] = heard, sent
        return sent

    def gap(self, gap: Gap) -> None:
        """Nothing was heard for a while."""
        self.tally.gaps.append(gap)
        with self._explained():
            self._part.gap(gap)
            self._part.flush()

    def flush(self, now: int) -> None:
        """Make what there is readable for others, and begin another part if it is time.

        Args:
            now: ns since 1970 UTC.

        Raises:
            UnavailableError: It cannot be written.
        """
        with self._explained():
            self._part.flush()
        part = self._part
        large = self._rotate_bytes is not None and part.size >= self._rotate_bytes
        old = self._rotate_ns is not None and now - self._opened >= self._rotate_ns
        if large or old or part.full:
            self._end("another part follows", now)
            self._part = self._open(now)
            for hello, sent in self._hellos.values():
                self._carry(hello, sent)

    def close(self, why: str, now: int) -> None:
        """End it in order.

        Args:
            why: A few words for people.
            now: ns since 1970 UTC.

        Raises:
            UnavailableError: It cannot be written.
        """
        self._end(why, now)

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._part.close()

    def _open(self, now: int) -> _Part:
        number = len(self.parts) + 1
        path = self._name(number)
        self._opened = now
        with self._explained(path):
            part = _Part(path, msgspec.structs.replace(self._begun, part=number))
        self.parts.append(path)
        self._unread_before = self.tally.unreadable
        return part

    def _carry(self, hello: Heard, sent: int | None) -> None:
        carried = hello._replace(mark=CARRIED)
        with self._explained():
            self._part.write(carried, codec.form_of(hello.payload), sent)

    def _end(self, why: str, now: int) -> None:
        part = self._part
        unreadable = self.tally.unreadable - self._unread_before
        end = End(now // NS, part.messages, part.bytes, unreadable, why)
        with self._explained():
            part.finish(end)
        part.close()

    def _unreadable(self, topic: str) -> None:
        self.tally.unreadable += 1
        topics = self.tally.unreadable_topics
        topics[topic] = topics.get(topic, 0) + 1

    @contextmanager
    def _explained(self, path: Path | None = None) -> Iterator[None]:
        where = self.parts[-1] if path is None else path
        try:
            yield
        except OSError as error:
            if isinstance(error, FileExistsError) and where.exists():
                raise ConfigError(
                    "there is such a file already, and a recording writes over none",
                    key="--out",
                    value=str(where),
                    fix="name another file, or a folder",
                ) from error
            full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            raise UnavailableError(
                "recording",
                where=str(where),
                problem=error.strerror or str(error),
                fix="free space on that disk; what was written before can be read"
                if full
                else "name a file in a folder that can be written with --out",
            ) from error


def _namer(out: Path, start: int) -> Callable[[int], Path]:
    """What the parts are called, counted from 1."""
    if out.is_dir() or not out.suffix:
        began = datetime.fromtimestamp(start / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        return lambda number: out / f"{PROFILE}-{began}-{number:04d}{SUFFIX}"
    return lambda number: out if number == 1 else out.with_stem(f"{out.stem}-{number:04d}")
