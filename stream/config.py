"""The stream's configuration: ``stream.toml``, the environment, options."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, field

from citynerve import influx, mqtt
from citynerve.config import Config, load, loads, placed
from citynerve.errors import ConfigError
from citynerve.influx import InfluxConfig
from citynerve.mqtt import MqttConfig

DEFAULT_FILE: Final = Path("stream.toml")


class StoreConfig(Config):
    """``[store]``: the stream's memory."""

    path: Annotated[str, Meta(min_length=1)] = "store"


class FlowConfig(Config):
    """``[flow]``: spans in ms; ``workers`` are threads of this process."""

    epoch_ms: Annotated[int, Meta(ge=100, le=60_000)] = 1_000
    workers: Annotated[int, Meta(ge=1, le=16)] = 1
    max_skew_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 3_600_000
    ack_delay_ms: Annotated[int, Meta(ge=0, le=60_000)] = 5_000


class StorageConfig(Config):
    """``[storage]``: which observations are stored one by one, and how long (0: without end)."""

    raw: Literal["scenario", "all", "none"] = "scenario"
    retention_days: Annotated[int, Meta(ge=0, le=36_500)] = 30


class ScenariosConfig(Config):
    """``[scenarios]``: a folder of packs beside those that ship."""

    path: str | None = None


class StreamConfig(Config):
    """All of ``stream.toml``."""

    mqtt: MqttConfig = field(default_factory=MqttConfig)
    influx: InfluxConfig = field(default_factory=InfluxConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    scenarios: ScenariosConfig = field(default_factory=ScenariosConfig)


_OWN_TABLES: Final[Mapping[str, type[Config]]] = {
    "store": StoreConfig,
    "flow": FlowConfig,
    "storage": StorageConfig,
    "scenarios": ScenariosConfig,
}


def env_names() -> dict[str, str]:
    """Environment variable -> dotted key, for every setting that the spine does not name.

    >>> env_names()["CITYNERVE_FLOW_EPOCH_MS"]
    'flow.epoch_ms'
    """
    return {
        f"CITYNERVE_{table}_{key}".upper(): f"{table}.{key}"
        for table, kind in _OWN_TABLES.items()
        for key in kind.__struct_fields__
    }


def read(file: Path | None, options: Mapping[str, Any]) -> StreamConfig:
    """The settings: options stand above the environment, that above the file.

    Args:
        file: A ``stream.toml``; None: the one in the working directory, or none at all.
        options: Dotted key -> value.

    Raises:
        ConfigError: Something in any of them cannot be used.
    """
    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    texts = mqtt.ENV | influx.ENV
    overrides = _from_environment() | dict(options)
    name = "settings" if file is None else str(file)
    try:
        if file is None:
            config = loads("", StreamConfig, file=name, env=texts, overrides=overrides)
        else:
            config = load(file, StreamConfig, env=texts, overrides=overrides)
    except ConfigError as error:
        raise _placed(error, error.file or name, options) from error
    return _checked(config, Path() if file is None else file.parent, name, options)


def _placed(error: ConfigError, file: str, options: Mapping[str, Any]) -> ConfigError:
    if error.key in options:
        return placed(error, "command line")
    return placed(error, file, env=env_names() | mqtt.ENV | influx.ENV)


def value_of(text: str) -> Any:  # noqa: ANN401 - whatever TOML knows
    """A setting's value as it is written on a command line: TOML, or else the text itself.

    >>> value_of("500"), value_of("true"), value_of("mqtt://host")
    (500, True, 'mqtt://host')
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _from_environment() -> dict[str, Any]:
    return {
        key: value_of(os.environ[variable])
        for variable, key in env_names().items()
        if os.environ.get(variable)
    }


def _checked(
    config: StreamConfig, base: Path, file: str, options: Mapping[str, Any]
) -> StreamConfig:
    """Check what no range can say, and anchor paths at the file's folder."""
    try:
        config.mqtt.check()
        config.influx.base()
    except ConfigError as error:
        raise _placed(error, file, options) from error
    if config.influx.raw == config.influx.main:
        raise ConfigError(
            "the same as influx.raw: two databases are needed, each with its own retention",
            file=file,
            key="influx.main",
            value=config.influx.main,
            fix="give them different names",
        )
    path = config.scenarios.path
    return msgspec.structs.replace(
        config,
        store=StoreConfig(path=str(base / config.store.path)),
        scenarios=ScenariosConfig(path=None if path is None else str(base / path)),
    )
