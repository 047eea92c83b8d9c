"""The SQLite file under a spool: its lock, its schema, what to do when it is damaged or full."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from citynerve import log
from citynerve.clock import Clock
from citynerve.errors import RefusedError, UnavailableError

SCHEMA_VERSION: Final = 3
BALLAST: Final = 4 << 20
"""Bytes kept in a file beside the spool, to be let go when the disk is full: enough for SQLite to
move its log into the file, and so for deletions to be written."""

_CHECKED_WHOLE: Final = 32 << 20
_PAGE: Final = 4096
_MARGIN: Final = 16 * _PAGE
_FREE_PAGES: Final = 2048
_SHRINK_PAGES: Final = 256
_FULL: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_log = log.get("spool")

# Each brings a file of the version before to the next: the first, an empty one to version 1.
MIGRATIONS: Final = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE batch (
        id INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL, readings INTEGER NOT NULL,
        crc INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE cursor (
        driver TEXT PRIMARY KEY, origin INTEGER NOT NULL, released INTEGER NOT NULL DEFAULT 0,
        dropped INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE counts (
        sensor TEXT, property TEXT, read INTEGER NOT NULL DEFAULT 0,
        distinct_ INTEGER NOT NULL DEFAULT 0, repeated INTEGER NOT NULL DEFAULT 0,
        late INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0, floor INTEGER,
        PRIMARY KEY (sensor, property)) WITHOUT ROWID;
    """,
    "ALTER TABLE cursor ADD COLUMN identity TEXT;",
    "CREATE TABLE about (since INTEGER PRIMARY KEY, about BLOB NOT NULL);",
)


class Footprint(NamedTuple):
    """What a spool takes of its machine beside its content.

    ``ballast``: see :data:`BALLAST`. ``log_pages``: pages of 4 KiB that SQLite's log grows to until
    it is moved into the file; the ballast must hold them. ``cache_kib``: KiB of memory for pages.
    """

    ballast: int = BALLAST
    log_pages: int = 256
    cache_kib: int = 512


class SpoolFullError(UnavailableError):
    """The disk has no room; the transaction was rolled back and nothing has changed."""


class Lock:
    """An advisory lock that ends with the process, on a file that tells who holds it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take it now or not at all.

        Raises:
            RefusedError: Another process holds it.
            OSError: The file cannot be made.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise RefusedError(
                f"spool {path.with_suffix('')}",
                holder=f"process {holder}",
                fix="end that agent first, or give this node a spool.path of its own",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let go; the file stays."""
        os.close(self._descriptor)


