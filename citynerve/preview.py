"""A camera's latest picture for people beside its node: what stands in the file next to it.

``NODE.CAMERA.jpg`` and ``NODE.CAMERA.json`` in one folder, each written whole or not at all. The
node writes them, the local view shows them.
"""

from typing import Final

import msgspec

from citynerve.topics import NAME_PATTERN, NODE_PATTERN

PICTURE: Final = ".jpg"
STATE: Final = ".json"

STEM_PATTERN: Final = rf"{NODE_PATTERN.rstrip('$')}\.{NAME_PATTERN.lstrip('^')}"
"""What both files are called without their ending."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the picture."""

Point = tuple[float, float]
"""From the left, from the top, as shares of the picture."""


class SeenTrack(msgspec.Struct, frozen=True, rename={"cls": "class"}):
    """A confirmed track."""

    id: int
    cls: str
    box: Box


class SeenLine(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A counting line with what has passed it since the node started, by direction and class."""

    name: str
    from_: Point
    to: Point
    left: str
    right: str
    counts: dict[str, dict[str, int]]


class SeenZone(msgspec.Struct, frozen=True):
    """A zone with how many of each class stand in it."""

    name: str
    points: tuple[Point, ...]
    occupancy: dict[str, int]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in the picture that stands beside it; ``t`` in ms since 1970 UTC."""

    node: str
    camera: str
    t: int
    width: int
    height: int
    simulated: bool
    tracks: tuple[SeenTrack, ...]
    lines: tuple[SeenLine, ...]
    zones: tuple[SeenZone, ...]
    counts: dict[str, int]
