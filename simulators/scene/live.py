"""A scene as a source of pictures for a camera node.

::

    [[camera]]
    name = "corner"
    source = "plugin:simulators.scene.live:LiveScene"
    model = "..."
    options = { name = "crossing", seed = 7, light = "clock", fps = 12.5, truth = "corner.ndjson" }

With ``frames`` or ``seconds`` it is finite, and as good as a recording: every frame, the same at
every run. Without, it is live: as many frames as there is time for, the newest one at any moment.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import cv2
import numpy as np
from msgspec import Meta, json, structs

from citynerve import log
from citynerve.clock import Clock
from citynerve.config import Config, convert
from citynerve.errors import ConfigError
from edge.camera.capture import Frame
from simulators.scene.look import Light
from simulators.scene.scene import Scene
from simulators.scene.truth_file import TruthFile

SIZE: Final = r"^[1-9]\d{1,3}x[1-9]\d{1,3}$"
"""How a picture's size is written: ``640x360``."""

_JUMP_MS: Final = 30_000
"""When the clock jumps farther than this, the scene does not follow: it goes on where it is."""
_BACK_MS: Final = 1_000
_DAY: Final = (7, 18)
_DUSK: Final = (6, 20)
"""Local hours from which and to which it is day; and day or dusk."""

_log = log.get("simulators.scene")


class LiveOptions(Config):
    """The ``options`` table.

    Attributes:
        name: Which scene.
        seed: Chooses its look and who comes when.
        light: The hour; ``clock``: the local one.
        weather: The weather.
        size: Of the picture, pixels.
        fps: Frames a second.
        frames: So many, then it has ended.
        seconds: The same in seconds.
        truth: A file for what is really there; a live scene appends to it.
    """

    name: Literal["street", "crossing", "square"]
    seed: Annotated[int, Meta(ge=0)] = 1
    light: Literal["day", "dusk", "night", "clock"] = "day"
    weather: Literal["clear", "rain"] = "clear"
    size: Annotated[str, Meta(pattern=SIZE)] = "640x360"
    fps: Annotated[float, Meta(gt=0, le=60)] = 12.5
    frames: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(gt=0)] | None = None
    truth: Annotated[str, Meta(min_length=1)] | None = None


class LiveScene:
    """See the module, and ``edge.camera.plugin``.

    Args:
        options: See :class:`LiveOptions`.
        base: The folder that the truth file's path starts from.
        fps: Frames a second that are wanted at most; None: as many as the options say.
        clock: Times the frames of a live scene.

    Attributes:
        dropped: Frames there was no time for.

    Raises:
        ConfigError: The options do not fit.
    """

    simulated = True

    def __init__(
        self, options: Mapping[str, Any], base: Path, fps: float | None, clock: Clock
    ) -> None:
        self.dropped = 0
        self.ended = False
        self._options = _options(options)
        self._fps = min(self._options.fps, fps or math.inf)
        self._frames = _count(self._options, self._fps)
        self.live = self._frames is None
        self._base = base
        self._clock = clock
        self._scene: Scene | None = None
        self._truth: TruthFile | None = None
        self._start = 0
        self._last = -1
        self._closing = threading.Event()

    def identity(self) -> str:
        """What a finite scene's pictures follow from."""
        settings = structs.replace(self._options, truth=None)
        parts = (
            json.encode(settings, order="deterministic").decode(),
            f"{self._fps} {cv2.__version__} {np.__version__}",
        )
        return " ".join(parts)

    def open(self, origin: int) -> None:
        """Build the scene; a finite one begins at ``origin`` (ms), a live one now.

        Raises:
            UnavailableError: The truth file cannot be written.
        """
        options = self._options
        width, height = (int(side) for side in options.size.split("x"))
        light: Light = "day" if options.light == "clock" else options.light
        self._scene = Scene(
            *(options.name, options.seed, width, height, self._fps),
            light=light,
            weather=options.weather,
        )
        self._start = self._clock() if self.live else origin
        if options.truth is not None:
            path = self._base / Path(options.truth).expanduser()
            self._truth = TruthFile(path, self._scene, self._start, append=self.live)

    def read(self, seconds: float) -> Frame | None:
        """The next frame of a finite scene; of a live one the newest, waited for."""
        if self._scene is None or self.ended:
            return None
        number = self._last + 1 if self._frames is not None else self._due(seconds)
        if number is None:
            return None
        if number == self._frames:
            self.ended = True
            self._finish()
            return None
        self.dropped += number - self._last - 1
        self._last = number
        t = self._at(number)
        picture, objects = self._scene.frame(number, self._light(t))
        if self._truth is not None:
            self._truth.add(number, t, objects)
        return Frame(t, picture)

    def problems(self) -> Sequence[str]:
        """Nothing can go wrong with it."""
        return []

    def close(self) -> None:
        """Close the truth file."""
        self._closing.set()
        self._finish()

    def _finish(self) -> None:
        if self._truth is not None:
            self._truth.close()
            self._truth = None

    def _at(self, number: int) -> int:
        return self._start + round(number * 1000 / self._fps)

    def _due(self, seconds: float) -> int | None:
        """The frame of this moment, if it has not been given; None if it is not yet time."""
        now = self._clock()
        upcoming = self._at(self._last + 1)
        if now > upcoming + _JUMP_MS or now < upcoming - _BACK_MS - 1000 / self._fps:
            _log.warning("clock jumped", by_ms=now - upcoming)
            self._start += now - upcoming
            upcoming = now
        if now < upcoming:
            self._closing.wait(min(seconds, (upcoming - now) / 1000))
            now = self._clock()
        if now < upcoming or self._closing.is_set():
            return None
        return max(self._last + 1, math.floor((now - self._start) * self._fps / 1000))

    def _light(self, t: int) -> Light | None:
        if self._options.light != "clock":
            return None
        return light_at(t)


def light_at(t: int) -> Light:
    """The light at a time (ms since 1970 UTC), by this machine's local hour."""
    hour = datetime.fromtimestamp(t / 1000, UTC).astimezone().hour
    if _DAY[0] <= hour < _DAY[1]:
        return "day"
    return "dusk" if _DUSK[0] <= hour < _DUSK[1] else "night"


def _options(options: Mapping[str, Any]) -> LiveOptions:
    try:
        found = convert(dict(options), LiveOptions, file="options")
    except ConfigError as error:
        # The file is for the caller to name: it knows where the table stands.
        raise ConfigError(error.problem, key=error.key, value=error.value, fix=error.fix) from error
    if found.frames is not None and found.seconds is not None:
        raise ConfigError(
            "frames and seconds both say how long it is",
            key="seconds",
            value=found.seconds,
            fix="leave one of them out",
        )
    return found


def _count(options: LiveOptions, fps: float) -> int | None:
    if options.seconds is not None:
        return max(1, round(options.seconds * fps))
    return options.frames
