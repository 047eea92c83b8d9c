"""The drivers that a node's ``[[sensor]]`` tables may name, and how each is made.

To add one: write a config struct and a class next to each other, and add both here. Importing this
module stays cheap: what a driver needs beyond the standard library and psutil, it imports itself.
"""

from pathlib import Path

from edge.sensor.driver import Driver
from edge.sensor.machine import Machine, MachineConfig
from edge.sensor.plugin import PluginConfig, load_plugin
from edge.sensor.replay import Replay, ReplayConfig

SensorConfig = MachineConfig | ReplayConfig | PluginConfig
"""One ``[[sensor]]`` table; the key ``driver`` tells which."""


def make(config: SensorConfig, base: Path) -> Driver:
    """The driver of one ``[[sensor]]`` table.

    Args:
        config: The table.
        base: The folder that relative paths in it start from.

    Raises:
        ConfigError: The table is well-formed, but names what does not exist or does not fit.
        UnavailableError: A file or device that it needs cannot be opened.
    """
    match config:
        case MachineConfig():
            return Machine(config)
        case ReplayConfig():
            return Replay(config, base)
        case PluginConfig():
            return load_plugin(config, base)
