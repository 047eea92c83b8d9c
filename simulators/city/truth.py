"""The ground truth: every incident, and which datastreams it really touched when."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
from msgspec import Struct, json

from citynerve.errors import UnavailableError
from simulators.city.hashing import Floats, Ints
from simulators.city.incidents import WHOLE_CITY, Event
from simulators.city.plan import Plan
from simulators.city.properties import PROPERTIES
from simulators.city.sampling import Intervals
from simulators.city.sites import Bools, Rows

Effect = Literal["up", "down", "stuck", "silent", "drift", "noise"]

_FAULT_EFFECTS: Final[dict[str, Effect]] = {"stuck": "stuck", "drift": "drift", "noisy": "noise"}


class Touched(Struct, frozen=True):
    """A datastream that an incident touches, from its first such reading to behind its last, ms.

    ``effect``: a reading of the model is ``up`` or ``down`` when it differs by more than the
    property's threshold (``simulators.city.properties``) from the same city without the incident,
    noise apart. A sensor's own faults say how it fails.
    """

    node: str
    sensor: str
    property: str
    start: int
    end: int
    effect: Effect


class Incident(Struct, frozen=True):
    """One incident, as the truth file tells it; a line each. Times in ms since 1970 UTC.

    ``start`` and ``end`` are the cause's; what it touches may begin later and last longer.
    ``street`` is None where it has none; a cloudburst's district is ``_city``. ``size`` is as
    ``simulators.city.incidents.Wanted`` tells, or of a sensor's fault in the property's unit.
    """

    id: str
    kind: str
    district: str
    street: str | None
    lat: float
    lon: float
    start: int
    end: int
    size: float
    datastreams: tuple[Touched, ...]


class _Span:
    __slots__ = ("balance", "end", "silent", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.balance = 0.0
        self.silent = False


class Record:
    """Collects what is touched, block by block.

    Args:
        plan: The city.
        intervals: When readings are taken.
    """

    def __init__(self, plan: Plan, intervals: Intervals) -> None:
        self._plan = plan
        self._intervals = intervals
        self._events: dict[str, Event] = {}
        self._spans: dict[str, dict[tuple[str, str, str], _Span]] = {}

    def begin(self, event: Event) -> None:
        """An incident has begun."""
        self._events.setdefault(event.id, event)
        self._spans.setdefault(event.id, {})

    def differs(
        self, event: str, name: str, rows: Rows, times: Ints, off: Floats, where: Bools
    ) -> None:
        """Readings (rows, readings) that lie ``off`` their own without the incident, ``where``."""
        spans = self._spans[event]
        for row in np.flatnonzero(where.any(axis=1)).tolist():
            span = self._span(spans, (*rows.names[row], name), times[row], where[row])
            span.balance += float(off[row, where[row]].sum())

    def silent(self, event: str, name: str, rows: Rows, times: Ints, where: Bools) -> None:
        """Readings that do not come because of the incident."""
        spans = self._spans[event]
        for row in np.flatnonzero(where.any(axis=1)).tolist():
            self._span(spans, (*rows.names[row], name), times[row], where[row]).silent = True

    def incidents(self) -> list[Incident]:
        """What is known so far, by beginning."""
        known = sorted(self._events.values(), key=lambda event: (event.start, event.id))
        return [self._incident(event) for event in known]

    def _span(
        self, spans: dict[tuple[str, str, str], _Span], key: tuple[str, str, str], times: Ints,
        where: Bools,
    ) -> _Span:  # fmt: skip
        touched = np.flatnonzero(where)
        first, last = int(touched[0]), int(touched[-1])
        span = spans.get(key)
        if span is None:
            span = spans[key] = _Span(int(times[first]))
        span.end = max(span.end, _after(self._intervals, key[2], int(times[last])))
        return span

    def _incident(self, event: Event) -> Incident:
        plan = self._plan
        lat, lon = plan.frame.degrees(event.at)
        district = WHOLE_CITY
        if event.district is not None:
            district = plan.net.districts[event.district].id
        return Incident(
            event.id,
            event.kind,
            district,
            None if event.street is None else plan.net.streets[event.street].id,
            lat,
            lon,
            event.start,
            event.end,
            round(event.size, 3),
            tuple(
                Touched(*key, span.start, span.end, _effect(event, span))
                for key, span in sorted(self._spans[event.id].items())
            ),
        )


def _after(intervals: Intervals, name: str, t: int) -> int:
    """When the reading after this one is taken, or would be."""
    return t + intervals.between(t, PROPERTIES[name].interval)


def _effect(event: Event, span: _Span) -> Effect:
    if span.silent:
        return "silent"
    return _FAULT_EFFECTS.get(event.kind, "up" if span.balance > 0 else "down")


def write_truth(path: Path, incidents: Iterable[Incident]) -> None:
    """Write the file anew, NDJSON, one incident a line; a reader sees the old one or the new.

    Raises:
        UnavailableError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(json.Encoder().encode_lines(list(incidents)))
        part.replace(path)
    except OSError as error:
        raise UnavailableError(
            "ground truth",
            where=str(path),
            problem=error.strerror or str(error),
            fix="name a file that can be written",
        ) from error


def read_truth(path: Path) -> Sequence[Incident]:
    """Read a truth file.

    Raises:
        UnavailableError: It cannot be read, or holds something else.
    """
    try:
        return json.Decoder(Incident).decode_lines(path.read_bytes())
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise UnavailableError("ground truth", where=str(path), problem=problem) from error
