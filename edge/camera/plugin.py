"""Sources of pictures from outside this package, named by where they can be imported from.

::

    [[camera]]
    source = "plugin:simulators.scene.live:LiveScene"
    options = { name = "street", seed = 7 }
"""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, cast

from citynerve.clock import Clock
from citynerve.errors import ConfigError
from edge.camera.capture import PLUGIN, Source
from edge.camera.config import CameraConfig

_OBJECT: Final = re.compile(r"^(?P<module>\w+(?:\.\w+)*):(?P<attribute>\w+)$")


class PluginSource(Source, Protocol):
    """A source that says of itself what the node must know before it is opened.

    Attributes:
        live: It goes on whether it is read or not. One that is not gives the same frames at every
            run from the same origin.
    """

    @property
    def live(self) -> bool:
        """Whether it goes on whether it is read or not."""
        ...

    def identity(self) -> str:
        """Of one that is not live: what its pictures follow from."""
        ...


Factory = Callable[[Mapping[str, Any], Path, float | None, Clock], PluginSource]
"""What a plugin's object is: it takes the ``options`` table as it stands in the file, the folder
that relative paths start from, how many frames a second are wanted at most (None: all), and the
clock that times live frames. It raises ``ConfigError`` for wrong options, its keys as they stand in
that table."""


def load_source(camera: CameraConfig, base: Path, clock: Clock) -> PluginSource:
    """Import the object and let it make the source.

    Raises:
        ConfigError: There is no such module or attribute, it cannot be called, or it refuses the
            options.
    """
    place = _OBJECT.match(str(camera.source).removeprefix(PLUGIN))
    if place is None:
        raise _wrong(camera, "names no object")
    attribute = place["attribute"]
    try:
        found = getattr(importlib.import_module(place["module"]), attribute)
    except ImportError as error:
        raise _wrong(camera, f"cannot be imported: {error}") from error
    except AttributeError as error:
        raise _wrong(camera, f"the module has no {attribute!r}") from error
    if not callable(found) or not _takes_four(found):
        raise _wrong(camera, f"{attribute!r} does not take options, base, fps and clock")
    try:
        return cast("Factory", found)(camera.options, base, camera.fps, clock)
    except ConfigError as error:
        key = f"camera.{camera.name}.options" + (f".{error.key}" if error.key else "")
        raise ConfigError(error.problem, key=key, value=error.value, fix=error.fix) from error


def _takes_four(factory: Callable[..., Any]) -> bool:
    try:
        inspect.signature(factory).bind({}, Path(), None, int)
    except ValueError:  # what is written in C may tell nothing about itself
        return True
    except TypeError:
        return False
    return True


def _wrong(camera: CameraConfig, problem: str) -> ConfigError:
    return ConfigError(
        problem,
        key=f"camera.{camera.name}.source",
        value=camera.source,
        fix=f"write {PLUGIN}module:attribute of an installed package, which makes the source",
    )
