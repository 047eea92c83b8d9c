"""Sensors and nodes out of order: what becomes of readings that were right."""

from typing import Final

import numpy as np

from simulators.city.hashing import Floats, Ints, Words, draw, normal
from simulators.city.incidents import Event
from simulators.city.plan import Plan
from simulators.city.properties import Property
from simulators.city.sampling import stepped
from simulators.city.sites import Bools, Rows

GIVEN: Final = 0
"""How a reading comes: as a value,"""
SILENT: Final = 1
"""not at all, while its node goes on,"""
OUT: Final = 2
"""not at all, its node being out,"""
NONE: Final = 3
"""or there is no reading at this place of the array."""

_EMPTY: Final = 8.0
"""% of charge below which a node goes out."""

_DRAINED: Final = 0.6
"""Share of its time after which a failing battery is empty."""

_OTHER_STREAM: Final = np.uint64(0x2545F4914F6CDD1D)

Held = dict[str, float]
"""What sensors that are stuck show, by the incident's id."""


class Faults:
    """Applies the incidents that are no part of the model.

    Args:
        plan: The city.
    """

    def __init__(self, plan: Plan) -> None:
        self._mains = np.array([node.mains for node in plan.nodes])
        self._district = np.array([plan.street(node).district for node in plan.nodes])
        self._ids = [node.id for node in plan.nodes]

    def rows(self, name: str, rows: Rows, event: Event) -> Ints:
        """The rows of a property that an incident puts out of order."""
        match event.kind:
            case "power_cut":
                struck = self._mains[rows.node] & (self._district[rows.node] == event.district)
                return np.flatnonzero(struck)
            case "outage" | "battery":
                return np.flatnonzero(rows.node == event.node)
            case "spike" | "stuck" | "drift" | "noisy" | "silent" if event.node is not None:
                whole = event.kind == "silent"
                if event.prop != name and not whole:
                    return np.zeros(0, np.int64)
                wanted = (self._ids[event.node], event.sensor)
                return np.array([i for i, key in enumerate(rows.names) if key == wanted], np.int64)
        return np.zeros(0, np.int64)

    def apply(
        self,
        name: str,
        about: Property,
        rows: Rows,
        event: Event,
        struck: Ints,
        readings: tuple[Ints, Floats, Ints],
        held: Held,
    ) -> None:
        """Change the readings (times, values, how each comes) in place.

        Args:
            name: The property's.
            about: How it is measured.
            rows: The datastreams.
            event: The incident.
            struck: The rows that it puts out of order.
            readings: Of all rows: times, values, how each comes.
            held: What stuck sensors show; filled when one gets stuck.
        """
        times, values, comes = readings
        for row in struck.tolist():
            at = times[row]
            on = (at >= event.start) & (at < event.end) & (comes[row] != NONE)
            match event.kind:
                case "power_cut" | "outage":
                    comes[row, on] = OUT
                case "silent":
                    comes[row, on & (comes[row] == GIVEN)] = SILENT
                case "battery":
                    self._drain(name, about, event, (at, values[row], comes[row]), on)
                case "stuck":
                    if on.any():
                        held.setdefault(event.id, float(values[row, int(np.argmax(on))]))
                        values[row, on] = held[event.id]
                case _:
                    far = _far(event, rows.keys[row : row + 1], at)
                    values[row, on] = stepped(name, about, values[row, on] + far[on])

    def _drain(
        self,
        name: str,
        about: Property,
        event: Event,
        readings: tuple[Ints, Floats, Ints],
        on: Bools,
    ) -> None:
        times, values, comes = readings
        gone = (times - event.start) / ((event.end - event.start) * _DRAINED)
        if name == "battery":
            values[on] = stepped(name, about, values[on] - event.size * np.minimum(gone[on], 1.0))
            comes[on & (values < _EMPTY)] = OUT
        comes[on & (gone >= 1.0)] = OUT


def _far(event: Event, keys: Words, times: Ints) -> Floats:
    """What a spike, a drift or noise adds."""
    match event.kind:
        case "drift":
            return np.asarray(event.size * (times - event.start) / (event.end - event.start))
        case "noisy":
            return event.size * normal(draw(keys ^ _OTHER_STREAM, times))
        case _:
            return np.full(times.shape, event.size)
