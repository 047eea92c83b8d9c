"""What a node tells about itself: where it stands, what it measures, in which units."""

import platform
from collections.abc import Sequence
from typing import Final

from citynerve import codec
from citynerve.errors import ConfigError
from citynerve.messages import About, CameraAbout, PropertyAbout, SensorAbout
from citynerve.version import VERSION
from edge.config import NodeConfig
from edge.sensor.driver import Driver

_MOST_ABOUT: Final = codec.MAX_PAYLOAD - 4096


def describe(config: NodeConfig, drivers: Sequence[Driver]) -> About:
    """What a node tells about itself, from its configuration and its drivers."""
    sensors: dict[str, SensorAbout] = {}
    cameras: list[CameraAbout] = []
    for driver in drivers:
        for sensor in driver.sensors():
            sensors[sensor.name] = _merged(sensors.get(sensor.name), sensor)
        cameras += driver.cameras()
    position = config.node.position
    return About(
        area=config.node.area,
        position=position.position() if position is not None else None,
        sensors=tuple(sensors.values()),
        cameras=tuple(cameras),
        models={one.name: one.model for one in cameras if one.model is not None},
        versions=versions(),
    )


def check_size(about: About, file: str) -> None:
    """Refuse a description that no hello can carry: the node would ask for a term for ever.

    Raises:
        ConfigError: It is too large.
    """
    size = len(codec.encode(about))
    if size > _MOST_ABOUT:
        count = sum(len(sensor.properties) for sensor in about.sensors)
        raise ConfigError(
            f"{count} datastreams take {size} bytes to describe, of at most {_MOST_ABOUT}",
            file=file,
            key="sensor",
            fix="share them out among several nodes",
        )


def units(drivers: Sequence[Driver]) -> dict[tuple[str, str], str]:
    """Each datastream's unit."""
    return {
        (sensor.name, prop.name): prop.unit
        for driver in drivers
        for sensor in driver.sensors()
        for prop in sensor.properties
    }


def _merged(one: SensorAbout | None, other: SensorAbout) -> SensorAbout:
    if one is None:
        return other
    known: set[PropertyAbout] = set(one.properties)
    new = tuple(prop for prop in other.properties if prop not in known)
    return SensorAbout(one.name, one.properties + new, one.position or other.position)


def versions() -> dict[str, str]:
    """What the node runs on."""
    return {"citynerve": VERSION, "python": platform.python_version()}
