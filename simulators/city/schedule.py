"""When what goes wrong: a seeded schedule without end, and what is asked for besides."""

import math
import random
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from citynerve.errors import ConfigError
from simulators.city import geometry
from simulators.city.calendar import DAY, HOUR, OFFSET, weekday
from simulators.city.hashing import key
from simulators.city.incidents import KINDS, LONGEST, Event, Name, Wanted
from simulators.city.plan import Node, Plan, inward
from simulators.city.weather import weather

_UNIT_SIZE: Final = {
    "speed": 70.0, "flow": 3_000.0, "queue": 300.0, "noise": 40.0, "pm25": 160.0, "no2": 250.0,
    "ch4": 40.0, "temperature": 25.0, "humidity": -50.0, "pressure": -40.0, "wind_speed": 90.0,
    "wind_direction": 90.0, "rain": 60.0, "water_level": 2.2, "occupied": 150.0,
    "occupancy": -60.0, "people": 500.0, "battery": -45.0,
}  # fmt: skip
"""By property: how far a spike or drift of size 1 goes, in its unit; noise spreads a tenth."""

_NEAR: Final[dict[Name, tuple[str, ...]]] = {
    "fire": ("pm25",),
    "gas_leak": ("ch4",),
    "flood": ("water_level",),
    "overcrowding": ("people",),
}
_SPREAD: Final[dict[Name, float]] = {
    "fire": 220.0, "gas_leak": 70.0, "flood": 250.0, "overcrowding": 30.0,
}  # fmt: skip
_LIVELY: Final = frozenset({"speed", "noise", "pm25", "no2"})
"""What never stands still or jumps by itself, so that a sensor that does is seen to be wrong."""

_EVENT_HOUR: Final = 19.5


