"""What a source of pictures is, and which one a ``source`` key means.

One inference thread is fed by one decoding thread: OpenCV's own threads would fight both.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import cv2

from edge.camera.config import CameraConfig
from edge.camera.detect import Picture

PLUGIN: Final = "plugin:"
"""What a ``source`` begins with that is made by an object of another package."""

_SCHEME: Final = re.compile(r"^(?P<scheme>[a-z0-9]+):(?P<rest>.*)$")
_CREDENTIALS: Final = re.compile(r"//.*@")
_SECRET: Final = re.compile(r"((?:pass\w*|pwd|token|auth|secret)=)[^&\s]*", re.IGNORECASE)

cv2.setNumThreads(1)
# What it warns of when it cannot open something, the sources say themselves, with the fix.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)


class Frame(NamedTuple):
    """A picture and its phenomenon time, ms since 1970 UTC, greater from frame to frame."""

    t: int
    picture: Picture


class Source(Protocol):
    """Gives the frames of one camera to one thread.

    Attributes:
        ended: No frame will ever follow.
        simulated: The pictures show no real place, so nobody in them needs to be veiled.
    """

    @property
    def simulated(self) -> bool:
        """Whether the pictures show no real place."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no frame will ever follow."""
        ...

    def open(self, origin: int) -> None:
        """Begin; ``origin`` (ms) is when a recording without a start of its own began.

        Raises:
            UnavailableError: A recording cannot be read. A live camera is waited for instead.
        """
        ...

    def read(self, seconds: float) -> Frame | None:
        """The next frame; None if there was none for ``seconds``, or the source has ended."""
        ...

    def problems(self) -> Sequence[str]:
        """What is wrong just now, for people."""
        ...

    def close(self) -> None:
        """Release what was opened."""
        ...


def is_plugin(camera: CameraConfig) -> bool:
    """Whether a source is made by an object of another package."""
    return isinstance(camera.source, str) and camera.source.startswith(PLUGIN)


def is_file(camera: CameraConfig) -> bool:
    """Whether a source is a recording."""
    return not (is_plugin(camera) or is_live(camera))


def is_live(camera: CameraConfig) -> bool:
    """Whether a source is a camera, which goes on whether it is read or not."""
    source = camera.source
    if isinstance(source, int):
        return True
    found = _SCHEME.match(source)
    return found is not None and found["scheme"] in ("rtsp", "rtsps", "v4l2")


def file_path(source: str, base: Path) -> Path:
    """The file that a ``source`` means; relative ones start from ``base``."""
    return base / Path(source.removeprefix("file:")).expanduser()


def for_people(source: str | int) -> str:
    """A source's address without the passwords in it, wherever cameras want them."""
    return _SECRET.sub(r"\1***", _CREDENTIALS.sub("//", str(source)))
