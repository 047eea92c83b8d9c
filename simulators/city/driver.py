"""One node of the simulated city, as a driver that an edge agent loads with ``plugin``."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field, json, structs

from citynerve.config import Config, convert
from citynerve.errors import ConfigError
from citynerve.messages import CameraAbout, Position, PropertyAbout, SensorAbout
from citynerve.topics import NODE_PATTERN
from edge.sensor.driver import Item, Mark, Reading
from simulators.city.calendar import HOUR
from simulators.city.faults import GIVEN, SILENT
from simulators.city.incidents import Wanted
from simulators.city.plan import MOST_NODES, Node
from simulators.city.properties import PROPERTIES
from simulators.city.truth import write_truth
from simulators.city.world import Settings, shared

_AFTER_THE_END: Final = HOUR
_NEVER: Final = 1 << 62
_BLOCKS_AT_ONCE: Final = 6
"""A poll gives no more of them, so that all nodes of a city go through the same hours, which are
then computed once."""


class NodeOptions(Config):
    """The ``options`` table of a simulated node; all of a city have the same but for ``node``.

    ``node``: its id in the city's plan; ``nodes``, ``seed``, ``suffix``: which
    city (``simulators.city.plan``).
    ``start_ms``: when live time starts, ms since 1970 UTC.
    ``history_ms``: what is given at once at the start, up to ``start_ms``, so that detectors have
    seen some days; ``history_interval_ms``: between two readings of it (by default a minute).
    ``interval_ms``: between two readings of live time, of all properties (by default each
    property's own, ``simulators.city.properties``).
    ``end_ms``: no reading at or after it; then the input has ended.
    ``speed``: simulated over real time from ``start_ms`` on, never ahead of the clock.
    ``quiet_ms``: no incident is drawn for so long from the beginning of the history.
    ``rate``: incidents drawn a day in the whole city; by default as suits its size; 0: none.
    ``incidents``: those that are asked for besides (``simulators.city.incidents.Wanted``).
    ``truth``: a file for the ground truth of the whole city, written anew as it becomes known; for
    one node of a city.
    """

    node: Annotated[str, Meta(pattern=NODE_PATTERN)]
    nodes: Annotated[int, Meta(ge=1, le=MOST_NODES)]
    start_ms: Annotated[int, Meta(ge=0)]
    seed: int = 1
    history_ms: Annotated[int, Meta(ge=0)] = 0
    history_interval_ms: Annotated[int, Meta(ge=1)] | None = 60_000
    interval_ms: Annotated[int, Meta(ge=1)] | None = None
    end_ms: Annotated[int, Meta(ge=0)] | None = None
    speed: Annotated[float, Meta(gt=0)] | Literal["max"] = 1.0
    quiet_ms: Annotated[int, Meta(ge=0)] = 24 * HOUR
    rate: Annotated[float, Meta(ge=0)] | None = None
    incidents: list[Wanted] = field(default_factory=list)
    truth: str | None = None
    suffix: str = ""

    def settings(self) -> Settings:
        """The world that this node is part of."""
        return Settings(
            nodes=self.nodes,
            seed=self.seed,
            start=self.start_ms,
            history=self.history_ms,
            end=self.end_ms,
            history_interval=self.history_interval_ms,
            interval=self.interval_ms,
            quiet=self.quiet_ms,
            rate=self.rate,
            wanted=tuple(self.incidents),
            suffix=self.suffix,
        )


class SimulatedNode:
    """All simulated sensors of one node; resumable, its values being a function of time.

    A silent sensor gives marks in place of its readings; a node that is out gives nothing.

    Args:
        name: The driver's name.
        options: See :class:`NodeOptions`.
        base: The folder that the path of the ground truth starts from.

    Attributes:
        next: When the next reading is due, ms of simulated time; beyond all times at the end.

    Raises:
        ConfigError: The options name a node or a place that the city does not have.
    """

    resumable = True

    def __init__(self, name: str, options: Mapping[str, Any], base: Path) -> None:
        self.name = name
        self.finished = False
        self._options = convert(dict(options), NodeOptions, file="sensor.options")
        self._folder = base
        self._world = shared(self._options.settings())
        self._node = self._found()
        self._rows = [
            (sensor.name, prop, self._world.sites[prop].names.index((self._node.id, sensor.name)))
            for sensor in self._node.sensors
            for prop in sensor.properties
        ]
        self._origin = 0
        self._index = 0
        self._times: list[int] = []
        self._items: list[Item] = []
        self._taken = 0
        self._last: int | None = None
        self.next = 0

    def sensors(self) -> Sequence[SensorAbout]:
        """The node's sensors, where they stand, and what they observe."""
        degrees = self._world.plan.frame.degrees
        return [
            SensorAbout(
                sensor.name,
                tuple(PropertyAbout(prop, PROPERTIES[prop].unit) for prop in sensor.properties),
                Position(*degrees(sensor.at)),
            )
            for sensor in self._node.sensors
        ]

    def cameras(self) -> Sequence[CameraAbout]:
        """None."""
        return []

    def identity(self) -> str:
        """The options but the pace and the ground truth's file."""
        kept = structs.replace(self._options, speed=1.0, truth=None)
        return json.encode(kept, order="deterministic").decode()

    def open(self, origin: int) -> None:
        """Begin with the history."""
        self._origin = origin
        self._index = self._taken = 0
        self._times, self._items = [], []
        self._last = None
        self.finished = False
        self.next = self._world.begins(0)

    def due(self, now: int) -> bool:
        """Whether :meth:`poll` may give anything at ``now`` (ms of the real clock); cheap."""
        at = self.next_due(now)
        return at is not None and at <= now

    def next_due(self, now: int) -> int | None:
        """See :class:`edge.sensor.driver.Scheduled`; the earlier, the farther behind it is."""
        if self.finished:
            return None
        if self.next == _NEVER:
            return now
        options = self._options
        if options.speed == "max":
            return self.next
        ahead = (self.next - options.start_ms) / options.speed
        return max(self.next, self._origin + math.ceil(ahead))

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """What all sensors measured at the instants that are due.

        Raises:
            UnavailableError: The ground truth cannot be written.
        """
        if not self.due(now):
            return []
        due = self._reached(now)
        known = self._world.reached
        items: list[Item] = []
        last = self._index + _BLOCKS_AT_ONCE
        while self.next <= due and len(items) < limit:
            if self._taken < len(self._times):
                self._take(items, due, limit)
            elif self._index < last:
                self._load()
            else:
                break
            self._look_ahead()
        if self.next == _NEVER and len(items) < limit:
            items += self._marks()
            self.finished = True
        if self._world.reached > known and (self.finished or self.next > due):
            self._write_truth()
        return items

    def problems(self) -> Sequence[str]:
        """None: what is wrong with these sensors is meant."""
        return []

    def close(self) -> None:
        """Write the ground truth as far as it is known.

        Raises:
            UnavailableError: It cannot be written.
        """
        self._write_truth()

    def _found(self) -> Node:
        nodes = self._world.plan.nodes
        found = next((node for node in nodes if node.id == self._options.node), None)
        if found is None:
            raise ConfigError(
                f"no node of the city with {len(nodes)} nodes and seed {self._options.seed}",
                key="sensor.options.node",
                value=self._options.node,
                fix=f"use {', '.join(node.id for node in nodes[:6])} ...",
            )
        return found

    def _reached(self, now: int) -> float:
        """How far simulated time has come, ms."""
        options = self._options
        if options.speed == "max":
            return now
        # Never ahead of the clock: the stream refuses times in the future.
        return min(now, options.start_ms + (now - self._origin) * options.speed)

    def _take(self, items: list[Item], due: float, limit: int) -> None:
        stop = bisect_right(self._times, due, self._taken)
        stop = min(stop, self._taken + limit - len(items))
        items += self._items[self._taken : stop]
        self._last = self._times[stop - 1]
        self._taken = stop

    def _look_ahead(self) -> None:
        """Set :attr:`next`: a block that has not come yet is not computed to know its first."""
        end = self._options.end_ms
        if self._taken < len(self._times):
            self.next = self._times[self._taken]
        else:
            begins = self._world.begins(self._index)
            self.next = _NEVER if end is not None and begins >= end else begins

    def _load(self) -> None:
        """Be ready to give the next block."""
        block = self._world.at(self._index)
        self._index += 1
        self._taken = 0
        times: list[int] = []
        found: list[Item] = []
        for sensor, prop, row in self._rows:
            readings = block[prop]
            for t, value, comes in zip(
                readings.times[row].tolist(),
                readings.values[row].tolist(),
                readings.comes[row].tolist(),
                strict=True,
            ):
                if comes == GIVEN:
                    found.append(Reading(sensor, prop, t, value))
                elif comes == SILENT:
                    found.append(Mark(sensor, prop, t))
                else:
                    continue
                times.append(t)
        order = sorted(range(len(times)), key=times.__getitem__)
        self._times = [times[i] for i in order]
        self._items = [found[i] for i in order]

    def _marks(self) -> list[Item]:
        if self._last is None:
            return []
        return [Mark(s, name, self._last + _AFTER_THE_END) for s, name, _ in self._rows]

    def _write_truth(self) -> None:
        if self._options.truth is not None:
            write_truth(self._folder / self._options.truth, self._world.truth())
