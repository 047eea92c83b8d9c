"""The recovery store: a folder that is the stream's memory, and its identity.

::

    store/
    ├── identity.json   {version, id, start}: who this store is, how often it was started
    ├── lock            held (flock) by the one process that runs on it
    ├── recovery/       Bytewax's recovery partition, one SQLite file
    └── evidence/       pictures, written before the batch that brought them is committed

Bytewax 0.21.1 is pinned: :func:`prune` knows its tables, and the commit protocol (``stream.flow``)
relies on the order in which it calls sources and sinks.
"""

import fcntl
import importlib.metadata
import os
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from bytewax.recovery import init_db_dir

from citynerve.errors import ConfigError, RefusedError, UnavailableError

FORMAT: Final = 1
"""Of the folder and of what the flow's steps keep in it."""

BYTEWAX: Final = "0.21.1"

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``identity.json`` holds; ``start`` grows with every start of the stream."""

    version: int
    id: str
    start: Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class Store:
    """An open, locked store, pruned and ready for Bytewax to resume from."""

    path: Path
    identity: Identity
    pruned: int

    @property
    def recovery(self) -> Path:
        """The folder for ``bytewax.recovery.RecoveryConfig``."""
        return self.path / "recovery"

    @property
    def evidence(self) -> Path:
        """The folder for pictures."""
        return self.path / "evidence"


def check_bytewax() -> None:
    """Refuse any Bytewax but the one whose internals are known.

    Raises:
        UnavailableError: Another version is installed.
    """
    found = importlib.metadata.version("bytewax")
    if found != BYTEWAX:
        raise UnavailableError(
            "Bytewax " + BYTEWAX,
            where="this Python environment",
            problem=f"version {found} is installed",
            fix=f"pip install 'bytewax=={BYTEWAX}'",
        )


def create(path: Path, *, as_id: str | None = None) -> Identity:
    """Make a new store.

    Args:
        path: Its folder; made if need be.
        as_id: The id of a lost store that this one takes the place of, so that the nodes bound to
            it go on. Its starts then count from the clock, which no counter of starts overtakes.

    Raises:
        ConfigError: ``as_id`` is no id, or the folder cannot be written.
        RefusedError: There is a store already.
    """
    if as_id is not None and not _ID.fullmatch(as_id):
        raise ConfigError(
            "not a store id", key="--as", value=as_id, fix="copy it from an ack or from the log"
        )
    if _identity_file(path).exists() or _recovery_parts(path):
        raise RefusedError(f"folder {path}", holder="a recovery store", fix="name another folder")
    start = 0 if as_id is None else int(time.time())
    identity = Identity(FORMAT, as_id or secrets.token_hex(6), start)
    try:
        path.mkdir(parents=True, exist_ok=True)
        _prepare_recovery(path)
        _write_identity(path, identity)
        _finish_recovery(path, identity)
    except OSError as error:
        raise _unwritable(path, error) from error
    return identity


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Lock the store at ``path`` (made if it does not exist) and count one more start.

    Raises:
        RefusedError: Another process runs on it.
        ConfigError: It is damaged, of another format, or cannot be written.
        UnavailableError: Not the Bytewax that the store belongs to.
    """
    check_bytewax()
    with _locked(path):
        identity = _identity(path)
        started = msgspec.structs.replace(identity, start=identity.start + 1)
        try:
            _write_identity(path, started)
            (path / "evidence").mkdir(exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error
        yield Store(path, started, prune(path / "recovery"))


def peek(path: Path) -> Identity | None:
    """The identity of the store at ``path``, which may be running; None where there is none.

    Raises:
        ConfigError: It is damaged or of another format.
    """
    return _identity(path) if _identity_file(path).exists() else None


def advance(store: Store, start: int) -> Store:
    """Raise the count of starts to ``start``, to go before a claim that counts further."""
    identity = msgspec.structs.replace(store.identity, start=start)
    _write_identity(store.path, identity)
    return Store(store.path, identity, store.pruned)


def prune(recovery: Path) -> int:
    """Delete the snapshots of epochs that never completed; gives their number.

    Bytewax writes an epoch's snapshots before it notes that the epoch is complete, and leaves them
    when it dies between the two. It resumes at that same epoch; a key that is not touched in it
    again keeps the stray snapshot, and the start after the next one restores it.
    """
    databases = [sqlite3.connect(part) for part in sorted(recovery.glob("part-*.sqlite3"))]
    try:
        return _delete_from(databases, _resume_epoch(databases))
    except sqlite3.DatabaseError as error:
        raise ConfigError(
            f"the recovery store is damaged: {error}",
            file=str(recovery),
            fix="restore it from a backup, or make a new one with `citynerve stream init --as ID`",
        ) from error
    finally:
        for database in databases:
            database.close()


def _delete_from(databases: list[sqlite3.Connection], epoch: int) -> int:
    deleted = 0
    for database in databases:
        with database:
            found = database.execute("DELETE FROM snaps WHERE snap_epoch >= ?", (epoch,))
            deleted += found.rowcount
    return deleted


def _resume_epoch(databases: list[sqlite3.Connection]) -> int:
    executions = [
        row
        for database in databases
        for row in database.execute("SELECT ex_num, worker_count, resume_epoch FROM exs")
    ]
    if not executions:
        return 1
    execution, workers, first = max(executions)
    frontiers = dict.fromkeys(range(workers), first)
    for database in databases:
        for worker, frontier in database.execute(
            "SELECT worker_index, worker_frontier FROM fronts WHERE ex_num = ?", (execution,)
        ):
            frontiers[worker] = max(frontiers[worker], frontier)
    return int(min(frontiers.values()))


def _identity_file(path: Path) -> Path:
    return path / "identity.json"


def _recovery_parts(path: Path) -> list[Path]:
    return list((path / "recovery").glob("part-*.sqlite3"))


def _identity(path: Path) -> Identity:
    try:
        content = _identity_file(path).read_bytes()
    except FileNotFoundError as error:
        if _recovery_parts(path):
            raise ConfigError(
                "the store has lost its identity",
                file=str(_identity_file(path)),
                fix="restore the file from a backup",
            ) from error
        return create(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        identity = msgspec.json.decode(content, type=Identity)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"not a store's identity: {error}",
            file=str(_identity_file(path)),
            fix="restore the file from a backup",
        ) from error
    if identity.version != FORMAT:
        raise ConfigError(
            f"a store of format {identity.version}; this version knows {FORMAT}",
            file=str(path),
            fix="run the version of CityNerve that wrote it",
        )
    if not _recovery_parts(path):
        _finish_recovery(path, identity)
    return identity


def _prepare_recovery(path: Path) -> None:
    partial = path / "recovery.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    init_db_dir(partial, 1)  # type: ignore[no-untyped-call]


def _finish_recovery(path: Path, identity: Identity) -> None:
    # The identity is written between the two, so whoever finds it finds one of them complete.
    partial = path / "recovery.partial"
    if not partial.exists():
        raise ConfigError(
            "the recovery partition is gone",
            file=str(path / "recovery"),
            fix=f"restore it, or `citynerve stream init --as {identity.id}` in a new folder",
        )
    shutil.rmtree(path / "recovery", ignore_errors=True)
    partial.rename(path / "recovery")
    _sync_folder(path)


def _write_identity(path: Path, identity: Identity) -> None:
    partial = path / "identity.json.partial"
    with partial.open("wb") as file:
        file.write(msgspec.json.encode(identity) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(_identity_file(path))
    _sync_folder(path)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        file = (path / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error
    with closing(file):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise RefusedError(
                f"recovery store {path}",
                holder=f"process {file.read().strip() or 'unknown'}",
                fix="stop that process, or give this stream a store of its own (store.path)",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the store cannot be used: {error.strerror or error}",
        key="store.path",
        value=str(path),
        fix="name a folder that this user may write",
    )
