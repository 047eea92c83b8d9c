"""Recorded city data as a driver: CSV and NDJSON files, as recorded, faster, or all at once.

Rows leave in the order of the files they stand in; of several files, the one whose next row is
oldest goes first. Sorting within the lateness and dropping repeats is the agent's, as for any
sensor.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from citynerve.config import Config
from citynerve.errors import ConfigError
from citynerve.messages import CameraAbout, Position, SensorAbout
from edge.sensor import mapping as mappings
from edge.sensor import table
from edge.sensor.driver import Item, Mark, Reading
from edge.sensor.mapping import Mapping, TimeReader, sensor_name

_AFTER_THE_END: Final = 3_600_000
"""How far a datastream's watermark moves past its last time when the files end, in ms."""


class ReplayConfig(Config, tag_field="driver", tag="replay"):
    """A ``[[sensor]]`` table with ``driver = "replay"``.

    ``mapping`` names a shipped mapping or a TOML file; without it each file's columns tell.
    ``speed`` is recorded time over real time.
    """

    paths: Annotated[list[str], Meta(min_length=1)]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = "replay"
    mapping: str | None = None
    speed: Annotated[float, Meta(gt=0)] | Literal["max"] = 1.0


Row = tuple[int, tuple[Reading, ...]]
"""A time, by which files are merged and paced, and what was observed then."""


class Replay:
    """Replays files; resumable, since the same files give the same readings in the same order.

    Args:
        config: Files, mapping and speed.
        base: The folder that relative paths start from.

    Raises:
        ConfigError: A file or mapping does not exist or does not fit.
        UnavailableError: A file cannot be read.
    """

    resumable = True

    def __init__(self, config: ReplayConfig, base: Path) -> None:
        self.name = config.name
        self.finished = False
        self._speed = math.inf if config.speed == "max" else config.speed
        given = None if config.mapping is None else mappings.find(config.mapping, base)[1]
        self._files = [_open(path, given) for path in _data_files(config.paths, base)]
        self._rows: Iterator[Row] = iter(())
        self._next: Row | None = None
        self._first = 0
        self._origin = 0
        self._last: dict[tuple[str, str], int] = {}

    def sensors(self) -> Sequence[SensorAbout]:
        """All sensors of all files. Files that name sensors in a column are read through once."""
        return self._sensors

    def cameras(self) -> Sequence[CameraAbout]:
        """None."""
        return []

    def identity(self) -> str:
        """A digest of the files' content and mappings, in the order of the files.

        Raises:
            UnavailableError: A file cannot be read.
        """
        whole = blake2b(digest_size=16)
        for file in self._files:
            whole.update(file.path.name.encode())
            whole.update(msgspec.json.encode(file.mapping, order="deterministic"))
            whole.update(table.digest(file.path))
        return whole.hexdigest()

    def open(self, origin: int) -> None:
        """Start before the first row; at a finite speed, its time is the origin's."""
        self._origin = origin
        self._last.clear()
        self._rows = heapq.merge(*(file.rows() for file in self._files), key=itemgetter(0))
        self._next = next(self._rows, None)
        self._first = self._next[0] if self._next else 0
        self.finished = False

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """The readings of the rows that are due, and at the very end a mark for each datastream."""
        if self.finished:
            return []
        due = self._first + (now - self._origin) * self._speed
        if math.isinf(self._speed):
            due = math.inf
        items: list[Item] = []
        while self._next is not None and len(items) < limit and self._next[0] <= due:
            items += self._take(self._next)
            self._next = next(self._rows, None)
        if self._next is None and len(items) < limit:
            items += self._marks()
            self.finished = True
        return items

    def problems(self) -> Sequence[str]:
        """What could not be read so far: for each file how many cells and lines, and the first."""
        return [line for file in self._files for line in file.explain()]

    def close(self) -> None:
        """Close the files."""
        self._rows = iter(())
        self._next = None

    @cached_property
    def _sensors(self) -> list[SensorAbout]:
        found: dict[str, SensorAbout] = {}
        for file in self._files:
            for about in file.sensors():
                before = found.setdefault(about.name, about)
                if before.properties != about.properties:
                    found[about.name] = _joined(before, about, file.path)
        return list(found.values())

    def _take(self, row: Row) -> tuple[Reading, ...]:
        t, readings = row
        for reading in readings:
            key = reading.sensor, reading.property
            self._last[key] = max(t, self._last.get(key, t))
        return readings

    def _marks(self) -> list[Mark]:
        return [Mark(*key, t + _AFTER_THE_END) for key, t in self._last.items()]


def _data_files(paths: Sequence[str], base: Path) -> list[Path]:
    found: list[Path] = []
    for name in paths:
        path = base / Path(name).expanduser()
        try:
            inside = sorted(path.iterdir())
        except NotADirectoryError:
            found.append(path)
            continue
        except OSError as error:
            raise table.unreadable(path, error) from error
        inside = [p for p in inside if p.suffix.lower() in table.SUFFIXES]
        if not inside:
            raise ConfigError(
                "the folder holds no data files",
                key="sensor.paths",
                value=str(path),
                fix=f"name a folder with {', '.join(sorted(table.SUFFIXES))} files in it",
            )
        found += inside
    return list(dict.fromkeys(found))


