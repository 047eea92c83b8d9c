"""The city's domains, one block of steps at a time, for several runs at once.

They hang together as in life: rain slows the traffic, fills the river and empties the squares;
traffic makes noise and bad air; wind thins the air; events fill squares, car parks and streets.
Every value without memory is a function of time; what has memory (vehicles, air, water, car parks)
is carried from block to block as :class:`State`, step by step in one order of operations, so that
the length of a block never shows in a figure.
"""

from typing import Final, NamedTuple

import numpy as np

from simulators.city import calendar, geometry
from simulators.city.effects import Effects, Field, Inputs
from simulators.city.hashing import Floats, Ints, wander
from simulators.city.incidents import Event
from simulators.city.plan import Plan
from simulators.city.sites import Sites
from simulators.city.traffic import STEP, Flow, Traffic
from simulators.city.weather import Weather, comes_from, weather

_MINUTE: Final = 60_000
_AIR: Final = ("pm25", "no2", "ch4")
_MEMORY: Final[dict[str, int]] = {
    # How long each takes to come within a third of where it is drawn to, ms.
    "pm25": 3 * _MINUTE,
    "no2": 3 * _MINUTE,
    "ch4": 2 * _MINUTE,
    "parked": 35 * _MINUTE,
    "ground": 40 * _MINUTE,
    "river": 150 * _MINUTE,
}
_NEAREST: Final = 5
_LOUD_PERSON: Final = 10**4.35
_DRY_OUT: Final = 4.0
_SURFACE: Final = 0.055
"""Metres that the river rises for a mm/h of rain that lasts."""


class State(NamedTuple):
    """What a block needs of the one before; each (runs, rows)."""

    vehicles: Floats
    air: Floats
    parked: Floats
    ground: Floats
    river: Floats


Fields = dict[str, Floats]
"""By property, without noise: (runs, steps, rows)."""