class Schedule:
    """All incidents of a city, as a function of time.

    Args:
        plan: The city.
        start: When live time starts, ms; what is wanted counts from here.
        quiet_until: None is drawn to begin before, ms.
        rate: Incidents a day of the whole city, on average.
        wanted: Those that are asked for.
        without: Ids of those that do not happen.

    Raises:
        ConfigError: What is wanted names a place that the city does not have.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        start: int,
        quiet_until: int,
        rate: float,
        wanted: Sequence[Wanted] = (),
        without: Iterable[str] = (),
    ) -> None:
        self._plan = plan
        self._quiet_until = quiet_until
        self._rate = rate
        self._without = frozenset(without)
        self._days: dict[int, list[Event]] = {}
        self._numbers = {node.id: index for index, node in enumerate(plan.nodes)}
        self._squares = [i for i, node in enumerate(plan.nodes) if node.kind == "square"]
        asked = [self._asked(number, one, start) for number, one in enumerate(wanted)]
        self._wanted = [event for event in asked if event.id not in self._without]
        self._watched = [
            (self._numbers[one.node], event)
            for one, event in zip(wanted, asked, strict=True)
            if one.node is not None
        ]

    def between(self, low: int, high: int) -> list[Event]:
        """Those that are under way at any time from ``low`` up to ``high``, by their beginning."""
        found = list(self._wanted)
        for day in range((low - LONGEST) // DAY, (high - 1) // DAY + 1):
            found += self._day(day)
        under_way = [event for event in found if event.start < high and event.end > low]
        return sorted(under_way, key=lambda event: (event.start, event.id))

    def _day(self, day: int) -> list[Event]:
        if day not in self._days:
            if len(self._days) > 64:  # noqa: PLR2004 - days; what was long ago is drawn anew
                self._days.clear()
            drawn = [*self._draw(day), *self._evenings(day)]
            self._days[day] = [
                event
                for event in drawn
                if event.start >= self._quiet_until
                and event.id not in self._without
                and not self._spoils(event)
            ]
        return self._days[day]

    def _spoils(self, event: Event) -> bool:
        """Whether it would hide an incident that was asked for from the node that shall see it."""
        return any(
            (event.node == node or (event.kind == "power_cut" and event.district == one.district))
            and event.start < one.end
            and event.end > one.start
            for node, one in self._watched
        )

    def _draw(self, day: int) -> Iterable[Event]:
        chance = random.Random(key(self._plan.seed, "incidents", day))
        names = list(KINDS)
        shares = [KINDS[name].share for name in names]
        for number in range(_poisson(self._rate, chance)):
            (name,) = chance.choices(names, shares)
            start = day * DAY + chance.randrange(DAY // 1000) * 1000
            event = self._made(
                f"{name}-{day}-{number}", name, start, chance, Wanted(kind=name, at_ms=0)
            )
            if event is not None:
                yield event

    def _evenings(self, day: int) -> Iterable[Event]:
        """Concerts and markets, at one square in eight: most at weekends."""
        noon = np.array([day * DAY + DAY // 2])
        usual = 0.45 if int(weekday(noon)[0]) in {4, 5} else 0.15
        if not self._rate:
            return
        for venue in self._squares[::8]:
            node = self._plan.nodes[venue]
            chance = random.Random(key(self._plan.seed, "event", node.id, day))
            if chance.random() < usual:
                start = (
                    day * DAY - OFFSET + int((_EVENT_HOUR + chance.choice((-0.5, 0, 0.5))) * HOUR)
                )
                wanted = Wanted(kind="event", at_ms=0, node=node.id)
                event = self._made(f"event-{day}-{node.id}", "event", start, chance, wanted)
                if event is not None:
                    yield event

    def _asked(self, number: int, wanted: Wanted, start: int) -> Event:
        chance = random.Random(key(self._plan.seed, "wanted", number, wanted.kind))
        name = f"{wanted.kind}-w{number}"
        event = self._made(name, wanted.kind, start + wanted.at_ms, chance, wanted)
        if event is None:
            raise _wrong("no sensor of this city can show it", wanted.kind, "leave it out")
        return event

    def _made(
        self, name: str, kind: Name, start: int, chance: random.Random, wanted: Wanted
    ) -> Event | None:
        """An incident with all that was not asked for drawn; None: the city has no place for it."""
        about = KINDS[kind]
        hours, size = chance.uniform(*about.hours), chance.uniform(*about.size)
        span = wanted.duration_ms if wanted.duration_ms is not None else int(hours * 3600) * 1000
        if not 0 < span <= LONGEST:
            raise _wrong(f"lasts no more than {LONGEST} ms", span, "write a shorter duration_ms")
        size = size if wanted.size is None else wanted.size
        event = Event(name, kind, start, start + span, size, (0.0, 0.0))
        match about.place:
            case "city":
                return event
            case "district":
                return self._in_district(event, wanted, chance)
            case "street":
                return self._in_street(event, wanted, chance)
            case "point":
                return self._at_point(event, wanted, chance)
            case "node" | "datastream":
                return self._at_node(event, wanted, chance)

    def _in_district(self, event: Event, wanted: Wanted, chance: random.Random) -> Event:
        plan = self._plan
        index = chance.choice(sorted({plan.street(node).district for node in plan.nodes}))
        if wanted.node is not None:
            index = plan.street(self._node(wanted.node)).district
        elif wanted.district is not None:
            ids = [district.id for district in plan.net.districts]
            index = _found(ids, wanted.district, "district")
        ring = plan.net.districts[index].ring
        middle = (sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring))
        return event._replace(district=index, at=middle)

    def _in_street(self, event: Event, wanted: Wanted, chance: random.Random) -> Event:
        plan = self._plan
        roads = [node.street for node in plan.nodes if node.kind == "road"]
        anywhere = chance.randrange(len(plan.net.streets))
        index = chance.choice(roads) if roads and chance.random() < 0.85 else anywhere  # noqa: PLR2004
        if wanted.node is not None:
            index = self._node(wanted.node).street
        elif wanted.street is not None:
            index = _found([street.id for street in plan.net.streets], wanted.street, "street")
        street = plan.net.streets[index]
        at = geometry.along(street.line, chance.uniform(0.3, 0.7))
        side = inward(plan, index) if wanted.node is not None else chance.randrange(2)
        return event._replace(street=index, district=street.district, at=at, side=side)

    def _at_point(self, event: Event, wanted: Wanted, chance: random.Random) -> Event | None:
        """Beside a sensor that can feel it; the street is the sensor's."""
        seen = _NEAR.get(event.kind, ("people",))
        able = [i for i, node in enumerate(self._plan.nodes) if _observes(node, seen)]
        far, turn = chance.random(), chance.uniform(0, 2 * math.pi)
        if wanted.node is not None:
            index = self._numbers[self._node(wanted.node).id]
            # Up the wind, so that the node does feel it.
            begins = np.array([event.start])
            far, turn = 0.5 * far, float(weather(begins, self._plan.seed).towards[0]) + math.pi
        elif able:
            index = chance.choice(able)
        else:
            return None
        node = self._plan.nodes[index]
        reach = _SPREAD.get(event.kind, 20.0) * (0.15 + far)
        at = (node.at[0] + reach * math.cos(turn), node.at[1] + reach * math.sin(turn))
        street = self._plan.street(node)
        return event._replace(at=at, street=node.street, district=street.district)

    def _at_node(self, event: Event, wanted: Wanted, chance: random.Random) -> Event | None:
        nodes = self._plan.nodes
        index = chance.randrange(len(nodes))
        if event.kind == "battery":
            able = [i for i, node in enumerate(nodes) if not node.mains]
            if not able:
                return None
            index = chance.choice(able)
        if wanted.node is not None:
            index = self._numbers[self._node(wanted.node).id]
        node = nodes[index]
        street = self._plan.street(node)
        event = event._replace(node=index, at=node.at, street=node.street, district=street.district)
        if KINDS[event.kind].place == "node":
            return event
        pairs = [(s.name, name) for s in node.sensors for name in s.properties]
        lively = [pair for pair in pairs if pair[1] in _LIVELY] or pairs
        pair = chance.choice(lively if event.kind in {"stuck", "spike", "noisy"} else pairs)
        if wanted.sensor is not None or wanted.property is not None:
            named = wanted.sensor or pair[0], wanted.property or pair[1]
            fitting = [one for one in pairs if wanted.sensor in {None, one[0]}]
            fitting = [one for one in fitting if wanted.property in {None, one[1]}]
            if not fitting:
                known = ", ".join("/".join(one) for one in pairs)
                raise _wrong("the node has no such datastream", "/".join(named), f"use {known}")
            pair = fitting[0]
        if event.kind != "silent":
            far = event.size * _UNIT_SIZE[pair[1]] * (0.1 if event.kind == "noisy" else 1.0)
            event = event._replace(size=far)
        return event._replace(sensor=pair[0], prop=pair[1])

    def _node(self, name: str) -> Node:
        return self._plan.nodes[_found(list(self._numbers), name, "node")]


def _observes(node: Node, names: Sequence[str]) -> bool:
    return any(name in sensor.properties for sensor in node.sensors for name in names)


def _found(ids: Sequence[str], wanted: str, what: str) -> int:
    if wanted not in ids:
        raise _wrong(f"the city has no such {what}", wanted, f"use one of {', '.join(ids[:8])} ...")
    return ids.index(wanted)


def _wrong(problem: str, value: object, fix: str) -> ConfigError:
    return ConfigError(problem, key="sensor.options.incidents", value=value, fix=fix)


def _poisson(mean: float, chance: random.Random) -> int:
    """A count of rare things (Knuth's method, in parts that the exponential can hold)."""
    count = 0
    while mean > 0:
        part = min(mean, 50.0)
        mean -= part
        limit, product = math.exp(-part), chance.random()
        while product > limit:
            count += 1
            product *= chance.random()
    return count
