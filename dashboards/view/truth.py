"""The incidents that a simulation put into the data, as marks on the boards' time axes.

The file has one incident a line of JSON, as ``simulators.city`` writes it. Nothing of it is in the
database: who watches a simulated city sees beside what was found what there was to be found.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from citynerve.errors import ConfigError
from dashboards.queries import ALL, Choice, Range
from dashboards.view.frames import Field, FieldConfig, Frame

NAME: Final = "Simulated incidents"

_COLOR: Final = "#cc79a7"
_CITY: Final = "_city"


class Touched(msgspec.Struct, frozen=True):
    """A datastream that an incident touches; ``effect`` is ``up``, ``down``, ``silent`` ..."""

    node: str
    sensor: str
    property: str
    start: int
    end: int
    effect: str


class Incident(msgspec.Struct, frozen=True):
    """What happened, where, and when: ms since 1970 UTC."""

    id: str
    kind: str
    district: str
    lat: float
    lon: float
    start: int
    end: int
    street: str | None = None
    datastreams: tuple[Touched, ...] = ()


class Truth:
    """A file of incidents, read again when it has changed.

    Args:
        path: The file; without incidents while it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_of: tuple[int, int] | None = None
        self._known: tuple[Incident, ...] = ()

    def incidents(self) -> tuple[Incident, ...]:
        """All of them, by start.

        Raises:
            ConfigError: The file is there, but cannot be read; names the line.
        """
        with self._lock:
            try:
                about = self._path.stat()
                version = (about.st_mtime_ns, about.st_size)
                if version != self._read_of:
                    self._known = _read(self._path)
                    self._read_of = version
            except FileNotFoundError:
                self._read_of, self._known = None, ()
            except OSError as error:
                raise ConfigError(
                    f"cannot be read: {error.strerror}", file=str(self._path), key="--truth"
                ) from error
            return self._known

    def frame(self, chosen: Mapping[str, Choice], span: Range) -> Frame:
        """The incidents of a range that touch what is chosen, as annotations.

        Args:
            chosen: The board's variables; ``node``, ``sensor``, ``property`` and ``district``
                count, where the board has them.
            span: The range.
        """
        found = [
            (one, times)
            for one in self.incidents()
            if (times := _times(one, chosen)) and times[0] <= span.end and times[1] >= span.start
        ]
        return Frame(
            ref=NAME,
            fields=[
                Field(
                    name="time",
                    kind="time",
                    values=[times[0] for _, times in found],
                    config=FieldConfig(color_mode="fixed", fixed_color=_COLOR),
                ),
                Field(name="timeEnd", kind="time", values=[times[1] for _, times in found]),
                Field(name="title", kind="string", values=[_said(one.kind) for one, _ in found]),
                Field(name="text", kind="string", values=[_place(one) for one, _ in found]),
                Field(name="tags", kind="string", values=["simulated"] * len(found)),
            ],
        )


def _read(path: Path) -> tuple[Incident, ...]:
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Incident))
        except msgspec.DecodeError as error:
            raise ConfigError(
                f"line {number} is no incident: {error}",
                file=str(path),
                key="--truth",
                fix="name the truth.ndjson of a simulated city",
            ) from error
    return tuple(sorted(found, key=lambda one: one.start))


def _times(incident: Incident, chosen: Mapping[str, Choice]) -> tuple[int, int] | None:
    """When it touches what is chosen; None if it does not."""
    if not _is_chosen(incident.district, chosen.get("district")) and incident.district != _CITY:
        return None
    if not chosen:
        return None  # a board about the machinery
    touched: Sequence[Touched] = [
        one
        for one in incident.datastreams
        if _is_chosen(one.node, chosen.get("node"))
        and _is_chosen(one.sensor, chosen.get("sensor"))
        and _is_chosen(one.property, chosen.get("property"))
    ]
    if not touched:
        return None
    if "node" not in chosen:
        return incident.start, incident.end
    return min(one.start for one in touched), max(one.end for one in touched)


def _is_chosen(name: str, choice: Choice | None) -> bool:
    if choice is None or choice == ALL:
        return True
    return name in ({choice} if isinstance(choice, str) else choice)


def _said(kind: str) -> str:
    return kind.replace("_", " ").replace("-", " ").capitalize()


def _place(incident: Incident) -> str:
    return ", ".join(part for part in (incident.street, incident.district) if part)
