"""What is really there: boxes, identities, and what happens at lines and in zones."""

from collections.abc import Iterable, Sequence

import msgspec

from simulators.scene.people import contains

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, pixels; right and bottom are the edges behind the last pixel."""

CLASSES = ("person", "bicycle", "car", "bus", "truck")
"""A cyclist is one object of the class bicycle, with its rider; vans count as cars."""


class Object(msgspec.Struct, frozen=True, rename={"cls": "class"}):
    """One object in one frame.

    Attributes:
        id: The same as long as the object is there.
        cls: One of :data:`CLASSES`.
        box: Of its whole silhouette, whatever hides it, as far as it lies in the picture.
        visible: How many of the pixels of its whole silhouette are seen, 0 to 1; what hides it and
            the picture's edges both take from it.
        position: X and Y of its middle on the ground, metres.
        speed: Metres a second.
    """

    id: int
    cls: str
    box: Box
    visible: float
    position: tuple[float, float]
    speed: float


class SceneLine(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A counting line in shares of the picture, as a camera's configuration has it."""

    name: str
    from_: tuple[float, float]
    to: tuple[float, float]
    left: str
    right: str


class SceneZone(msgspec.Struct, frozen=True):
    """A zone in shares of the picture, as a camera's configuration has it."""

    name: str
    points: tuple[tuple[float, float], ...]


class Crossed(msgspec.Struct, frozen=True, rename={"cls": "class"}):
    """An object's ground point passed a line at ``t`` (ms); ``speed`` in m/s."""

    t: int
    line: str
    direction: str
    cls: str
    id: int
    speed: float


class Dwelt(msgspec.Struct, frozen=True, rename={"cls": "class"}):
    """An object was in a zone from ``start`` to ``end`` (ms)."""

    zone: str
    id: int
    cls: str
    start: int
    end: int


class Header(msgspec.Struct, frozen=True):
    """What a truth file begins with.

    Attributes:
        start: Time of frame 0, ms since 1970 UTC.
        ground: 3x3, pixels to metres on the ground, homogeneous.
    """

    name: str
    seed: int
    fps: float
    width: int
    height: int
    start: int
    light: str
    weather: str
    lines: tuple[SceneLine, ...]
    zones: tuple[SceneZone, ...]
    ground: tuple[tuple[float, float, float], ...]


class Events:
    """Follows objects from frame to frame past lines and through zones.

    An object is where the middle of its box's lower side is. It crosses a line when that point gets
    from one side to the other between the line's ends, and a tenth of the box's height past it: so
    feet that step to and fro on a line count once. It has left a zone when it has been outside for
    a second.

    Args:
        lines: In shares of the picture.
        zones: In shares of the picture.
        width: Of the picture.
        height: Of the picture.
    """

    def __init__(
        self, lines: Sequence[SceneLine], zones: Sequence[SceneZone], width: int, height: int
    ) -> None:
        self._lines = lines
        self._zones = zones
        self._size = width, height
        self._sides: dict[tuple[int, str], _Side] = {}
        self._stays: dict[tuple[int, str], _Stay] = {}

    def observe(self, t: int, objects: Iterable[Object]) -> list[Crossed | Dwelt]:
        """Take in a frame; what has come about by it."""
        found: list[Crossed | Dwelt] = []
        for one in objects:
            x, y = (one.box[0] + one.box[2]) / 2, one.box[3]
            high = one.box[3] - one.box[1]
            for line in self._lines:
                direction = self._pass(line, one.id, t, (x, y), max(2.0, 0.1 * high))
                if direction is not None:
                    side = self._sides[one.id, line.name]
                    crossed = Crossed(side.t, line.name, direction, one.cls, one.id, one.speed)
                    found.append(crossed)
            for zone in self._zones:
                if contains(zone.points, x / self._size[0], min(y / self._size[1], 1 - 1e-6)):
                    stay = self._stays.setdefault((one.id, zone.name), _Stay(one.cls, t, t))
                    stay.last = t
        found += self._left(t)
        return found

    def finish(self) -> list[Dwelt]:
        """The stays that have not ended; they end with the last frame."""
        return [
            Dwelt(zone, number, stay.cls, stay.start, stay.last)
            for (number, zone), stay in self._stays.items()
        ]

    def _left(self, t: int) -> list[Dwelt]:
        over = [key for key, stay in self._stays.items() if t - stay.last >= _AWAY]
        ended = []
        for number, zone in over:
            stay = self._stays.pop((number, zone))
            ended.append(Dwelt(zone, number, stay.cls, stay.start, stay.last))
        if len(self._sides) > _MOST:
            gone = sorted(self._sides, key=lambda key: self._sides[key].seen)[: _MOST // 2]
            for key in gone:
                del self._sides[key]
        return ended

    def _pass(
        self, line: SceneLine, number: int, t: int, spot: tuple[float, float], margin: float
    ) -> str | None:
        width, height = self._size
        ax, ay = line.from_[0] * width, line.from_[1] * height
        bx, by = line.to[0] * width, line.to[1] * height
        long = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        # Positive to the right of one who walks along the line: Y runs downwards.
        away = ((bx - ax) * (spot[1] - ay) - (by - ay) * (spot[0] - ax)) / long
        side = self._sides.setdefault((number, line.name), _Side(away, spot, 0, t))
        side.seen = t
        if side.away * away < 0:
            share = side.away / (side.away - away)
            on = tuple(p + share * (q - p) for p, q in zip(side.spot, spot, strict=True))
            along = ((bx - ax) * (on[0] - ax) + (by - ay) * (on[1] - ay)) / long**2
            side.between, side.t = 0 <= along <= 1, t
        if away:
            side.away, side.spot = away, spot
        if abs(away) < margin:
            return None
        clear = 1 if away > 0 else -1
        crossed = side.clear == -clear and side.between
        side.clear, side.between = clear, False
        if not crossed:
            return None
        return line.right if clear > 0 else line.left


_AWAY = 1000
_MOST = 4096


class _Side(msgspec.Struct):
    """Where an object was seen last, beside one line."""

    away: float
    spot: tuple[float, float]
    clear: int
    t: int
    seen: int = 0
    between: bool = False


class _Stay(msgspec.Struct):
    cls: str
    start: int
    last: int
