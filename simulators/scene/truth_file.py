"""A truth file: what is in each frame of a scene and what happens, a JSON object a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from citynerve.errors import UnavailableError
from simulators.scene.scene import Scene
from simulators.scene.truth import Crossed, Dwelt, Events, Object


class TruthFile:
    """Writes a header, then frames and events as they come.

    ``{"scene": {...}}``, ``{"frame": n, "t": ms, "objects": [...]}``, ``{"crossing": {...}}``,
    ``{"dwell": {...}}``; the fields are those of ``simulators.scene.truth``.

    Args:
        path: The file.
        scene: The scene.
        start: Time of frame 0, ms since 1970 UTC.
        append: After what is already in the file; otherwise it is begun anew.

    Attributes:
        crossings: Of each line, how many crossed it by direction and class.
        dwells: How many stays in zones have ended.

    Raises:
        UnavailableError: The file cannot be written.
    """

    def __init__(self, path: Path, scene: Scene, start: int, *, append: bool = False) -> None:
        self.crossings: dict[tuple[str, str, str], int] = {}
        self.dwells = 0
        self._path = path
        camera = scene.camera
        self._events = Events(scene.lines, scene.zones, camera.width, camera.height)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("ab" if append else "wb")
        except OSError as error:
            raise self._unwritable(error) from error
        self._write({"scene": scene.header(start)})

    def add(self, number: int, t: int, objects: Sequence[Object]) -> None:
        """Write a frame, and what has come about by it.

        Raises:
            UnavailableError: The file cannot be written.
        """
        self._write({"frame": number, "t": t, "objects": objects})
        self._tell(self._events.observe(t, objects))

    def close(self) -> None:
        """Write the stays that have not ended, and close the file."""
        if not self._file.closed:
            self._tell(self._events.finish())
            self._file.close()

    def _tell(self, events: Sequence[Crossed | Dwelt]) -> None:
        for event in events:
            if isinstance(event, Crossed):
                key = event.line, event.direction, event.cls
                self.crossings[key] = self.crossings.get(key, 0) + 1
                self._write({"crossing": event})
            else:
                self.dwells += 1
                self._write({"dwell": event})

    def _write(self, line: object) -> None:
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
            # Who follows a live scene reads what is there by now.
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            "truth file",
            where=str(self._path),
            problem=error.strerror or str(error),
            fix="name a file that this user may write",
        )