class Model:
    """A city without its sensors' flaws.

    Args:
        plan: The city.
        places: Its datastreams.
    """

    def __init__(self, plan: Plan, places: Sites) -> None:
        self._plan = plan
        self._seed = plan.seed
        self._places = places
        self._effects = Effects(plan, places)
        self._traffic = Traffic(plan.net, plan.seed)
        self._streets = _Nearest(plan, places)
        self._air = [name for name in _AIR if name in places]
        self._air_memory = np.concatenate(
            [np.zeros(0), *(np.full(len(places[name]), _share(name)) for name in self._air)]
        )
        self._sizes: dict[Field, int] = {
            "capacity": self._traffic.links,
            "pace": self._traffic.links,
            "trips": self._traffic.links,
            "rain": 1,
            "loud": self._count("noise"),
            "people": self._count("people"),
            "parked": self._count("occupied"),
            "level": self._count("water_level"),
            "warmth": self._count("temperature"),
            "pm25": self._count("pm25"),
            "no2": self._count("no2"),
            "ch4": self._count("ch4"),
        }

    def start(self, at: int) -> State:
        """The state at a time, ms: what it would be if the hour had lasted for long."""
        times = np.array([at])
        sky = weather(times, self._seed)
        demand = [float(value[0]) for value in self._demand(times)]
        vehicles = self._traffic.steady(*demand)
        flow = self._drive(vehicles, times, sky, Inputs(1, ()))[1]
        air = self._sources(times, sky, flow, Inputs(1, ()))[:, 0]
        parked = self._parking(times, Inputs(1, ()))[:, 0]
        return State(vehicles, air, parked, np.zeros((1, 1)), np.zeros((1, 1)))

    def run(
        self, state: State, times: Ints, events: list[Event], without: list[str]
    ) -> tuple[State, Fields]:
        """One block on.

        Args:
            state: At its start, of the run with all incidents and of each one ``without``.
            times: Of its steps, ms.
            events: The incidents under way.
            without: Ids of the incidents that the further runs are without.

        Returns:
            The state at its end, and all fields.
        """
        sky = weather(times, self._seed)
        inputs = Inputs(len(times), without)
        for event in events:
            if event.model:
                inputs.apply(event, self._effects.changes(event, times, sky), self._sizes)
        vehicles, flow = self._drive(state.vehicles, times, sky, inputs)
        runs = len(vehicles)
        air_drawn = self._sources(times, sky, flow, inputs)
        air, smelt = _drawn(state.air, air_drawn, self._air_memory)
        parked, taken = _drawn(state.parked, self._parking(times, inputs), _share("parked"))
        rain = np.broadcast_to(sky.rain[:, None] + inputs.get("rain"), (runs, len(times), 1))
        ground, wet = _drawn(state.ground, rain, _share("ground"))
        river, risen = _drawn(state.river, wet, _share("river"))
        fields = self._on_roads(flow)
        fields |= self._in_the_sky(sky, rain, inputs)
        fields |= self._in_squares(times, rain, inputs)
        fields |= self._heard(flow, fields, inputs)
        fields |= self._breathed(smelt)
        fields |= self._in_car_parks(taken)
        fields |= self._in_water(sky, times, wet, risen, inputs)
        fields |= self._on_boards(times)
        shaped = {
            name: np.broadcast_to(values, (runs, len(times), len(self._places[name])))
            for name, values in fields.items()
            if name in self._places
        }
        return State(vehicles, air, parked, ground, river), shaped

    def _count(self, name: str) -> int:
        return len(self._places[name]) if name in self._places else 0

    def _demand(self, times: Ints) -> tuple[Floats, Floats, Floats]:
        seed = self._seed
        out, back = calendar.outward(times, seed), calendar.homeward(times, seed)
        return out, back, calendar.inbound(times)

    def _drive(
        self, vehicles: Floats, times: Ints, sky: Weather, inputs: Inputs
    ) -> tuple[Floats, Flow]:
        wet = np.minimum(1.0, (sky.rain[:, None] + inputs.get("rain")) / _DRY_OUT)
        return self._traffic.run(
            vehicles,
            *self._demand(times),
            capacity=inputs.get("capacity") * (1 - 0.1 * wet),
            pace=inputs.get("pace") * (1 - 0.12 * wet),
            more=inputs.get("trips"),
        )

    def _on_roads(self, flow: Flow) -> Fields:
        return {
            name: values[:, :, self._places[name].link]
            for name, values in (("flow", flow.flow), ("speed", flow.speed), ("queue", flow.queue))
            if name in self._places
        }

    def _in_the_sky(self, sky: Weather, rain: Floats, inputs: Inputs) -> Fields:
        found: Fields = {}
        warm, near = self._trait("temperature")
        # The dense town keeps its warmth, most at night.
        town = 1.6 * near * (1.0 - 0.7 * sky.sun)[:, None]
        found["temperature"] = sky.temperature[:, None] + 0.4 * warm + town + inputs.get("warmth")
        damp, near = self._trait("humidity")
        wet = 2.5 * np.minimum(4.0, inputs.get("rain"))
        found["humidity"] = np.clip(
            sky.humidity[:, None] + 2.0 * damp - 5.0 * near + wet, 15.0, 100.0
        )
        found["pressure"] = sky.pressure[:, None] + 0.4 * self._trait("pressure")[0]
        calm, near = self._trait("wind_speed")
        found["wind_speed"] = sky.wind[:, None] * (1.0 - 0.35 * near + 0.06 * calm)
        turned = comes_from(sky.towards)[:, None] + 6.0 * self._trait("wind_direction")[0]
        found["wind_direction"] = turned % 360.0
        local, _ = self._trait("rain")
        found["rain"] = np.maximum(0.0, rain * (1.0 + 0.08 * local))
        return found

    def _in_squares(self, times: Ints, rain: Floats, inputs: Inputs) -> Fields:
        if "people" not in self._places:
            return {}
        trait, near = self._trait("people")
        usual = (18.0 + 210.0 * near**1.5) * np.exp(0.35 * trait)
        busy = calendar.out_of_doors(times, self._seed)[:, None] * usual
        indoors = 1.0 - 0.6 * np.minimum(1.0, rain / _DRY_OUT)
        return {"people": busy * indoors + inputs.get("people")}

    def _heard(self, flow: Flow, fields: Fields, inputs: Inputs) -> Fields:
        """Loudness of engines and tyres from the streets near by, of people, and of what happens.

        About 10 dB for ten times the traffic, and more the faster it is, as in the CNOSSOS-EU
        model's sum over vehicles.
        """
        if "noise" not in self._places:
            return {}
        engine = (flow.flow + 4.0) * (0.35 + (flow.speed / 45.0) ** 2)
        total = 10**3.15 * self._streets.sum("noise", engine, 22.0)
        trait, _ = self._trait("noise")
        total = total + 10 ** (3.9 + 0.15 * trait) + inputs.get("loud")
        crowd = self._streets.crowd
        if "people" in fields and crowd is not None:
            total = total + _LOUD_PERSON * fields["people"][:, :, crowd[0]] * crowd[1]
        return {"noise": 10.0 * np.log10(total)}

    def _sources(self, times: Ints, sky: Weather, flow: Flow, inputs: Inputs) -> Floats:
        """What the air is drawn to: traffic's and heating's emissions, thinned by the wind."""
        still = 1.0 / (0.35 + sky.wind[:, None] / 16.0)
        washed = 1.0 - 0.35 * np.minimum(1.0, sky.rain[:, None] / _DRY_OUT)
        emitted = flow.flow * (1.0 + 1.3 * np.maximum(0.0, 1.0 - flow.speed / 30.0))
        cold = np.maximum(0.0, 14.0 - sky.temperature)[:, None] / 14.0
        evening = np.exp(-0.5 * ((calendar.hour(times) - 20.0) / 2.6) ** 2)[:, None]
        far = np.exp(0.4 * wander(self._seed + 7, times, 30 * calendar.HOUR))[:, None]
        runs = len(flow.flow)
        parts = [np.zeros((runs, len(times), 0))]
        for name in self._air:
            trait, near = self._trait(name)
            street = self._streets.sum(name, emitted, 60.0)
            if name == "pm25":
                usual = 4.5 * far + still * (0.0026 * street + 2.4 * cold * evening * (1 + near))
                usual = usual * washed
            elif name == "no2":
                usual = 6.0 * far + still * 0.017 * street * washed
            else:
                usual = 1.96 + 0.03 * still + 0.00001 * street
            usual = usual * np.exp(0.08 * trait) + inputs.get(name)
            parts.append(np.broadcast_to(usual, (runs, len(times), len(trait))))
        return np.concatenate(parts, axis=2)

    def _breathed(self, air: Floats) -> Fields:
        found: Fields = {}
        first = 0
        for name in self._air:
            count = self._count(name)
            found[name] = air[:, :, first : first + count]
            first += count
        return found

    def _parking(self, times: Ints, inputs: Inputs) -> Floats:
        trait, near = self._trait("occupied")
        usual = calendar.parked(times, self._seed)[:, None] * (0.62 + 0.3 * near + 0.08 * trait)
        return np.clip(usual + inputs.get("parked"), 0.01, 1.0)

    def _in_car_parks(self, taken: Floats) -> Fields:
        trait, _ = self._trait("occupied")
        spaces = np.round(260.0 * np.exp(0.45 * trait))
        return {"occupied": taken * spaces, "occupancy": 100.0 * taken}

    def _in_water(
        self, sky: Weather, times: Ints, wet: Floats, risen: Floats, inputs: Inputs
    ) -> Fields:
        trait, near = self._trait("water_level")
        datum = 0.9 + 0.25 * trait
        # Nearer to the sea the tide is felt more, and the rain less.
        tide = sky.tide[:, None] * (0.35 + 0.9 * near)
        rain = _SURFACE * (risen + 0.06 * wet) * (1.2 - 0.5 * near) * 2.2
        slow = 0.05 * wander(self._seed + 11, times, 20 * calendar.HOUR)[:, None]
        return {"water_level": datum + tide + rain + slow + inputs.get("level")}

    def _on_boards(self, times: Ints) -> Fields:
        """Batteries under a solar cell: fullest late in the afternoon."""
        trait, _ = self._trait("battery")
        charge = np.cos((calendar.hour(times) - 16.5) / 12.0 * np.pi)[:, None]
        return {"battery": np.clip(80.0 + 5.0 * trait + (9.0 + 1.5 * trait) * charge, 30.0, 100.0)}

    def _trait(self, name: str) -> tuple[Floats, Floats]:
        rows = self._places.get(name)
        return (rows.trait, rows.near) if rows is not None else (np.zeros(0), np.zeros(0))


