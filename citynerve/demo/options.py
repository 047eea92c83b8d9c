"""What the user asked the demo for."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from citynerve.errors import ConfigError
from citynerve.parameters import Speed

SIMULATED_NODES: Final = 24
SIMULATED_SECONDS: Final = 60
SCENES: Final = {"crossing": "road", "square": "square"}
"""Simulated camera scenes, and beside which kind of the city's nodes each stands."""
SCENE_MODEL: Final = "scenes-640x384"
"""Our own detector, made for these scenes."""
REPLAY_SPEED: Final = 600.0


@dataclass(frozen=True, slots=True)
class Options:
    """One demo.

    Attributes:
        seconds: How long it runs; None: until its inputs end or somebody ends it.
        video: Footage for a camera node.
        model: A detector's file or name, for the camera.
        replay: Recorded files, or folders of them.
        mapping: A mapping for all replayed files; None: found by each file's columns.
        speed: Recorded over real time; None: 1 for a video, ``REPLAY_SPEED`` for files.
        until_done: End when all inputs are read and committed.
        nodes: Sensor nodes: those that share the replayed files, or else simulated ones; None: one
            for each replayed path, or ``SIMULATED_NODES`` where there is no other input.
        report: Receives the report as JSON.
        folder: Of this run; None: a new one.
        seed: Of the simulated city and cameras.
        headless: Open no browser.
    """

    seconds: float | None = None
    video: Path | None = None
    model: str | None = None
    replay: Sequence[Path] = field(default_factory=tuple)
    mapping: str | None = None
    speed: Speed | None = None
    until_done: bool = False
    nodes: int | None = None
    report: Path | None = None
    folder: Path | None = None
    seed: int = 1
    headless: bool = False

    def check(self) -> None:
        """Refuse what cannot work before anything is started.

        Raises:
            ConfigError: A file is missing, or options do not go together.
        """
        if self.nodes == 0 and self.video is None:
            raise _wrong("--nodes", "leaves nothing to run", 0, "write 1 or more, or add --video")
        self._check_reachable()
        self._check_camera()
        self._check_replay()
        if self.report is not None:
            _check_report(self.report)

    def _check_reachable(self) -> None:
        named = [("--replay", path) for path in self.replay]
        named += [("--video", self.video)] if self.video else []
        shipped_or_file = (("--model", self.model), ("--mapping", self.mapping))
        named += [(option, Path(name)) for option, name in shipped_or_file if name]
        for option, path in named:
            try:
                path.exists()
            except OSError as error:
                fix = "name a file that this user may read"
                raise _wrong(option, f"cannot be read: {error.strerror}", path, fix) from error

    def _check_camera(self) -> None:
        if self.video is not None and not self.video.is_file():
            raise _wrong("--video", "no such file", self.video, "name a video file")
        if self.video is not None and self.model is None:
            raise _wrong("--video", "needs a detector", None, "add --model FILE_OR_NAME")
        if self.model is not None and self.video is None:
            raise _wrong("--model", "needs footage", None, "add --video FILE")
        if self.model is not None and is_path(self.model) and not Path(self.model).is_file():
            raise _wrong("--model", "no such file", self.model, "name an ONNX file or a manifest")

    def _check_replay(self) -> None:
        for path in self.replay:
            if not path.exists():
                raise _wrong("--replay", "no such file or folder", path, "name recorded files")
        if self.mapping is not None and not self.replay:
            raise _wrong("--mapping", "maps nothing", None, "add --replay PATH")
        if self.mapping and is_path(self.mapping) and not Path(self.mapping).is_file():
            raise _wrong("--mapping", "no such file", self.mapping, "name a TOML file")

    @property
    def simulated(self) -> int:
        """How many simulated nodes."""
        if self.replay:
            return 0
        if self.nodes is not None:
            return self.nodes
        return 0 if self.video is not None else SIMULATED_NODES

    @property
    def simulated_seconds(self) -> int:
        """How long what is simulated lasts, where it is to end by itself."""
        return max(1, round(self.seconds or SIMULATED_SECONDS))

    @property
    def scenes(self) -> Mapping[str, str]:
        """The simulated camera scenes: beside a simulated city, where nothing else is asked for."""
        return SCENES if self.simulated and self.video is None and self.nodes is None else {}


def is_path(name: str) -> bool:
    """Whether a model or mapping is named by its file, not as one that is shipped."""
    return "/" in name or Path(name).suffix in {".onnx", ".toml"}


def _check_report(path: Path) -> None:
    # A run may take hours: that its report cannot be written is to be told before.
    folder = path.parent
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises where it may not look
        raise _wrong("--report", "no such folder", folder, "create it")
    if os.path.isdir(path):  # noqa: PTH112
        raise _wrong("--report", "is a folder", path, "name a file in it")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):  # noqa: PTH110
        raise _wrong("--report", "may not be written", path, "name another file")


def _wrong(option: str, problem: str, value: object, fix: str) -> ConfigError:
    shown = None if value is None else str(value)
    return ConfigError(problem, file="command line", key=option, value=shown, fix=fix)
