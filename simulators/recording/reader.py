"""Recordings read back: whole, cut off by a kill, or damaged in places."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
import zstandard
from mcap.exceptions import InvalidMagic, McapError
from mcap.records import Channel, Chunk, Footer, Header, McapRecord, Message, Metadata
from mcap.stream_reader import StreamReader, breakup_chunk

from citynerve.errors import ConfigError, UnavailableError
from citynerve.topics import DEFAULT_ROOT, Topics
from simulators.recording.shape import (
    END,
    FORMAT,
    GAP,
    LIVE,
    MARK,
    NS,
    RECORDING,
    Begun,
    End,
    Gap,
    kind_of,
)
from simulators.recording.writer import SUFFIX

# What a file that is cut off, or not what its first bytes say, makes the reader raise.
_BROKEN: Final = (McapError, struct.error, ValueError, zstandard.ZstdError, MemoryError)

T = TypeVar("T", Begun, Gap, End)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message was: its topic, and what follows from that.

    ``node``: of ``obs``, ``ack`` and ``status``, whose they are; else empty. ``form``: ``json``,
    ``msgpack``, or empty for neither. ``mark``: see ``simulators.recording.shape``.
    """

    topic: str
    kind: str | None
    node: str
    form: str
    mark: str


class Stored(NamedTuple):
    """One recorded message; ``at``: when it arrived, ms since 1970 UTC."""

    source: Source
    at: int
    payload: bytes


