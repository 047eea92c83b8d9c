"""The configuration of one node: a TOML file into typed structs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, field, structs

from citynerve import config as tables
from citynerve.codec import Format
from citynerve.config import Config
from citynerve.errors import ConfigError
from citynerve.log import Level
from citynerve.messages import Position
from citynerve.mqtt import ENV as MQTT_ENV
from citynerve.mqtt import MqttConfig
from citynerve.topics import AREA_PATTERN, NODE_PATTERN

ENV = {
    **MQTT_ENV,
    "CITYNERVE_NODE_ID": "node.id",
    "CITYNERVE_SPOOL_PATH": "spool.path",
}
"""Environment variables that override the file."""


class PositionTable(Config):
    """Where a node stands: WGS 84, degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]

    def position(self) -> Position:
        """As it travels."""
        return Position(self.lat, self.lon)


class NodeTable(Config):
    """``[node]``: which node it is and where it stands."""

    id: Annotated[str, Meta(pattern=NODE_PATTERN)]
    area: Annotated[str, Meta(pattern=AREA_PATTERN)]
    position: PositionTable | None = None


class SpoolTable(Config):
    """``[spool]``: where what is not yet committed waits, and how much of it may."""

    path: str = "spool.db"
    max_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 256


class SendTable(Config):
    """``[send]``: how batches are made.

    ``mirror`` also publishes each datastream's last value, retained and at most once a second,
    for other tools.
    """

    format: Format = "json"
    batch_ms: Annotated[int, Meta(ge=10, le=60_000)] = 1_000
    mirror: bool = False


class LogTable(Config):
    """``[log]``."""

    level: Level = "info"
    format: Literal["auto", "json", "lines"] = "auto"


class NodeConfig(Config):
    """All of a node's file but its inputs."""

    node: NodeTable
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    spool: SpoolTable = field(default_factory=SpoolTable)
    send: SendTable = field(default_factory=SendTable)
    log: LogTable = field(default_factory=LogTable)
    sensor: list[Any] = field(default_factory=list)
    camera: list[Any] = field(default_factory=list)


def load(path: Path, *, env: Mapping[str, str] = ENV) -> NodeConfig:
    """Read a node's file; ``sensor`` and ``camera`` hold the structs of their drivers.

    Args:
        path: It.
        env: Environment variable -> dotted key that it overrides.

    Raises:
        ConfigError: It is missing, is not TOML, or does not fit.
    """
    loaded = tables.load(path, NodeConfig, env=env)
    try:
        loaded.mqtt.check()
    except ConfigError as error:
        raise tables.placed(error, str(path), env=env) from error
    if not loaded.sensor and not loaded.camera:
        raise ConfigError(
            "the node has no input",
            file=str(path),
            key="sensor",
            fix='add a [[sensor]] table, for example driver = "machine", or a [[camera]]',
        )
    return structs.replace(
        loaded,
        sensor=_sensors(loaded.sensor, str(path)) if loaded.sensor else [],
        camera=_cameras(loaded.camera, str(path)) if loaded.camera else [],
    )


def _sensors(found: list[Any], file: str) -> list[Any]:
    from edge.sensor.catalog import SensorConfig  # noqa: PLC0415 - only what the node needs

    class Tables(Config):
        sensor: list[SensorConfig]

    return tables.convert({"sensor": found}, Tables, file=file).sensor


def _cameras(found: list[Any], file: str) -> list[Any]:
    from edge.camera.config import CameraConfig  # noqa: PLC0415 - only what the node needs

    class Tables(Config):
        camera: list[CameraConfig]

    return tables.convert({"camera": found}, Tables, file=file).camera
