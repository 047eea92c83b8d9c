"""How far each driver's items are durable, and what was counted of each datastream."""

from collections.abc import Mapping
from typing import NamedTuple

from citynerve.errors import ConfigError
from edge.order import Counts, Key
from edge.spool_file import SpoolFile


class Cursor(NamedTuple):
    """How far a driver's items are durable. ``origin`` in ms; see ``edge.sensor.driver``."""

    origin: int
    released: int
    dropped: int


class Figures(NamedTuple):
    """One datastream's counts, and the last time (ms) of it that was released, if any."""

    counts: Counts
    sent: int
    floor: int | None


class DriverProgress(NamedTuple):
    """What is made durable beside the batches: one driver's figures as they stand."""

    driver: str
    dropped: int
    counts: Mapping[Key, Counts]
    floors: Mapping[Key, int]


class Progress:
    """The tables ``cursor`` and ``counts`` of a spool."""

    def __init__(self, file: SpoolFile) -> None:
        self._file = file

    def cursor(self, driver: str, origin: int, identity: str = "") -> Cursor:
        """Where a driver stands; one that is met first begins at ``origin`` (ms), durably.

        Args:
            driver: Its name.
            origin: Where it begins if it is new.
            identity: What its items follow from; see ``edge.sensor.driver``.

        Raises:
            ConfigError: Items were taken of a driver of this name and another identity.
            SpoolFullError: No room.
        """
        with self._file.transaction():
            self._file.run(
                "INSERT OR IGNORE INTO cursor (driver, origin) VALUES (?, ?)", driver, origin
            )
            self._file.run(
                "UPDATE cursor SET identity = ? "
                "WHERE driver = ? AND (released = 0 OR identity IS NULL) AND identity IS NOT ?",
                identity,
                driver,
                identity,
            )
        begun, *figures = next(
            self._file.rows(
                "SELECT identity, origin, released, dropped FROM cursor WHERE driver = ?", driver
            )
        )
        if begun != identity:
            raise ConfigError(
                "is no longer the input that was begun under this name: its files or settings have"
                " changed, so what has been taken of it cannot be told",
                key="sensor.name",
                value=driver,
                fix="restore it; or have it read from its beginning with"
                f" `citynerve edge forget --config FILE {driver}`",
            )
        return Cursor(*figures)

    def forget(self, driver: str) -> bool:
        """Have a driver begin anew when it is met next; whether it was known.

        Raises:
            SpoolFullError: No room.
        """
        with self._file.transaction():
            return self._file.run("DELETE FROM cursor WHERE driver = ?", driver) > 0

    def figures(self) -> dict[Key, Figures]:
        """The stored figures of every datastream."""
        rows = self._file.rows(
            "SELECT sensor, property, read, repeated, late, sent, floor FROM counts"
        )
        return {
            (sensor, prop): Figures(Counts(read, repeated, late), sent, floor)
            for sensor, prop, read, repeated, late, sent, floor in rows
        }

    def store(self, progress: DriverProgress) -> None:
        """Write a driver's figures, within the caller's transaction."""
        self._file.run(
            "UPDATE cursor SET dropped = ? WHERE driver = ?", progress.dropped, progress.driver
        )
        for (sensor, prop), counts in progress.counts.items():
            self._file.run(
                "INSERT INTO counts (sensor, property, read, distinct_, repeated, late, floor) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET read = excluded.read, "
                "distinct_ = excluded.distinct_, repeated = excluded.repeated, "
                "late = excluded.late, floor = excluded.floor",
                sensor,
                prop,
                counts.read,
                counts.distinct,
                counts.repeated,
                counts.late,
                progress.floors.get((sensor, prop)),
            )
