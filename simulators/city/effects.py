"""How incidents act: each changes what drives the model, never a reading.

One array of inputs holds several runs of the same city: the first with all incidents, each other
one without one of them, so that what an incident touches is a difference of runs.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from simulators.city import geometry
from simulators.city.calendar import HOUR
from simulators.city.geometry import Point
from simulators.city.hashing import Floats, Ints
from simulators.city.incidents import Event, Name
from simulators.city.plan import Plan
from simulators.city.sites import Rows, Sites
from simulators.city.weather import Weather

Field = Literal[
    "capacity", "pace", "trips", "loud", "people", "parked", "level", "rain", "pm25", "no2", "ch4",
    "warmth",
]  # fmt: skip
"""What incidents change: factors of a link's capacity and free speed, trips (veh/h) that begin on
it, and what is added at the rows of a property: loudness (as 10^(dB/10)), people, the share of
parking spaces, water (m), rain (mm/h), concentrations and degrees."""

FACTORS: Final = frozenset({"capacity", "pace"})

_AROUND_EVENT: Final = 700.0
_FARTHEST: Final = 3_000.0
"""Metres beyond which a plume is nothing."""

_REMEMBERED: Final = 256
_REACHES: Final = 3.0
_AUDIBLE: Final = 40.0
_HALF_HOUR: Final = HOUR // 2


class Change(NamedTuple):
    """What one incident changes of one field: ``values`` (steps, rows), at these ``rows``."""

    field: Field
    rows: Ints
    values: Floats


class Effects:
    """Turns incidents into changes of the model's inputs.

    Args:
        plan: The city.
        places: Its datastreams.
    """

    def __init__(self, plan: Plan, places: Sites) -> None:
        self._plan = plan
        self._places = places
        middles = [geometry.along(street.line, 0.5) for street in plan.net.streets]
        self._links = np.repeat(np.array(middles), 2, axis=0)
        self._district = np.repeat([street.district for street in plan.net.streets], 2)
        self._near: dict[tuple[Point, float], list[int]] = {}
        self._acts: dict[Name, Callable[[Event, Ints, Weather], list[Change]]] = {
            "accident": self._accident,
            "jam": self._jam,
            "fire": self._fire,
            "gas_leak": self._gas_leak,
            "flood": self._flood,
            "cloudburst": self._cloudburst,
            "overcrowding": self._crowd,
            "event": self._event,
            "power_cut": self._power_cut,
        }

    def changes(self, event: Event, times: Ints, weather: Weather) -> list[Change]:
        """What an incident changes at these times, beyond 0 only while it is under way."""
        act = self._acts.get(event.kind)
        return act(event, times, weather) if act is not None else []

    def _accident(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        on = _on(event, times)
        link = 2 * _street(event) + event.side
        return [
            *self._slowed([link], on, 1 - event.size, 0.42),
            *self._slowed([link ^ 1], on, 0.75, 0.85),
            self._loud(event.at, on, 76.0),
        ]

    def _jam(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        """Its lights are out of order, or something stands in the way: both directions."""
        links = [2 * _street(event), 2 * _street(event) + 1]
        return self._slowed(links, _on(event, times), 1 - event.size, 0.7)

    def _fire(self, event: Event, times: Ints, weather: Weather) -> list[Change]:
        burning = _ramp(event, times, 90_000, 10 * 60_000)
        on = _on(event, times)
        return [
            *self._plume(event, "pm25", weather, burning, 260.0 * event.size),
            *self._plume(event, "no2", weather, burning, 60.0 * event.size),
            self._spread("temperature", "warmth", event.at, 14.0 * event.size * burning, 45.0),
            self._loud(event.at, on, 82.0),
            *self._slowed(self._around(event.at, 80.0), on, 0.4, 0.6),
        ]

    def _gas_leak(self, event: Event, times: Ints, weather: Weather) -> list[Change]:
        """The gas, and the cordon around it."""
        leak = _ramp(event, times, 60_000, 8 * 60_000)
        links = self._around(event.at, 110.0)
        return [
            *self._plume(event, "ch4", weather, leak, 22.0 * event.size),
            *self._slowed(links, _on(event, times), 0.4, 0.6),
        ]

    def _flood(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        rise = _ramp(event, times, 8 * 60_000, _HALF_HOUR)
        return [
            self._spread("water_level", "level", event.at, event.size * rise, 900.0),
            *self._slowed(self._around(event.at, 130.0), _on(event, times), 0.45, 0.55),
        ]

    def _cloudburst(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        pours = _ramp(event, times, 4 * 60_000, 10 * 60_000)
        index = np.arange(len(self._rows("temperature")))
        return [
            Change("rain", np.zeros(1, np.intp), event.size * pours[:, None]),
            Change("warmth", index, -2.5 * pours[:, None] * np.ones(len(index))),
        ]

    def _crowd(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        come = _ramp(event, times, 60_000, 10 * 60_000)
        return [self._spread("people", "people", event.at, event.size * come, 60.0)]

    def _power_cut(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        """The traffic lights; what it does to nodes is no part of the model."""
        dark = np.flatnonzero(self._district == event.district).tolist()
        return self._slowed(dark, _on(event, times), event.size, 0.8)

    def _event(self, event: Event, times: Ints, _: Weather) -> list[Change]:
        """It fills the place and the car parks, and the streets when it is over."""
        on = _ramp(event, times, _HALF_HOUR, _HALF_HOUR)
        away = np.hypot(self._links[:, 0] - event.at[0], self._links[:, 1] - event.at[1])
        near = np.flatnonzero(away < _AROUND_EVENT)
        leaving = np.clip(1 - np.abs(times - event.end + _HALF_HOUR) / _HALF_HOUR, 0, 1)
        trips = leaving[:, None] * event.size * 0.5 / max(len(near), 1) * np.ones(len(near))
        return [
            self._spread("people", "people", event.at, event.size * on, 70.0),
            self._spread("occupied", "parked", event.at, 0.35 * on, _AROUND_EVENT),
            Change("trips", near, trips),
        ]

    def _slowed(self, links: Sequence[int], on: Floats, most: float, pace: float) -> list[Change]:
        index = np.array(links, np.intp)
        shape = np.ones((1, len(index)))
        return [
            Change("capacity", index, 1 - (1 - most) * on[:, None] * shape),
            Change("pace", index, 1 - (1 - pace) * on[:, None] * shape),
        ]

    def _around(self, point: Point, reach: float) -> list[int]:
        """The links whose street passes within ``reach`` metres; at least the nearest street's."""
        known = self._near.get((point, reach))
        if known is None:
            lines = [geometry.to_line(point, street.line) for street in self._plan.net.streets]
            limit = max(min(lines), reach)
            near = [street for street, away in enumerate(lines) if away <= limit]
            known = [link for street in near for link in (2 * street, 2 * street + 1)]
            if len(self._near) >= _REMEMBERED:
                self._near.clear()
            self._near[point, reach] = known
        return known

    def _loud(self, at: Point, on: Floats, level: float) -> Change:
        """A source of so many dB at ten metres: half the pressure at twice the distance."""
        rows = self._rows("noise")
        loss = 20 * np.log10(np.maximum(rows.away(at), 5.0) / 10.0)
        index = np.flatnonzero(loss < level - _AUDIBLE)
        return Change("loud", index, on[:, None] * 10 ** ((level - loss[index]) / 10))

    def _spread(self, name: str, field: Field, at: Point, size: Floats, reach: float) -> Change:
        """Most at the place, a third of it ``reach`` metres away, nothing at three times that."""
        away = self._rows(name).away(at) / reach
        index = np.flatnonzero(away < _REACHES)
        return Change(field, index, size[:, None] * np.exp(-(away[index] ** 2)))

    def _plume(
        self,
        event: Event,
        name: Literal["pm25", "no2", "ch4"],
        weather: Weather,
        on: Floats,
        strength: float,
    ) -> list[Change]:
        """A Gaussian plume near the ground, after Pasquill: it drifts and widens with the wind.

        ``strength`` is the concentration 100 m downwind at 15 km/h. Close to the source it is in
        every direction, for the wind is never quite even.
        """
        rows = self._rows(name)
        east = rows.at[:, 0] - event.at[0]
        north = rows.at[:, 1] - event.at[1]
        along = east * np.cos(weather.towards)[:, None] + north * np.sin(weather.towards)[:, None]
        across = north * np.cos(weather.towards)[:, None] - east * np.sin(weather.towards)[:, None]
        width = 14.0 + 0.16 * np.maximum(along, 0.0)
        plume = np.exp(-0.5 * (across / width) ** 2) * (30.0 / width) ** 1.4
        plume *= 1.0 / (1.0 + np.exp(-along / 12.0))
        plume += 1.5 * np.exp(-((np.hypot(east, north) / 35.0) ** 2))
        thin = 19.0 / (weather.wind + 4.0)
        values = strength * on[:, None] * thin[:, None] * plume
        index = np.flatnonzero(np.hypot(east, north) < _FARTHEST)
        return [Change(name, index, values[:, index])] if len(index) else []

    def _rows(self, name: str) -> Rows:
        return self._places.get(name, _NONE)


