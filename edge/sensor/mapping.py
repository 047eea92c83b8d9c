"""How the columns of a recorded file become datastreams: the mapping TOML and its detection.

::

    lateness = "8d"             # rows may stand this long after later ones: s, m, h, d
    nulls = ["", "NA"]          # cells that mean: no value

    [time]
    column = "TIMESTAMP"
    format = "iso"              # or "unix_s", "unix_ms", or a strptime pattern
    zone = "UTC"                # of times that name none: UTC or a name like Europe/Copenhagen

    [sensor]                    # exactly one of the three
    column = "REPORT_ID"        # lower case, other characters become "-"
    # name = "station"
    # from_file_name = true

    [position]                  # optional: a CSV file beside the data file or one folder up
    file = "traffic_sensors.csv"
    key = "REPORT_ID"
    lat = ["POINT_1_LAT", "POINT_2_LAT"]    # the mean of these columns
    lon = ["POINT_1_LNG", "POINT_2_LNG"]

    [only]                      # optional: take rows with these cells only
    status = "OK"

    [properties.speed]
    column = "avgSpeed"
    unit = "km/h"
    range = [0, 250]            # optional
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, field

from citynerve import config
from citynerve.config import Config
from citynerve.errors import ConfigError
from citynerve.messages import PropertyAbout
from citynerve.topics import NAME_PATTERN

_SPAN: Final = re.compile(r"(\d+)(ms|s|m|h|d)")
_SPAN_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9_-]+")

Span = Annotated[str, Meta(pattern=r"^\d+(ms|s|m|h|d)$")]
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]


class TimeColumn(Config):
    """Where the phenomenon time stands and how it is written."""

    column: str
    format: str = "iso"
    zone: str = "UTC"


class SensorName(Config):
    """Where a row's sensor name comes from: exactly one of the three."""

    column: str | None = None
    name: Name | None = None
    from_file_name: Literal[True] | None = None


class PositionTable(Config):
    """A CSV table of places: ``key`` is matched with the sensor's cell; means of lat and lon."""

    file: str
    key: str
    lat: Annotated[list[str], Meta(min_length=1)]
    lon: Annotated[list[str], Meta(min_length=1)]


class PropertyColumn(Config):
    """One observed property: its column, UCUM unit and physical range."""

    column: str
    unit: Annotated[str, Meta(min_length=1)]
    range: tuple[float, float] | None = None


class Mapping(Config):
    """One mapping file. See the module's text for the whole of it."""

    time: TimeColumn
    sensor: SensorName
    properties: Annotated[dict[Name, PropertyColumn], Meta(min_length=1)]
    lateness: Span = "0s"
    nulls: tuple[str, ...] = ("", "NA", "null")
    position: PositionTable | None = None
    only: dict[str, str] = field(default_factory=dict)

    def columns(self) -> set[str]:
        """The columns that a file must have."""
        wanted = {self.time.column, *self.only}
        wanted.update(column.column for column in self.properties.values())
        if self.sensor.column is not None:
            wanted.add(self.sensor.column)
        return wanted

    def about(self) -> tuple[PropertyAbout, ...]:
        """The properties as a node tells them."""
        lateness = span_ms(self.lateness)
        return tuple(
            PropertyAbout(name=name, unit=given.unit, range=given.range, lateness=lateness)
            for name, given in self.properties.items()
        )


def span_ms(text: str) -> int:
    """A span such as ``8d``, ``90s`` or ``250ms`` in milliseconds.

    >>> span_ms("8d"), span_ms("250ms")
    (691200000, 250)
    """
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"no span: {text!r}")
    return int(found[1]) * _SPAN_MS[found[2]]


def sensor_name(cell: str) -> str:
    """A cell or file name as a sensor's name; empty when nothing usable is left.

    >>> sensor_name("BRUUNS"), sensor_name("Å 12/b")
    ('bruuns', '12-b')
    """
    return _NOT_IN_NAMES.sub("-", cell.lower()).strip("-_")[:63]