class SpoolFile:
    """One open SQLite file with the current schema.

    Attributes:
        set_aside: Where a damaged file was put, if that was necessary.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        set_aside: Path | None,
        footprint: Footprint,
    ) -> None:
        self._path = path
        self._footprint = footprint
        self._connection = connection
        self.set_aside = set_aside
        self._ballast = path.with_name(path.name + ".ballast")
        self.full = not self._lay_ballast()

    @classmethod
    def open(cls, path: Path, clock: Clock, footprint: Footprint | None = None) -> Self:
        """Open, check and bring up to date; a damaged file is set aside and a new one begun.

        Raises:
            UnavailableError: The file is of a newer version of this software.
            sqlite3.Error: It cannot be opened at all, though it is not damaged.
            OSError: The same.
        """
        footprint = footprint or Footprint()
        try:
            return cls(path, _opened(path, footprint), None, footprint)
        except sqlite3.DatabaseError as error:
            if _code(error) not in _DAMAGED:
                raise
            aside = _put_aside(path, clock())
            _log.error("spool damaged: set aside", file=str(path), aside=str(aside), why=str(error))
            return cls(path, _opened(path, footprint), aside, footprint)

    def rows(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """What a query finds."""
        return self._connection.execute(sql, values)

    def run(self, sql: str, *values: object) -> int:
        """Execute one statement; the number of rows changed."""
        return self._connection.execute(sql, values).rowcount

    @contextmanager
    def unsynced(self) -> Iterator[None]:
        """A transaction that a power cut may undo, as long as none has followed it.

        For what is found out again anyhow: it spares a slow disk, and one that wears out.

        Raises:
            UnavailableError: See :meth:`transaction`.
        """
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            with self.transaction():
                yield
        finally:
            self._connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside becomes durable at once, or not at all.

        Raises:
            SpoolFullError: The disk has no room.
            UnavailableError: The file cannot be written for another cause, or is damaged.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            if _code(error) in _FULL:
                self._relieve()
                raise SpoolFullError(
                    "room for the spool",
                    where=str(self._path),
                    problem=str(error),
                    fix="free space on that disk",
                ) from error
            raise UnavailableError(
                "spool",
                where=str(self._path),
                problem=str(error),
                fix="start the agent again: it checks the file and sets a damaged one aside",
            ) from error
        except BaseException:
            self._roll_back()
            raise
        if self.full:
            self.full = not self._lay_ballast()

    def check_room(self, size: int) -> None:
        """On a full disk, only what fits into pages that have become free may be added.

        The rest of the room belongs to deletions: used up, no ack could free anything any more.
        But beyond what deletions may need it is used, though it is too little for the ballast: a
        disk that others fill must not silence a node whose spool is empty.

        Raises:
            SpoolFullError: ``size`` bytes do not fit.
        """
        if not self.full:
            return
        self.full = not self._lay_ballast()
        free = next(self._connection.execute("PRAGMA freelist_count"))[0]
        needed = 2 * size + _MARGIN
        reserved = self._footprint.ballast // 2
        if self.full and free * _PAGE < needed and self._disk_room() < reserved + needed:
            raise SpoolFullError(
                "room for the spool",
                where=str(self._path),
                problem="the disk is full",
                fix="free space on that disk",
            )

    def shrink(self) -> None:
        """Outside a transaction: give some of what a past backlog took back to the disk."""
        free = next(self._connection.execute("PRAGMA freelist_count"))[0]
        used = next(self._connection.execute("PRAGMA page_count"))[0] - free
        if free <= max(_FREE_PAGES, used):
            return
        try:
            # executescript(), because execute() steps such a statement only once: one page.
            self._connection.executescript(f"PRAGMA incremental_vacuum({_SHRINK_PAGES})")
        except sqlite3.Error as error:
            _log.warning("spool not made smaller", why=str(error))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _lay_ballast(self) -> bool:
        try:
            with self._ballast.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, self._footprint.ballast)
        except OSError:
            self._ballast.unlink(missing_ok=True)
            return False
        return True

    def _disk_room(self) -> int:
        disk = os.statvfs(self._path)
        return disk.f_bavail * disk.f_frsize

    def _relieve(self) -> None:
        """Make room for SQLite's own bookkeeping, so that what is committed can be deleted."""
        if not self.full:
            _log.error("disk full", file=str(self._path))
        self.full = True
        self._ballast.unlink(missing_ok=True)
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


def _opened(path: Path, footprint: Footprint) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {footprint.log_pages}").fetchall()
        connection.execute(f"PRAGMA cache_size = -{footprint.cache_kib}")
        _migrate(connection, path)
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = next(connection.execute("PRAGMA user_version"))[0]
    if version > SCHEMA_VERSION:
        raise UnavailableError(
            "spool",
            where=str(path),
            problem=f"it is of version {version}, this software knows up to {SCHEMA_VERSION}",
            fix="update citynerve, or name another file as spool.path",
        )
    if version < SCHEMA_VERSION:
        steps = "".join(MIGRATIONS[version:])
        connection.executescript(f"BEGIN; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Find damage in a time that does not grow with the batches' content.

    A large file's batches are only walked over: each has a check sum, looked at when it is sent.
    """
    if path.stat().st_size <= _CHECKED_WHOLE:
        parts = ["quick_check(1)"]
    else:
        parts = [f"quick_check('{table}')" for table in ("meta", "cursor", "counts")]
    for part in parts:
        found = next(connection.execute(f"PRAGMA {part}"))[0]
        if found != "ok":
            raise _damaged(str(found))
    held, first, last = next(connection.execute("SELECT count(*), min(id), max(id) FROM batch"))
    next(connection.execute("SELECT sum(size) FROM batch"))
    if held and held != last - first + 1:
        raise _damaged("batches are missing")


def _damaged(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _code(error: sqlite3.Error) -> int:
    """SQLite's result code; extended ones of the damaged kind as their primary one."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF if code & 0xFF in _DAMAGED else code


def _put_aside(path: Path, now: int) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{now}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
