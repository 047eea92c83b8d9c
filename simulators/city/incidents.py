"""What goes wrong in the city: kinds of incidents, and how one is asked for."""

from typing import Final, Literal, NamedTuple

from msgspec import Struct

from simulators.city.calendar import HOUR
from simulators.city.geometry import Point

Name = Literal[
    "accident", "jam", "fire", "gas_leak", "flood", "cloudburst", "overcrowding", "event",
    "power_cut", "outage", "battery", "spike", "stuck", "drift", "noisy", "silent",
]  # fmt: skip

WHOLE_CITY: Final = "_city"
"""The district of what happens everywhere."""


class Kind(NamedTuple):
    """One kind of incident.

    Attributes:
        share: How often it is drawn, against others.
        hours: The shortest and longest it lasts.
        size: The smallest and greatest; what of is told in :class:`Wanted`.
        place: What it happens to.
        model: It acts through the model of the city, not on readings alone.
    """

    share: float
    hours: tuple[float, float]
    size: tuple[float, float]
    place: Literal["street", "point", "node", "datastream", "district", "city"]
    model: bool


KINDS: Final[dict[Name, Kind]] = {
    "accident": Kind(5, (0.4, 1.4), (0.65, 0.9), "street", model=True),
    "jam": Kind(3, (0.7, 2.0), (0.55, 0.85), "street", model=True),
    "fire": Kind(2, (0.6, 2.0), (0.6, 1.6), "point", model=True),
    "gas_leak": Kind(1.5, (0.5, 2.0), (0.6, 2.0), "point", model=True),
    "flood": Kind(0.8, (1.5, 5.0), (0.6, 2.0), "point", model=True),
    "cloudburst": Kind(0.5, (0.4, 1.0), (22.0, 50.0), "city", model=True),
    "overcrowding": Kind(1.5, (0.5, 1.5), (300.0, 900.0), "point", model=True),
    "event": Kind(0, (2.5, 4.0), (250.0, 700.0), "point", model=True),
    "power_cut": Kind(0.8, (0.5, 2.5), (0.4, 0.6), "district", model=True),
    "outage": Kind(2.5, (3.5, 8.0), (1.0, 1.0), "node", model=False),
    "battery": Kind(1, (7.0, 12.0), (70.0, 70.0), "node", model=False),
    "spike": Kind(3, (0.02, 0.05), (1.0, 2.0), "datastream", model=False),
    "stuck": Kind(2, (7.5, 11.0), (0.0, 0.0), "datastream", model=False),
    "drift": Kind(1.5, (4.0, 10.0), (0.8, 1.6), "datastream", model=False),
    "noisy": Kind(1.5, (1.0, 4.0), (1.0, 2.0), "datastream", model=False),
    "silent": Kind(2, (3.5, 8.0), (0.0, 0.0), "datastream", model=False),
}
"""Kinds by name; ``event`` (a concert, a market) is on a calendar of its own."""

LONGEST: Final = 12 * HOUR


class Wanted(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An incident that is asked for.

    ``at_ms`` counts from the start of live time, so what lies in the history is below 0. What is
    left out is drawn: ``duration_ms``, ``size``, and the place: ``node`` (an incident happens
    beside it, up the wind), ``sensor`` and ``property`` (of sensor faults), or ``street`` or
    ``district`` by their ids.

    ``size``: of an accident or jam the share of capacity that is lost; of a fire or gas leak its
    strength, 1 being usual; of a flood metres; of a cloudburst mm/h; of a crowd people; of a spike,
    a drift or noise 1 is far beyond what is usual.
    """

    kind: Name
    at_ms: int
    duration_ms: int | None = None
    size: float | None = None
    node: str | None = None
    sensor: str | None = None
    property: str | None = None
    street: str | None = None
    district: str | None = None


class Event(NamedTuple):
    """One incident as the model takes it; times in ms since 1970 UTC.

    ``street``, ``node`` and ``district`` are indices, where it has them; ``prop``: the property;
    ``side``: the direction of the street that an accident blocks.
    """

    id: str
    kind: Name
    start: int
    end: int
    size: float
    at: Point
    district: int | None = None
    street: int | None = None
    node: int | None = None
    sensor: str | None = None
    prop: str | None = None
    side: int = 0

    @property
    def model(self) -> bool:
        """Whether it acts through the model of the city."""
        return KINDS[self.kind].model