class TimeReader:
    """Turns a time cell into milliseconds since 1970 UTC.

    Parts of a millisecond are cut off. In the hour that the end of summer time repeats, a time
    without zone is the first of the two.

    Raises:
        ConfigError: The zone is unknown on this machine.
    """

    def __init__(self, column: TimeColumn, *, file: str) -> None:
        self._format = column.format
        self._zone: tzinfo = UTC
        if column.zone != "UTC":
            try:
                self._zone = ZoneInfo(column.zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ConfigError(
                    "unknown time zone",
                    file=file,
                    key="time.zone",
                    value=column.zone,
                    fix="write UTC or a name like Europe/Copenhagen; pip install tzdata if the"
                    " system has no zones",
                ) from error

    def read(self, cell: str) -> int:
        """The cell's time.

        Raises:
            ValueError: It is not written in the mapping's format, or lies outside years 1 to 9999.
        """
        if self._format == "unix_ms":
            return int(cell)
        if self._format == "unix_s":
            return _floor_seconds(cell)
        if self._format == "iso":
            moment = datetime.fromisoformat(cell)
        else:
            moment = datetime.strptime(cell, self._format)  # noqa: DTZ007 - the zone follows below
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
        try:
            return (moment - _EPOCH) // _MILLISECOND
        except OverflowError as error:
            raise ValueError(f"out of range: {cell!r}") from error


def _floor_seconds(cell: str) -> int:
    try:
        return int((Decimal(cell) * 1000).to_integral_value(ROUND_FLOOR))
    except ArithmeticError as error:
        raise ValueError(f"no number of seconds: {cell!r}") from error


def load(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ConfigError: It is missing or does not fit; names the key, the value and the fix.
    """
    mapping = config.load(path, Mapping)
    _check(mapping, str(path))
    return mapping


def find(name: str, base: Path) -> tuple[str, Mapping]:
    """The mapping that a configuration names: a shipped one, or a file relative to ``base``.

    Returns:
        What messages call it, and the mapping.

    Raises:
        ConfigError: There is neither, or the file does not fit.
    """
    known = dict(shipped())
    if name in known:
        return name, known[name]
    path = base / name
    if not path.exists():
        raise ConfigError(
            "no such mapping",
            key="sensor.mapping",
            value=name,
            fix=f"name a TOML file, or one of {', '.join(known)}",
        )
    return str(path), load(path)


def shipped() -> list[tuple[str, Mapping]]:
    """The mappings that come with CityNerve, by name, in the order of their names."""
    folder = files("edge.sensor") / "mappings"
    entries = sorted((e for e in folder.iterdir() if e.name.endswith(".toml")), key=_name)
    return [(_name(entry), _load_shipped(entry)) for entry in entries]


def detect(path: Path, header: Sequence[str]) -> Mapping:
    """The shipped mapping that fits a file's columns; of several, the one that uses most of them.

    Raises:
        ConfigError: None fits, or two fit equally well.
    """
    have = set(header)
    known = shipped()
    fits = [(len(m.columns()), name, m) for name, m in known if m.columns() <= have]
    best = [(name, m) for used, name, m in fits if used == max(fit[0] for fit in fits)]
    if len(best) == 1:
        return best[0][1]
    tried = "; ".join(f"{name} wants {', '.join(sorted(m.columns()))}" for name, m in known)
    problem = "several mappings fit" if best else "no shipped mapping fits its columns"
    raise ConfigError(
        f"{problem}: it has {', '.join(header) or 'none'} ({tried})",
        file=str(path),
        fix="write a mapping TOML and name it with `mapping` (--mapping), or leave the file out",
    )


def _name(entry: Traversable) -> str:
    return entry.name.removesuffix(".toml")


def _load_shipped(entry: Traversable) -> Mapping:
    mapping = config.loads(entry.read_text(encoding="utf-8"), Mapping, file=entry.name)
    _check(mapping, entry.name)
    return mapping


def _check(mapping: Mapping, file: str) -> None:
    sensor = mapping.sensor
    given = [sensor.column, sensor.name, sensor.from_file_name]
    if sum(choice is not None for choice in given) != 1:
        raise ConfigError(
            "exactly one of column, name and from_file_name is needed",
            file=file,
            key="sensor",
            fix='write for example column = "id" or from_file_name = true',
        )
    if mapping.position is not None and sensor.name is not None:
        raise ConfigError(
            "a table of positions needs sensor.column or sensor.from_file_name",
            file=file,
            key="position",
            fix="remove it, and give the node its position",
        )
    for name, column in mapping.properties.items():
        low, high = column.range or (0.0, 1.0)
        # The stream refuses all that a node says of itself when a range in it is none.
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ConfigError(
                "expected two finite numbers, the lower first",
                file=file,
                key=f"properties.{name}.range",
                value=[low, high],
                fix="write range = [LOW, HIGH]",
            )
    TimeReader(mapping.time, file=file)
