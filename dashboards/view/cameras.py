"""The cameras whose nodes keep a preview: which there are, their latest picture and its state.

Nothing but what a node wrote as a preview is ever read: files of such a name in one folder, no
links, no other types. A node makes people in real pictures unrecognisable before it writes them.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from stat import S_ISREG
from typing import Final, Literal, NamedTuple

import msgspec

from citynerve.preview import PICTURE, STATE, STEM_PATTERN, State

STALLED_S: Final = 5.0
"""Seconds without a new picture after which a camera counts as stalled."""

_STEM: Final = re.compile(STEM_PATTERN)
_BIGGEST: Final = 8 << 20
"""Bytes; a preview has a few hundred kilobytes at most."""

Condition = Literal["live", "stalled", "broken"]


class Camera(NamedTuple):
    """One camera.

    ``condition``: ``stalled`` without a new picture for :data:`STALLED_S`, ``broken`` if what
    stands beside the picture cannot be read (``problem`` says why; ``state`` is None then).
    ``age`` is in seconds since the node wrote.
    """

    node: str
    camera: str
    condition: Condition
    age: float
    state: State | None
    problem: str = ""

    @property
    def stem(self) -> str:
        """Its name in addresses."""
        return f"{self.node}.{self.camera}"


class Cameras:
    """The previews in a folder.

    Args:
        folder: Where nodes write them. It may come later.
        clock: Seconds since 1970, as the files' times.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def list(self) -> list[Camera]:
        """Every camera that has a picture, by node and camera."""
        try:
            names = sorted(path.stem for path in self._folder.glob(f"*{STATE}"))
        except OSError:
            return []
        return [camera for name in names if (camera := self.find(name)) is not None]

    def find(self, stem: str) -> Camera | None:
        """One camera by ``NODE.CAMERA``; None if there is none of this name."""
        if not _STEM.fullmatch(stem):
            return None
        node, _, name = stem.partition(".")
        written = _read(self._folder / f"{stem}{STATE}")
        if written is None:
            return None
        age = max(0.0, self._clock() - written.at)
        try:
            state = msgspec.json.decode(written.content, type=State)
        except msgspec.DecodeError as error:
            return Camera(node, name, "broken", age, None, str(error))
        condition: Condition = "stalled" if age > STALLED_S else "live"
        return Camera(node, name, condition, age, state)

    def picture(self, stem: str) -> bytes | None:
        """The JPEG of a camera that has a state beside it; None if there is none."""
        if not _STEM.fullmatch(stem) or not (self._folder / f"{stem}{STATE}").is_file():
            return None
        found = _read(self._folder / f"{stem}{PICTURE}")
        return found.content if found is not None and found.content[:2] == b"\xff\xd8" else None


class _Written(NamedTuple):
    content: bytes
    at: float


def _read(path: Path) -> _Written | None:
    """A plain file, whole; None for anything else."""
    try:
        about = path.lstat()
        if not S_ISREG(about.st_mode) or about.st_size > _BIGGEST:
            return None
        return _Written(path.read_bytes(), about.st_mtime)
    except OSError:
        return None
