"""The script as a driver of the edge agent: ``object = "benchmarks.chaos.driver:make"``."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta

from benchmarks.chaos.script import CAMERA, KINDS, LINES, Arrival, node_script
from citynerve.config import Config, convert
from citynerve.messages import CameraAbout, PropertyAbout, SensorAbout
from edge.sensor.driver import Item, Mark, Reading

_HOUR: Final = 3_600_000


class Options(Config):
    """The ``options`` table. ``span``: ms of phenomenon time; ``pace``: of it, ms each real ms."""

    seed: int
    index: Annotated[int, Meta(ge=0)]
    span: Annotated[int, Meta(gt=0)]
    pace: Annotated[float, Meta(gt=0)]


class ScriptDriver:
    """Gives a node's script at a steady pace; resumable, since all of it follows from the seed."""

    resumable = True

    def __init__(self, name: str, options: Options) -> None:
        self.name = name
        self._options = options
        self._script = node_script(options.seed, options.index, options.span)
        self._origin = 0
        self._given = 0
        self._items = self._with_marks()

    @property
    def finished(self) -> bool:
        """Whether the whole script has been handed out."""
        return self._given == len(self._items)

    def sensors(self) -> Sequence[SensorAbout]:
        """The kinds of the script, by sensor."""
        return [
            SensorAbout(
                name=sensor,
                properties=tuple(
                    PropertyAbout(name=kind.property, unit=kind.unit, lateness=kind.lateness)
                    for kind in kinds
                ),
            )
            for sensor, kinds in groupby(KINDS, key=lambda kind: kind.sensor)
        ]

    def cameras(self) -> Sequence[CameraAbout]:
        """The gate's camera, where the node has one."""
        return [CameraAbout(name=CAMERA, lines=LINES)] if self._script.has_camera else []

    def identity(self) -> str:
        """What the script follows from."""
        options = self._options
        return f"{options.seed} {options.index} {options.span}"

    def open(self, origin: int) -> None:
        """Begin anew; ``origin`` (ms since 1970 UTC) is when the first item is due."""
        self._origin = origin
        self._given = 0

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """What is due at ``now`` (ms), at most ``limit`` items."""
        due = (now - self._origin) * self._options.pace
        end = self._given
        while end < len(self._items) and end - self._given < limit and self._items[end][0] <= due:
            end += 1
        ready = [item for _, item in self._items[self._given : end]]
        self._given = end
        return ready

    def problems(self) -> Sequence[str]:
        """None: it cannot fail."""
        return []

    def close(self) -> None:
        """Nothing to release."""

    def _with_marks(self) -> list[tuple[int, Item]]:
        items: list[tuple[int, Item]] = []
        last: dict[tuple[str, str], int] = {}
        for entry in self._script.entries:
            if isinstance(entry, Arrival):
                sensor, prop = entry.kind.sensor, entry.kind.property
                last[sensor, prop] = max(last.get((sensor, prop), 0), entry.t)
                items.append((entry.at, Reading(sensor, prop, entry.t, entry.value)))
            else:
                items.append((entry.at, entry.crossing))
        end = items[-1][0] if items else 0
        return items + [(end, Mark(s, p, t + _HOUR)) for (s, p), t in last.items()]


def make(name: str, options: Mapping[str, Any], base: Path) -> ScriptDriver:
    """The plugin's factory.

    Raises:
        ConfigError: The options do not fit :class:`Options`.
    """
    del base
    return ScriptDriver(name, convert(dict(options), Options, file=f"[[sensor]] {name}"))
