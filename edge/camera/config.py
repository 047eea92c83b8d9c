"""A ``[[camera]]`` table.

::

    [[camera]]
    name = "gate"
    source = "rtsp://10.0.0.7/stream1"      # or a file, or "v4l2:/dev/video0" (or 0)
    model = "picodet-s-320-coco"            # of the catalog; or a manifest; or an .onnx file
    fps = 5                                 # optional: look at no more frames than that a second

    [[camera.lines]]                        # x and y run from 0 (left, top) to 1 (right, bottom)
    name = "door"
    from = [0.1, 0.6]
    to = [0.9, 0.6]
    left = "out"                            # optional names of the two directions: to the left and
    right = "in"                            # to the right of one who walks from "from" to "to"

    [[camera.zones]]
    name = "square"
    points = [[0.2, 0.4], [0.8, 0.4], [0.9, 1.0], [0.1, 1.0]]

This module imports nothing heavy: an agent without cameras reads it too.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, field

from citynerve.config import Config
from citynerve.errors import ConfigError
from citynerve.topics import NAME_PATTERN

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Share = Annotated[float, Meta(ge=0, le=1)]
Point = tuple[Share, Share]

_LONGEST_NAME: Final = 63
_LEAST_AREA: Final = 1e-6
"""Of a zone, as a share of the picture: less than one pixel of a full HD picture's two million."""


class LineConfig(Config):
    """A counting line between two points of the picture."""

    name: Name
    from_: Point = field(name="from")
    to: Point
    left: Name = "left"
    right: Name = "right"


class ZoneConfig(Config):
    """A polygon in the picture whose occupancy is counted."""

    name: Name
    points: Annotated[tuple[Point, ...], Meta(min_length=3)]


class CameraConfig(Config):
    """One camera.

    Attributes:
        name: Of the camera, and of the sensor that its counts are observed by.
        source: ``rtsp://`` or ``rtsps://``, ``v4l2:/dev/video0`` or its number, ``file:PATH`` or a
            path, ``plugin:module:attribute``.
        options: Of a plugin: what it is told (``edge.camera.plugin``).
        model: A name of the catalog, a manifest or an ONNX file.
        lines: Where crossings are counted.
        zones: Where occupancy is counted.
        classes: What to look for; empty: all that the model's manifest knows.
        fps: Frames a second to look at, at most; None: all.
        score: Least score that begins a track; None: as the manifest says.
        threads: Inference threads.
        speed: Of a file or a finite plugin: its time over real time, or as fast as it can be taken
            in.
        loop: Begin a file again when it has ended; its time goes on.
        start: Of a file or a finite plugin: when its first frame was taken; None: when the node
            first read it.
        preview: A folder for the latest picture and what was seen in it, for people beside the
            node; real people and plates in it are unrecognisable. None: no picture is kept.
    """

    name: Name
    source: Annotated[str, Meta(min_length=1)] | Annotated[int, Meta(ge=0)]
    model: Annotated[str, Meta(min_length=1)]
    options: dict[str, Any] = field(default_factory=dict)
    lines: tuple[LineConfig, ...] = ()
    zones: tuple[ZoneConfig, ...] = ()
    classes: tuple[Name, ...] = ()
    fps: Annotated[float, Meta(gt=0, le=1000)] | None = None
    score: Annotated[float, Meta(gt=0, lt=1)] | None = None
    threads: Annotated[int, Meta(ge=1, le=256)] = 1
    speed: Annotated[float, Meta(gt=0)] | Literal["max"] = 1.0
    loop: bool = False
    start: Annotated[datetime, Meta(tz=True)] | None = None
    preview: Annotated[str, Meta(min_length=1)] | None = None


def check(camera: CameraConfig, classes: Iterable[str]) -> None:
    """Check what the types cannot say.

    Args:
        camera: The table.
        classes: What its model can tell apart.

    Raises:
        ConfigError: Names the key, the value and the fix.
    """
    known = tuple(classes)
    for name in camera.classes:
        if name not in known:
            raise ConfigError(
                f"the model {camera.model} knows no such class",
                key=f"camera.{camera.name}.classes",
                value=name,
                fix=f"choose from {', '.join(known)}",
            )
    _check_names(camera, "lines", [line.name for line in camera.lines])
    _check_names(camera, "zones", [zone.name for zone in camera.zones])
    for line in camera.lines:
        _check_line(camera, line)
    for zone in camera.zones:
        _check_zone(camera, zone, camera.classes or known)


def _check_names(camera: CameraConfig, key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"two {key} have one name",
                key=f"camera.{camera.name}.{key}",
                value=name,
                fix="rename one of them",
            )


def _check_line(camera: CameraConfig, line: LineConfig) -> None:
    if line.from_ == line.to:
        raise ConfigError(
            "the line begins where it ends",
            key=f"camera.{camera.name}.lines.{line.name}",
            value=list(line.to),
            fix="give two different points",
        )
    if line.left == line.right:
        raise ConfigError(
            "both directions have one name",
            key=f"camera.{camera.name}.lines.{line.name}",
            value=line.left,
            fix="rename left or right",
        )


def _check_zone(camera: CameraConfig, zone: ZoneConfig, classes: tuple[str, ...]) -> None:
    if abs(_area(zone.points)) < _LEAST_AREA:
        raise ConfigError(
            "the polygon has no area",
            key=f"camera.{camera.name}.zones.{zone.name}",
            value=[list(point) for point in zone.points],
            fix="give its corners in order, not all on one line",
        )
    for name in classes:
        if len(zone_property(zone.name, name)) > _LONGEST_NAME:
            raise ConfigError(
                f"the property {zone_property(zone.name, name)} gets longer than"
                f" {_LONGEST_NAME} characters",
                key=f"camera.{camera.name}.zones",
                value=zone.name,
                fix="choose a shorter name",
            )


def _area(points: tuple[Point, ...]) -> float:
    turned = (*points[1:], points[0])
    return sum(x * v - u * y for (x, y), (u, v) in zip(points, turned, strict=True)) / 2


def count_property(cls: str) -> str:
    """The property that counts a class in the whole picture."""
    return f"count_{cls}"


def zone_property(zone: str, cls: str) -> str:
    """The property that counts a class in a zone."""
    return f"zone_{zone}_{cls}"
