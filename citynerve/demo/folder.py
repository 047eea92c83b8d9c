"""The one folder that holds a run: configuration, logs, data."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from citynerve.errors import ConfigError


def make(wanted: Path | None) -> Path:
    """A new folder for a run, absolute.

    Args:
        wanted: Which; by default ``./run/<UTC time>-<pid>``, or in the system's folder for
            temporary files where this one may not be written.

    Raises:
        ConfigError: It cannot be written, or holds something already.
    """
    if wanted is not None:
        return _make(wanted)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
    here, elsewhere = places()
    try:
        return _make(here / name)
    except ConfigError:
        # Another user's checkout: still theirs to try.
        return _make(elsewhere / name)


def places() -> tuple[Path, Path]:
    """Where runs are put: here, or where this folder may not be written."""
    return Path("run"), Path(tempfile.gettempdir(), f"citynerve-{os.getuid()}")


def _make(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        taken = next(path.iterdir(), None)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}",
            file="command line",
            key="--dir",
            value=str(path),
            fix="name a folder that you may write to",
        ) from error
    if taken is not None:
        raise ConfigError(
            f"holds something already: {taken.name}",
            file="command line",
            key="--dir",
            value=str(path),
            fix="name a new or empty folder",
        )
    return path.resolve()