class _Nearest:
    """For each row of a property the nearest streets, and how much of them is felt there."""

    def __init__(self, plan: Plan, places: Sites) -> None:
        self._index: dict[str, Ints] = {}
        self._away: dict[str, Floats] = {}
        lines = [street.line for street in plan.net.streets]
        middles = np.array([geometry.along(line, 0.5) for line in lines])
        for name in ("noise", *_AIR):
            if name not in places:
                continue
            index, away = [], []
            for point in places[name].at:
                # Only the dozen nearest middles can hold the nearest lines.
                near = np.argsort(np.hypot(*(middles - point).T), kind="stable")[:14]
                at = float(point[0]), float(point[1])
                found = sorted((geometry.to_line(at, lines[i]), int(i)) for i in near)[:_NEAREST]
                found += [(1e6, found[0][1])] * (_NEAREST - len(found))
                index.append([i for _, i in found])
                away.append([metres for metres, _ in found])
            self._index[name] = np.array(index, np.intp)
            self._away[name] = np.array(away)
        self.crowd = _companions(places)

    def sum(self, name: str, links: Floats, reach: float) -> Floats:
        """The sum over the streets near each row, both directions, less the farther they are."""
        index, weight = self._index[name], 1.0 / (1.0 + (self._away[name] / reach) ** 2)
        both = links[:, :, 0::2] + links[:, :, 1::2]
        total = both[:, :, index[:, 0]] * weight[:, 0]
        for number in range(1, _NEAREST):
            total = total + both[:, :, index[:, number]] * weight[:, number]
        return np.asarray(total)


def _companions(places: Sites) -> tuple[Ints, Floats] | None:
    """For each microphone the people counter of its node, and 1 where it has one."""
    noise, people = places.get("noise"), places.get("people")
    if noise is None or people is None:
        return None
    rows = {int(node): row for row, node in enumerate(people.node)}
    index = np.array([rows.get(int(node), 0) for node in noise.node], np.intp)
    return index, np.array([float(int(node) in rows) for node in noise.node])


def _share(name: str) -> float:
    """How much of the way to where it is drawn to is gone in one step."""
    return float(1.0 - np.exp(-STEP / _MEMORY[name]))


def _drawn(state: Floats, target: Floats, share: Floats | float) -> tuple[Floats, Floats]:
    """A first-order lag: the state at the end, and at each step."""
    path = np.empty((len(state), *target.shape[1:]))
    for step in range(target.shape[1]):
        state = state + (target[:, step] - state) * share
        path[:, step] = state
    return state, path
