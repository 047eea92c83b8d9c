"""What a scene is made of, before anything is drawn or moves. Metres on the ground throughout."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from simulators.scene.camera import Spot, Stand

Texture = Literal["asphalt", "slabs", "setts", "grass", "plain"]


class Patch(NamedTuple):
    """A polygon of the ground."""

    points: tuple[Spot, ...]
    colour: str
    texture: Texture


class Building(NamedTuple):
    """One front, from ``a`` to ``b``; ``seed`` chooses its style."""

    a: Spot
    b: Spot
    height: float
    seed: int


class Prop(NamedTuple):
    """Something that stands still: what it is, where, which way (radians), how big."""

    kind: str
    x: float
    y: float
    heading: float = 0.0
    size: float = 1.0
    seed: int = 0


class Lane(NamedTuple):
    """A way for wheels: its points, a top speed (m/s), how many vehicles an hour enter it.

    ``shares`` says how likely each class is. ``stops`` are places along it (metres) with what rules
    them: a signal's number, or ``"zebra"``. ``after`` names lanes that go on where this one ends;
    vehicles enter only lanes that no other leads to.
    """

    name: str
    points: tuple[Spot, ...]
    speed: float
    hourly: float
    shares: tuple[tuple[str, float], ...]
    stops: tuple[tuple[float, int | str], ...] = ()
    after: tuple[tuple[str, float], ...] = ()
    warm: float = 0.0


class Walk(NamedTuple):
    """A way on foot: its points, how broad, how many an hour walk it, each way.

    ``gates`` say between which two points (by number) a road is crossed, and what lets people do
    so: a signal's phase, or that no car comes to a ``"zebra"``.
    """

    points: tuple[Spot, ...]
    broad: float
    hourly: float
    gates: tuple[tuple[int, int, int | str], ...] = ()


class Haunt(NamedTuple):
    """A place where people wander or stand together: a polygon, how many of each."""

    points: tuple[Spot, ...]
    wanderers: int
    groups: int
    entries: tuple[Spot, ...]


class Line(NamedTuple):
    """A counting line on the ground and the names of its directions, left and right of from-to."""

    name: str
    from_: Spot
    to: Spot
    left: str
    right: str


class Zone(NamedTuple):
    """A polygon on the ground."""

    name: str
    points: tuple[Spot, ...]


class Signal(NamedTuple):
    """A light for wheels: where it stands, where it faces (radians), and which phase is green."""

    x: float
    y: float
    heading: float
    phase: int


class Zebra(NamedTuple):
    """Where people on foot go first: its rectangle's bounds in X and Y."""

    x: tuple[float, float]
    y: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole scene.

    Attributes:
        stand: The camera.
        patches: The ground, from below upwards.
        marks: White paint on it.
        cycle: Seconds of green for each phase; the last one is for people on foot.
        blocks: Circles (X, Y, radius) that people walk around.
        sun: Azimuth and height of the sun by day, degrees.
    """

    stand: Stand
    patches: tuple[Patch, ...]
    marks: tuple[tuple[Spot, ...], ...]
    buildings: tuple[Building, ...]
    props: tuple[Prop, ...]
    lamps: tuple[tuple[float, float, float], ...]
    lanes: tuple[Lane, ...]
    walks: tuple[Walk, ...]
    lines: tuple[Line, ...]
    zones: tuple[Zone, ...]
    sun: tuple[float, float]
    haunts: tuple[Haunt, ...] = ()
    signals: tuple[Signal, ...] = ()
    cycle: tuple[float, ...] = ()
    zebras: tuple[Zebra, ...] = ()
    blocks: tuple[tuple[float, float, float], ...] = field(default=())


def rectangle(x0: float, y0: float, x1: float, y1: float) -> tuple[Spot, ...]:
    """Its corners in order."""
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)
