"""One node of the simulated city, as a driver that an edge agent loads with ``plugin``."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field, json, structs

from citynerve.config import Config, convert
from citynerve.errors import ConfigError, UnavailableError
from citynerve.messages import CameraAbout, Position, PropertyAbout, SensorAbout
from citynerve.topics import NAME_PATTERN, NODE_PATTERN
from edge.sensor.driver import Item, Mark, Reading
from simulators.fault import Fault, FaultySignal, Truth, write_truth
from simulators.signal import PROFILES, Signal

_AFTER_THE_END: Final = 3_600_000
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Datastream = tuple[str, str, FaultySignal]


class NodeOptions(Config):
    """The ``options`` table of a simulated node.

    ``sensors``: sensor name to its properties (``simulators.signal.PROFILES``).
    ``interval_ms``: between two readings of a datastream, from the time base on.
    ``base_ms``: the time base, ms since 1970 UTC; by default when the node first started. A fixed
    one makes two runs equal.
    ``history_ms``, ``history_interval_ms``: what is given at once at the start, up to the time
    base, so that detectors have seen some days.
    ``speed``: simulated over real time from the time base on, never ahead of the clock.
    ``count``: readings of each datastream from the time base on; then the input has ended.
    ``truth``: a file for the ground truth of the faults, NDJSON.
    """

    node: Annotated[str, Meta(pattern=NODE_PATTERN)]
    sensors: Annotated[dict[Name, list[Name]], Meta(min_length=1)]
    seed: int = 1
    interval_ms: Annotated[int, Meta(ge=1)] = 1000
    base_ms: Annotated[int, Meta(ge=0)] | None = None
    history_ms: Annotated[int, Meta(ge=0)] = 0
    history_interval_ms: Annotated[int, Meta(ge=1)] = 60_000
    speed: Annotated[float, Meta(gt=0)] | Literal["max"] = 1.0
    count: Annotated[int, Meta(ge=1)] | None = None
    positions: dict[str, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    truth: str | None = None


class SimulatedNode:
    """All simulated sensors of one node; resumable, its values being a function of time.

    Args:
        name: The driver's name.
        options: See :class:`NodeOptions`.
        base: The folder that the path of the ground truth starts from.

    Raises:
        ConfigError: The options name a property or datastream that is not there.
    """

    resumable = True

    def __init__(self, name: str, options: Mapping[str, Any], base: Path) -> None:
        self.name = name
        self.finished = False
        self._options = convert(dict(options), NodeOptions, file="sensor.options")
        self._folder = base
        self._origin = 0
        self._base = 0
        self._times: Iterator[int] = iter(())
        self._next: int | None = None
        self._last: int | None = None
        self._datastreams: list[Datastream] = []
        self._check()

    def sensors(self) -> Sequence[SensorAbout]:
        """The sensors and properties of the options."""
        positions = self._options.positions
        return [
            SensorAbout(
                sensor,
                tuple(PropertyAbout(name=name, unit=PROFILES[name].unit) for name in properties),
                positions.get(sensor),
            )
            for sensor, properties in self._options.sensors.items()
        ]

    def cameras(self) -> Sequence[CameraAbout]:
        """None."""
        return []

    def identity(self) -> str:
        """The options but the pace and the ground truth's file."""
        kept = structs.replace(self._options, speed=1.0, truth=None)
        return json.encode(kept, order="deterministic").decode()

    def open(self, origin: int) -> None:
        """Start with the history, and write the ground truth.

        Raises:
            UnavailableError: The ground truth cannot be written.
        """
        options = self._options
        self._origin = origin
        self._base = origin if options.base_ms is None else options.base_ms
        self._datastreams = [
            (sensor, name, self._signal(sensor, name))
            for sensor, properties in options.sensors.items()
            for name in properties
        ]
        self._times = self._instants()
        self._next = next(self._times, None)
        self._last = None
        self.finished = False
        if options.truth is not None:
            path = self._folder / options.truth
            try:
                write_truth(path, self.truth())
            except OSError as error:
                raise UnavailableError(
                    "ground truth",
                    where=str(path),
                    problem=error.strerror or str(error),
                    fix="name a file that can be written with sensor.options.truth",
                ) from error

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """What all sensors measured at the instants that are due."""
        if self.finished:
            return []
        due = self._due(now)
        items: list[Item] = []
        while self._next is not None and self._next <= due and len(items) < limit:
            items += self._measured(self._next)
            self._last = self._next
            self._next = next(self._times, None)
        if self._next is None and len(items) < limit:
            items += self._marks()
            self.finished = True
        return items

    def problems(self) -> Sequence[str]:
        """None: what is wrong with these sensors is meant."""
        return []

    def close(self) -> None:
        """Nothing to release."""

    def truth(self) -> list[Truth]:
        """The faults at their absolute times; known once the driver is open."""
        return [
            Truth(
                self._options.node,
                fault.sensor,
                fault.property,
                fault.kind,
                self._base + fault.start,
                self._base + fault.end,
                fault.size,
            )
            for fault in self._options.faults
        ]

    def _due(self, now: int) -> float:
        speed = self._options.speed
        if speed == "max":
            return now
        # Never ahead of the clock: the stream refuses times in the future.
        return min(now, self._base + (now - self._origin) * speed)

    def _instants(self) -> Iterator[int]:
        options = self._options
        yield from range(self._base - options.history_ms, self._base, options.history_interval_ms)
        t, given = self._base, 0
        while options.count is None or given < options.count:
            yield t
            t += options.interval_ms
            given += 1

    def _measured(self, t: int) -> Iterator[Item]:
        for sensor, name, signal in self._datastreams:
            value = signal.at(t)
            yield Mark(sensor, name, t) if value is None else Reading(sensor, name, t, value)

    def _marks(self) -> list[Item]:
        if self._last is None:
            return []
        return [Mark(s, name, self._last + _AFTER_THE_END) for s, name, _ in self._datastreams]

    def _signal(self, sensor: str, name: str) -> FaultySignal:
        options = self._options
        signal = Signal(PROFILES[name], options.seed, f"{options.node}/{sensor}/{name}")
        faults = [f for f in options.faults if (f.sensor, f.property) == (sensor, name)]
        return FaultySignal(signal, faults, self._base)

    def _check(self) -> None:
        options = self._options
        for sensor, properties in options.sensors.items():
            unknown = [name for name in properties if name not in PROFILES]
            if unknown:
                raise ConfigError(
                    "the simulator knows no such property",
                    key=f"sensor.options.sensors.{sensor}",
                    value=unknown[0],
                    fix=f"use {', '.join(PROFILES)}",
                )
        for fault in options.faults:
            if fault.property not in options.sensors.get(fault.sensor, ()):
                raise ConfigError(
                    "the fault's datastream is not simulated",
                    key="sensor.options.faults",
                    value=f"{fault.sensor}/{fault.property}",
                    fix="name a sensor and property of sensor.options.sensors",
                )
            if fault.end <= fault.start:
                raise ConfigError(
                    "the fault ends before it starts",
                    key="sensor.options.faults",
                    value=fault.end,
                    fix=f"write an end after its start, {fault.start}",
                )