class Inputs:
    """The changed fields of several runs.

    Args:
        steps: Of the block.
        runs: Ids of the incidents that each further run is without.
    """

    def __init__(self, steps: int, runs: Sequence[str]) -> None:
        self._steps = steps
        self._runs = runs
        self._fields: dict[Field, Floats] = {}

    def apply(self, event: Event, changes: Sequence[Change], sizes: dict[Field, int]) -> None:
        """Let an incident happen in all runs but its own."""
        others = [n for n, name in enumerate(self._runs, 1) if name != event.id]
        runs = np.array([0, *others])
        for field, index, values in changes:
            if not len(index):
                continue
            if field not in self._fields:
                shape = (len(self._runs) + 1, self._steps, sizes[field])
                self._fields[field] = np.ones(shape) if field in FACTORS else np.zeros(shape)
            where = np.ix_(runs, np.arange(self._steps), index)
            if field in FACTORS:
                self._fields[field][where] *= values
            else:
                self._fields[field][where] += values

    def get(self, field: Field) -> Floats:
        """The field (runs, steps, rows), or what is broadcast to it where nothing changes it."""
        neutral = np.full((1, 1, 1), 1.0 if field in FACTORS else 0.0)
        return self._fields.get(field, neutral)


def _on(event: Event, times: Ints) -> Floats:
    return np.asarray((times >= event.start) & (times < event.end), float)


def _street(event: Event) -> int:
    if event.street is None:
        raise ValueError(f"{event.id} has no street")
    return event.street


def _ramp(event: Event, times: Ints, onset: int, fade: int) -> Floats:
    """0 before and after; up to 1 within ``onset`` ms, down before the end within ``fade`` ms."""
    span = event.end - event.start
    onset, fade = min(onset, max(span // 4, 1)), min(fade, max(span // 4, 1))
    up, down = (times - event.start) / onset, (event.end - times) / fade
    return np.asarray(np.clip(np.minimum(up, down), 0.0, 1.0))


_NONE: Final = Rows(
    (),
    np.zeros(0, np.int64),
    np.zeros((0, 2)),
    np.zeros(0, np.int64),
    np.zeros(0, np.uint64),
    np.zeros(0),
    np.zeros(0),
)
"""Of a property that no node observes."""
