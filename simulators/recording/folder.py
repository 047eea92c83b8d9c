"""A replay's folder: its nodes' spools, and what must be the same when it goes on after a crash."""

import shutil
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from citynerve.errors import ConfigError, RefusedError, UnavailableError
from edge.spool_file import Lock

STATE: Final = "replay.json"
LOCK: Final = "replay.lock"

_ENDS: Final = 1 << 20


class State(msgspec.Struct):
    """What a replay is, durably.

    ``identity``: what the items it plays follow from. ``origin``: when it was begun, ms since 1970
    UTC. ``shift``: ms that times move by. ``done``: all of it is committed.
    """

    identity: str
    origin: int
    shift: int
    done: bool = False


class Folder:
    """The folder of one replay, held by this process. Make it with :meth:`open`.

    Attributes:
        state: What stands in it; None: nothing has been begun.
    """

    def __init__(self, path: Path, lock: Lock, state: State | None) -> None:
        self.path = path
        self.state = state
        self._lock = lock

    @classmethod
    def open(cls, path: Path, identity: str, *, anew: bool) -> Self:
        """Take hold of a folder; what a finished replay left in it is removed.

        Args:
            path: It; made if missing.
            identity: Of the replay that is to be played.
            anew: Forget what an interrupted replay left.

        Raises:
            ConfigError: Another replay was interrupted there.
            RefusedError: Another process uses it.
            UnavailableError: It cannot be read or written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = Lock.take(path / LOCK)
        except RefusedError as error:
            raise RefusedError(
                f"replay in {path}",
                holder="another process",
                fix="wait for it, or name another folder with --dir",
            ) from error
        except OSError as error:
            raise _unusable(path, error) from error
        folder = cls(path, lock, None)
        try:
            folder._take_up(identity, anew=anew)
        except OSError as error:
            folder.close()
            raise _unusable(path, error) from error
        except ConfigError:
            folder.close()
            raise
        return folder

    def keep(self, state: State) -> None:
        """Make it durable.

        Raises:
            UnavailableError: It cannot be written.
        """
        part = self.path / f".{STATE}.part"
        try:
            part.write_bytes(msgspec.json.encode(state))
            part.replace(self.path / STATE)
        except OSError as error:
            raise _unusable(self.path, error) from error
        self.state = state

    def close(self) -> None:
        """Let go of it."""
        self._lock.release()

    def remove(self) -> None:
        """Remove it with all that is in it; after :meth:`close`."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _take_up(self, identity: str, *, anew: bool) -> None:
        file = self.path / STATE
        if file.exists():
            try:
                self.state = msgspec.json.decode(file.read_bytes(), type=State)
            except msgspec.DecodeError as error:
                raise ConfigError(
                    f"is no state of a replay: {error}",
                    file=str(file),
                    fix="name another folder with --dir",
                ) from error
            if not self.state.done and not anew and self.state.identity != identity:
                raise ConfigError(
                    "another replay was interrupted in this folder",
                    key="--dir",
                    value=str(self.path),
                    fix="finish it with the same files and options, add --anew to forget it,"
                    " or name another folder",
                )
            if self.state.done or anew:
                self.state = None
                file.unlink()
        if self.state is None:
            for spool in self.path.glob("*.db*"):
                spool.unlink()


def identity(paths: Sequence[Path], settings: Any) -> str:  # noqa: ANN401 - whatever JSON takes
    """A digest of files and settings: as long as it stays the same, so do the items of a replay.

    Of each file its size and both its ends are looked at: a recording ends with its summary.

    Raises:
        UnavailableError: A file cannot be read.
    """
    whole = blake2b(msgspec.json.encode(settings, order="deterministic"), digest_size=16)
    for path in paths:
        try:
            with path.open("rb") as file:
                whole.update(file.read(_ENDS))
                size = file.seek(0, 2)
                file.seek(max(0, size - _ENDS))
                whole.update(file.read(_ENDS))
        except OSError as error:
            raise _unusable(path, error) from error
        whole.update(f"{path.name} {size}".encode())
    return whole.hexdigest()


def _unusable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "replay",
        where=str(path),
        problem=error.strerror or str(error),
        fix="name files that can be read, and with --dir a folder that can be written",
    )
