"""Drivers from outside this package, named by where they can be imported from."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

from msgspec import Meta, field

from citynerve.config import Config
from citynerve.errors import ConfigError
from edge.sensor.driver import Driver

Factory = Callable[[str, Mapping[str, Any], Path], Driver]
"""What a plugin's object is: it takes the driver's name, the options table as it stands in the
file, and the folder that relative paths start from. It raises ``ConfigError`` for wrong options
(``citynerve.config.convert`` does that for a struct)."""


class PluginConfig(Config, tag_field="driver", tag="plugin"):
    """A ``[[sensor]]`` table with ``driver = "plugin"``."""

    object: Annotated[str, Meta(pattern=r"^[\w.]+:\w+$")]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")] = "plugin"
    options: dict[str, Any] = field(default_factory=dict)


def load_plugin(config: PluginConfig, base: Path) -> Driver:
    """Import the object and let it make the driver.

    Raises:
        ConfigError: There is no such module or attribute, it cannot be called, or it refuses the
            options.
    """
    module, _, attribute = config.object.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise _wrong(config, f"cannot be imported: {error}") from error
    except AttributeError as error:
        raise _wrong(config, f"the module has no {attribute!r}") from error
    if not callable(found):
        raise _wrong(config, f"{attribute!r} cannot be called")
    if not _takes_three(found):
        raise _wrong(config, f"{attribute!r} does not take name, options and base")
    return cast("Factory", found)(config.name, config.options, base)


def _takes_three(factory: Callable[..., Any]) -> bool:
    try:
        inspect.signature(factory).bind("name", {}, Path())
    except ValueError:  # what is written in C may tell nothing about itself
        return True
    except TypeError:
        return False
    return True


def _wrong(config: PluginConfig, problem: str) -> ConfigError:
    return ConfigError(
        problem,
        key="sensor.object",
        value=config.object,
        fix="write module:attribute of an installed package; the attribute makes the driver",
    )