@dataclass(slots=True)
class File:
    """One MCAP file. Its figures are complete once :meth:`messages` is exhausted.

    Attributes:
        path: It.
        begun: What its metadata says; None: not a recording of ours, though an MCAP file.
        root: The MQTT root of its topics.
        gaps: Spans in which nothing was heard.
        end: How it ended; None: it did not end in order.
        closed: Whether the file is complete as MCAP.
        damaged: Chunks that could not be read.
        lost_bytes: What follows the last record that could be read.
        library: Who wrote it.
    """

    path: Path
    begun: Begun | None = None
    root: str = DEFAULT_ROOT
    gaps: list[Gap] = field(default_factory=list)
    end: End | None = None
    closed: bool = False
    damaged: int = 0
    lost_bytes: int = 0
    library: str = ""
    size: int = 0

    @classmethod
    def open(cls, path: Path) -> "File":
        """Look at a file's beginning.

        Raises:
            ConfigError: It is empty, no MCAP file, or of a later version of this software.
            UnavailableError: It cannot be read.
        """
        file = cls(path)
        try:
            file.size = path.stat().st_size
            if not file.size:
                raise _no_recording(path, "is empty")
            for record in file._records():
                if not isinstance(record, Header):
                    break
        except InvalidMagic as error:
            raise _no_recording(path, "is no MCAP file") from error
        except OSError as error:
            raise _unreadable(path, error) from error
        return file

    def messages(self) -> Iterator[Stored]:
        """Every message that can be read, in the order in which they arrived.

        Raises:
            UnavailableError: The file cannot be read any more.
        """
        self.gaps.clear()
        self.damaged = self.lost_bytes = 0
        self.closed, self.end = False, None
        sources: dict[int, Source] = {}
        for record in self.records():
            if isinstance(record, Message):
                source = sources.get(record.channel_id)
                if source is not None:
                    yield Stored(source, record.log_time // NS, record.data)
            elif isinstance(record, Channel):
                sources[record.id] = self._source(record)

    def records(self) -> Iterator[McapRecord]:
        """Every record that can be read, those inside of chunks in the place of the chunk.

        Raises:
            UnavailableError: The file cannot be read any more.
        """
        try:
            for record in self._records():
                if isinstance(record, Chunk):
                    yield from self._chunk(record)
                else:
                    yield record
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _records(self) -> Iterator[McapRecord]:
        """The records of the file, up to where it is cut off; metadata is taken in on the way."""
        with self.path.open("rb") as stream:
            # A length beyond the file's own is damage; without a limit it would be asked memory.
            reader = StreamReader(stream, emit_chunks=True, record_size_limit=self.size)
            read = 0
            try:
                for record in reader.records:
                    read = stream.tell()
                    self._note(record)
                    yield record
            except InvalidMagic:
                if not read:
                    raise
                self._cut(read)
            except _BROKEN as error:
                if not read:
                    raise _no_recording(self.path, "holds nothing that can be read") from error
                self._cut(read)

    def _cut(self, read: int) -> None:
        """The file ends after the first ``read`` bytes, as far as it can be read."""
        # It may be cut off in its very last bytes, after its footer.
        self.closed = False
        self.lost_bytes = self.size - read

    def _note(self, record: McapRecord) -> None:
        if isinstance(record, Header):
            self.library = record.library
        elif isinstance(record, Footer):
            self.closed = True
        elif isinstance(record, Metadata):
            if record.name == RECORDING:
                self._begin(record.metadata)
            elif record.name == GAP:
                self.gaps.append(self._struct(record.metadata, Gap))
            elif record.name == END:
                self.end = self._struct(record.metadata, End)

    def _begin(self, told: dict[str, str]) -> None:
        if int(told.get("format", "0")) > FORMAT:
            raise ConfigError(
                f"is of version {told['format']}, this software knows up to {FORMAT}",
                file=str(self.path),
                fix="update citynerve",
            )
        self.begun = self._struct(told, Begun)
        self.root = self.begun.root

    def _struct(self, told: dict[str, str], kind: type[T]) -> T:
        try:
            return msgspec.convert(told, kind, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"its metadata cannot be read: {error}",
                file=str(self.path),
                fix="name a recording made with `citynerve simulate record`",
            ) from error

    def _chunk(self, chunk: Chunk) -> Sequence[McapRecord]:
        try:
            return breakup_chunk(chunk, validate_crc=True)
        except _BROKEN:
            self.damaged += 1
            return []

    def _source(self, channel: Channel) -> Source:
        topics = Topics(self.root)
        kind = kind_of(topics, channel.topic)
        node = topics.split(channel.topic)[-1] if kind in {"obs", "ack", "status"} else ""
        mark = channel.metadata.get(MARK, LIVE)
        return Source(channel.topic, kind, node, channel.message_encoding, mark)


@dataclass(frozen=True, slots=True)
class Files:
    """The parts of a recording, or several recordings, oldest first."""

    files: Sequence[File]

    @classmethod
    def open(cls, paths: Sequence[Path]) -> "Files":
        """Open MCAP files, and all of a folder's.

        Raises:
            ConfigError: There is none, or one is no recording.
            UnavailableError: One cannot be read.
        """
        found: list[Path] = []
        for path in paths:
            inside = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
            if not inside:
                raise ConfigError(
                    "the folder holds no recording",
                    key="PATH",
                    value=str(path),
                    fix=f"name a folder with {SUFFIX} files in it",
                )
            found += inside
        files = [File.open(path) for path in dict.fromkeys(found)]
        return cls(sorted(files, key=_age))

    @property
    def root(self) -> str:
        """The MQTT root of the first."""
        return self.files[0].root

    def messages(self) -> Iterator[Stored]:
        """Every message of all files, one file after the other."""
        for file in self.files:
            yield from file.messages()


def is_recording(path: Path) -> bool:
    """Whether a path is meant to be MCAP, by its name or, of a folder, its files' names."""
    return any(path.glob(f"*{SUFFIX}")) if path.is_dir() else path.suffix.lower() == SUFFIX


def _age(file: File) -> tuple[int, int]:
    return (file.begun.start, file.begun.part) if file.begun else (0, 0)


def _no_recording(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        problem,
        file=str(path),
        fix=f"name a recording ({SUFFIX}) made with `citynerve simulate record`",
    )


def _unreadable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "recording",
        where=str(path),
        problem=error.strerror or str(error),
        fix="name a file that exists and that this user may read",
    )