def _joined(one: SensorAbout, other: SensorAbout, path: Path) -> SensorAbout:
    properties = {about.name: about for about in one.properties}
    for about in other.properties:
        if properties.setdefault(about.name, about) != about:
            raise ConfigError(
                f"sensor {one.name!r} has {about.name!r} in another file already, with another"
                " unit, range or lateness",
                file=str(path),
                fix="replay the files as two nodes, or map them to different sensors",
            )
    return SensorAbout(one.name, tuple(properties.values()), one.position or other.position)


def _open(path: Path, given: Mapping | None) -> "_File":
    names = table.header(path)
    mapping = given or mappings.detect(path, names)
    missing = sorted(mapping.columns() - set(names))
    # A JSON object may leave out what it does not know; a table's header may not.
    if missing and path.suffix.lower() == ".csv":
        raise ConfigError(
            f"has no column {', '.join(map(repr, missing))}; it has {', '.join(names)}",
            file=str(path),
            fix="name the columns as they stand in the file, or use another mapping",
        )
    return _File(path, mapping)


@dataclass(slots=True)
class _Problem:
    count: int
    first: str


class _File:
    """One recorded file under its mapping."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self.path = path
        self.mapping = mapping
        self.problems: dict[str, _Problem] = {}
        self._barren = False
        self._time = TimeReader(mapping.time, file=str(path))
        self._columns = [(name, column.column) for name, column in mapping.properties.items()]
        self._nulls = frozenset(mapping.nulls)

    def sensors(self) -> list[SensorAbout]:
        """Name, place and properties of each sensor in the file.

        Raises:
            ConfigError: Two different cells give the same name.
        """
        properties = self.mapping.about()
        places = self._places()
        found: dict[str, str] = {}
        for cell in self._sensor_cells():
            name = sensor_name(cell)
            if found.setdefault(name, cell) != cell:
                raise ConfigError(
                    f"{found[name]!r} and {cell!r} would both be the sensor {name!r}",
                    file=str(self.path),
                    key=self.mapping.sensor.column,
                    fix="rename one of them in the file",
                )
        return [SensorAbout(name, properties, places.get(cell)) for name, cell in found.items()]

    def rows(self) -> Iterator[Row]:
        """Every row with at least one value, in file order."""
        wanted = self.mapping.only
        self.problems.clear()
        barren, self._barren = True, False
        for number, row in table.rows(self.path):
            if row is None:
                self._note("lines are no rows", number, "")
            elif all(row.get(column) == cell for column, cell in wanted.items()):
                observed = self._observed(number, row)
                if observed is not None:
                    barren = False
                    yield observed
        self._barren = barren

    def explain(self) -> list[str]:
        """One line for each kind of problem met so far."""
        found = [
            f"{self.path}: {problem.count} {kind} (first: {problem.first})"
            for kind, problem in self.problems.items()
        ]
        if self._barren:
            found.append(f"{self.path}: no row of it gives a reading")
        return found

    def _observed(self, number: int, row: dict[str, str]) -> Row | None:
        sensor = self._sensor_of(row)
        if not sensor:
            self._note("rows name no sensor", number, str(self.mapping.sensor.column))
            return None
        cell = row.get(self.mapping.time.column, "")
        try:
            t = self._time.read(cell)
        except ValueError:
            self._note("times cannot be read", number, repr(cell))
            return None
        readings = []
        for name, column in self._columns:
            value = self._number(number, column, row.get(column, ""))
            if value is not None:
                readings.append(Reading(sensor, name, t, value))
        return (t, tuple(readings)) if readings else None

    def _number(self, line: int, column: str, cell: str) -> float | None:
        if not cell or cell in self._nulls:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self._note("values are no numbers", line, f"{column} = {cell!r}")
        return None

    def _note(self, kind: str, line: int, what: str) -> None:
        problem = self.problems.setdefault(kind, _Problem(0, f"line {line} {what}".strip()))
        problem.count += 1

    def _sensor_of(self, row: dict[str, str]) -> str:
        source = self.mapping.sensor
        if source.column is not None:
            return sensor_name(row.get(source.column, ""))
        return source.name or sensor_name(self.path.stem)

    def _sensor_cells(self) -> list[str]:
        source = self.mapping.sensor
        if source.column is None:
            return [source.name or self.path.stem]
        cells = (row.get(source.column, "") for _, row in table.rows(self.path) if row)
        return [cell for cell in dict.fromkeys(cells) if sensor_name(cell)]

    def _places(self) -> dict[str, Position]:
        wanted = self.mapping.position
        if wanted is None:
            return {}
        beside = [folder / wanted.file for folder in (self.path.parent, self.path.parent.parent)]
        found = next((path for path in beside if path.is_file()), None)
        if found is None:
            return {}
        places = {}
        for number, row in table.rows(found):
            try:
                places[(row or {})[wanted.key]] = Position(
                    _mean(row or {}, wanted.lat), _mean(row or {}, wanted.lon)
                )
            except (KeyError, ValueError) as error:
                raise ConfigError(
                    f"line {number} gives no place: {error}",
                    file=str(found),
                    fix=f"it needs {wanted.key}, {', '.join(wanted.lat + wanted.lon)} as degrees",
                ) from error
        return places


def _mean(row: dict[str, str], columns: Sequence[str]) -> float:
    return sum(float(row[column]) for column in columns) / len(columns)
