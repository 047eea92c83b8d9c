"""Durable store and forward: what a node has collected and the stream has not yet committed.

One SQLite file (WAL, synchronous=FULL) holds, always in one transaction: the batches; how far each
driver's released items are taken; the counts of each datastream; the term's ledger. So a crash at
any instant leaves a state that some moment really had.

The table ``counts`` is there for others to read while the agent runs (open the file read-only).
"""

import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from citynerve.clock import Clock, now_ms
from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from edge.batcher import Sealed
from edge.described import Described, Descriptions
from edge.progress import DriverProgress, Progress
from edge.spool_file import Footprint, Lock, SpoolFile, SpoolFullError
from edge.term import Ledger, Opening

_ROW: Final = 64
"""Bytes that a row takes beside its body."""


class _Share(NamedTuple):
    """The batches up to an id, in figures."""

    upto: int
    batches: int
    bytes: int
    readings: int


class Spool:
    """The spool of one node. Make it with :meth:`open`.

    Attributes:
        last: The highest id ever given. Ids held have no gaps.
        bytes: What the held batches take.
        ledger: What the protocol remembers.
        progress: How far each driver's items are durable.
        given_up: Batches that were given up, ever.
        given_up_before: Those of them before this process.
        given_up_readings: What they held.
        dropped: Observations that could not be spooled at all, ever.
    """

    def __init__(self, file: SpoolFile, lock: Lock, *, max_bytes: int) -> None:
        self._file = file
        self.progress = Progress(file)
        self._lock = lock
        self._max_bytes = max_bytes
        meta = dict(file.rows("SELECT key, value FROM meta"))
        (given,) = next(iter(file.rows("SELECT ifnull(max(seq), 0) FROM sqlite_sequence")), (0,))
        first, total = next(file.rows("SELECT min(id), ifnull(sum(size), 0) FROM batch"))
        self.last: int = given
        self.bytes: int = total
        self._gone: int = given if first is None else first - 1
        self.given_up = int(meta.get("given_up", 0))
        self.given_up_before = self.given_up
        self.given_up_readings = int(meta.get("given_up_readings", 0))
        self.dropped = int(meta.get("dropped", 0))
        self.ledger = _started(meta, given)
        abouts = file.rows("SELECT since, about FROM about ORDER BY since")
        self._described = Descriptions(Described(*row) for row in abouts)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        node: str,
        max_bytes: int,
        clock: Clock = now_ms,
        footprint: Footprint | None = None,
    ) -> Self:
        """Open or begin the spool of ``node``.

        A file that is damaged is set aside under another name, and a new one begun.

        Args:
            path: The SQLite file; its folder is made.
            node: Whose spool it is.
            max_bytes: Beyond this much content, the oldest batches are given up.
            clock: Stamps what is set aside.
            footprint: What it may take beside its content.

        Raises:
            RefusedError: Another process uses it.
            UnavailableError: It cannot be opened or written.
            ConfigError: It is another node's.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = Lock.take(path.with_name(path.name + ".lock"))
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            spool = cls(SpoolFile.open(path, clock, footprint), lock, max_bytes=max_bytes)
            spool._claim(node, path)
        except (OSError, sqlite3.Error) as error:
            lock.release()
            raise _unusable(path, error) from error
        except CityNerveError:
            lock.release()
            raise
        return spool

    @property
    def set_aside(self) -> Path | None:
        """Where a damaged file was put at the start, if that was necessary."""
        return self._file.set_aside

    @property
    def full(self) -> bool:
        """Whether the disk had no room when it was last tried."""
        return self._file.full

    @property
    def first(self) -> int:
        """The lowest id held; the next to be given when nothing is."""
        return self._gone + 1

    @property
    def batches(self) -> int:
        """How many batches wait for the stream."""
        return self.last - self._gone

    @property
    def about(self) -> bytes:
        """The description that the oldest batch held was made under; without any, the newest."""
        return self._described.of(self.first)

    @property
    def boundary(self) -> int:
        """The last id that was made under the same description as the oldest held."""
        return self._described.boundary(self.first, self.last)

    def size(self, batch: int) -> int:
        """Bytes of a batch that is held."""
        rows = self._file.rows("SELECT size FROM batch WHERE id = ?", batch)
        return int(next(iter(rows), (_ROW,))[0])

    def body(self, batch: int) -> bytes | None:
        """A held batch's content; None if it cannot be read back as it was written."""
        try:
            rows = list(self._file.rows("SELECT body, crc FROM batch WHERE id = ?", batch))
        except sqlite3.DatabaseError:
            return None
        if not rows or zlib.crc32(rows[0][0]) != rows[0][1]:
            return None
        body: bytes = rows[0][0]
        return body

    def describe(self, about: bytes) -> None:
        """What is appended from now on is made under this description: durable with the first."""
        self._described.add(about, first=self.first, last=self.last)

    def keep(self, ledger: Ledger) -> None:
        """Make the ledger durable no later than the next batch: it goes with its transaction."""
        self.ledger = ledger

    def append(self, batches: Sequence[Sealed], progress: Iterable[DriverProgress] = ()) -> None:
        """Make batches and the figures that go with them durable, all or nothing.

        When the content would exceed the limit, the oldest batches are given up and counted.

        Raises:
            SpoolFullError: The disk has no room. Nothing has changed.
        """
        sizes = [len(batch.body) + _ROW for batch in batches]
        excess = self.bytes + sum(sizes) - self._max_bytes
        if batches:
            self._file.check_room(sum(sizes))
        with self._file.transaction():
            lost = self._give_up_to(self._worth(excess)) if excess > 0 else None
            for batch, size in zip(batches, sizes, strict=True):
                self._insert(batch, size)
            for part in progress:
                self.progress.store(part)
            self._store_ledger(self.ledger)
            self._store_meta(dropped=self.dropped)
            self._store_abouts()
        self._described.stored = True
        if lost is not None:
            self._forget(lost, given_up=True)
        self.last += len(batches)
        self.bytes += sum(sizes)

    def free(self, upto: int) -> None:
        """Ids up to ``upto`` are committed at the stream.

        After a crash the stream's answer covers them once more, so a deletion need not be durable.
        On a disk so full that it cannot even be written, they are deleted later; they are not sent
        again.
        """
        self._gone = max(self._gone, min(upto, self.last))
        try:
            with self._file.unsynced():
                share = self._delete_to(self._gone)
        except SpoolFullError:
            return
        self._forget(share, given_up=False)
        self._file.shrink()

    def give_up(self, upto: int) -> int:
        """Give up the batches up to an id, counted; how many there were.

        Raises:
            SpoolFullError: Not even that can be written.
        """
        with self._file.transaction():
            lost = self._give_up_to(min(upto, self.last))
        self._forget(lost, given_up=True)
        return lost.batches

    def open_term(self, opening: Opening) -> int:
        """Make the opening of a term durable; the id before the first of those left.

        Raises:
            SpoolFullError: No room. Nothing has changed.
        """
        committed = max(self._gone, min(opening.free, self.last))
        with self._file.transaction():
            freed = self._delete_to(committed)
            lost = self._give_up_to(min(opening.give_up, self.last))
            base = max(committed, lost.upto)
            ledger = Ledger(opening.term, base, None, opening.stream)
            self._store_ledger(ledger)
        self.ledger = ledger
        self._forget(freed, given_up=False)
        self._forget(lost, given_up=True)
        return base

    def close(self) -> None:
        """Let go of the file and the lock."""
        self._file.close()
        self._lock.release()

    def _claim(self, node: str, path: Path) -> None:
        owner = next(iter(self._file.rows("SELECT value FROM meta WHERE key = 'node'")), None)
        if owner is not None and owner[0] != node:
            raise ConfigError(
                f"the spool {path} is node {owner[0]!r}'s",
                key="node.id",
                value=node,
                fix="give each node a spool.path of its own",
            )
        with self._file.transaction():
            self._store_meta(node=node)

    def _insert(self, batch: Sealed, size: int) -> None:
        readings = sum(batch.sent.values())
        self._file.run(
            "INSERT INTO batch (size, readings, crc, body) VALUES (?, ?, ?, ?)",
            size,
            readings,
            zlib.crc32(batch.body),
            batch.body,
        )
        for driver, taken in batch.taken.items():
            self._file.run(
                "UPDATE cursor SET released = released + ? WHERE driver = ?", taken, driver
            )
        for (sensor, prop), sent in batch.sent.items():
            self._file.run(
                "INSERT INTO counts (sensor, property, sent) VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET sent = sent + excluded.sent",
                sensor,
                prop,
                sent,
            )

    def _store_ledger(self, ledger: Ledger) -> None:
        self._store_meta(
            term=ledger.term, base=ledger.base, labelled=ledger.labelled, stream=ledger.stream
        )

    def _store_meta(self, **values: object) -> None:
        for key, value in values.items():
            self._file.run(
                "INSERT INTO meta (key, value) VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET value = excluded.value "
                "WHERE value IS NOT excluded.value",
                key,
                value,
            )

    def _store_abouts(self) -> None:
        if self._described.stored:
            return
        self._file.run("DELETE FROM about")
        for one in self._described.rows:
            self._file.run("INSERT INTO about (since, about) VALUES (?, ?)", *one)

    def _worth(self, excess: int) -> int:
        """The id up to which the oldest batches hold at least ``excess`` bytes."""
        upto = self._gone
        rows = self._file.rows("SELECT id, size FROM batch WHERE id > ? ORDER BY id", self._gone)
        for batch, size in rows:
            upto = batch
            excess -= size
            if excess <= 0:
                break
        return upto

    def _delete_to(self, upto: int) -> _Share:
        row: tuple[Any, ...] = next(
            self._file.rows(
                "SELECT count(*), ifnull(sum(size), 0), ifnull(sum(readings), 0) "
                "FROM batch WHERE id <= ?",
                upto,
            )
        )
        self._file.run("DELETE FROM batch WHERE id <= ?", upto)
        return _Share(upto, *row)

    def _give_up_to(self, upto: int) -> _Share:
        """Delete up to an id; only what the stream has not committed counts as given up."""
        committed = self._delete_to(self._gone)
        lost = self._delete_to(upto)
        self._store_meta(
            given_up=self.given_up + lost.batches,
            given_up_readings=self.given_up_readings + lost.readings,
        )
        return _Share(upto, lost.batches, lost.bytes + committed.bytes, lost.readings)

    def _forget(self, share: _Share, *, given_up: bool) -> None:
        self._gone = max(self._gone, share.upto)
        self.bytes -= share.bytes
        if given_up:
            self.given_up += share.batches
            self.given_up_readings += share.readings


def _started(meta: Mapping[str, Any], last: int) -> Ledger:
    """The ledger as a new process finds it: no term is open, what is there was made in the last."""
    labelled = meta.get("labelled")
    return Ledger(
        int(meta.get("term", 0)),
        int(meta.get("base", 0)),
        last if labelled is None else int(labelled),
        meta.get("stream"),
    )


def _unusable(path: Path, error: Exception) -> UnavailableError:
    return UnavailableError(
        "spool",
        where=str(path),
        problem=str(error),
        fix="name a file in a folder that can be written as spool.path",
    )
