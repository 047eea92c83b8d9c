"""Pictures to learn from: scenes rendered once into a folder, with seeds that never meet.

A split's pictures lie in ``FOLDER/SPLIT/``: ``pictures.npy`` [n, height, width, 3] in the size of
the model's input, ``truth.npz`` with the objects of all pictures one after the other, and
``runs.json`` with what each was rendered from.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import numpy as np

from citynerve.errors import UnavailableError
from edge.camera.detect import Scaler
from models.manifest import Input
from models.training.network import CLASSES, HEIGHT, WIDTH
from models.training.targets import Floats, Objects
from simulators.scene import SCENES, Scene
from simulators.scene.look import Light, Weather

Split = Literal["train", "tune", "held-out"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)
SEEDS: Final[dict[Split, int]] = {
    "train": 1_000_000,
    "tune": 2_000_000,
    "held-out": 3_000_000,
}
"""Where each split's seeds begin; each has fewer than a million. Below the first: none, so that a
demo's scene is never one that was trained on."""

LEAST_VISIBLE: Final = 0.3
"""Of an object; one that is more hidden is not judged."""
LEAST_SIZE: Final = 7.5
"""Root of a box's area in pixels of the model's input; smaller ones are not judged."""
INPUT: Final = Input(width=WIDTH, height=HEIGHT, colour="bgr", resize="letterbox")

_LIGHTS: Final[tuple[Light, ...]] = get_args(Light)
_WEATHERS: Final[tuple[Weather, ...]] = get_args(Weather)
_SIZES: Final = ((640, 360), (640, 360), (960, 540), (640, 480), (1280, 720))
_FPS: Final = 10.0
_FRAMES: Final[dict[Split, int]] = {"train": 16, "tune": 12, "held-out": 12}
"""Pictures taken from one run, far enough apart for all to have moved on."""
_APART: Final = 29
_BY_CLASS: Final = 0.5
"""Share of draws that begin with a class."""
_AT_AN_OBJECT: Final = 0.85
"""Share of the other draws that take an object of their picture."""
_LATEST: Final = 600
"""When a run's first picture is taken, at the latest: the scene has to get there."""


class Run(msgspec.Struct, frozen=True):
    """One scene, as it is rendered: its frames are taken at ``frames``."""

    name: str
    seed: int
    light: Light
    weather: Weather
    width: int
    height: int
    frames: tuple[int, ...]

    def scene(self) -> Scene:
        """The scene."""
        return Scene(
            self.name,
            self.seed,
            self.width,
            self.height,
            _FPS,
            light=self.light,
            weather=self.weather,
        )


class Stored:
    """One split, read from a folder.

    Attributes:
        pictures: [n, height, width, 3], mapped from the disk.
        run_of: The run of each picture.
        runs: What they were rendered from.

    Raises:
        UnavailableError: It is not there.
    """

    def __init__(self, folder: Path, split: Split) -> None:
        base = folder / split
        if not (base / "runs.json").is_file():
            raise UnavailableError(
                "training data",
                where=str(base),
                problem="not rendered yet",
                fix=f"python -m models.training render --data {folder}",
            )
        self.pictures = np.asarray(np.load(base / "pictures.npy", mmap_mode="r"), np.uint8)
        self.runs = msgspec.json.decode((base / "runs.json").read_bytes(), type=list[Run])
        self.run_of = [run for run in self.runs for _ in run.frames]
        with np.load(base / "truth.npz") as table:
            self._first = np.searchsorted(table["picture"], np.arange(len(self.pictures) + 1))
            self._boxes = table["boxes"]
            self._classes = table["classes"]
            self._visible = table["visible"]

        judging = judged(self._boxes, self._classes, self._visible)
        self._judged = [
            np.flatnonzero((self._classes == cls) & ~judging.ignored) for cls in range(len(CLASSES))
        ]

    def __len__(self) -> int:
        return len(self.pictures)

    def objects(self, number: int) -> Objects:
        """The truth of one picture."""
        rows = slice(self._first[number], self._first[number + 1])
        return judged(self._boxes[rows], self._classes[rows], self._visible[rows])

    def draw(self, random: np.random.Generator) -> tuple[int, int | None]:
        """A picture and one of its judged objects, or none, at random.

        Rare classes come up as often as others in half of the draws.
        """
        there = [rows for rows in self._judged if len(rows)]
        if there and random.random() < _BY_CLASS:
            row = int(random.choice(there[int(random.integers(len(there)))]))
            picture = int(np.searchsorted(self._first, row, side="right")) - 1
            return picture, row - int(self._first[picture])
        picture = int(random.integers(len(self)))
        good = np.flatnonzero(~self.objects(picture).ignored)
        if len(good) and random.random() < _AT_AN_OBJECT:
            return picture, int(random.choice(good))
        return picture, None


def judged(boxes: Floats, classes: np.ndarray, visible: Floats) -> Objects:
    """Objects in pixels of the model's input, and which of them are too small or too hidden."""
    sizes = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    return Objects(boxes, classes, (visible < LEAST_VISIBLE) | (sizes < LEAST_SIZE))


def plan(split: Split, pictures: int) -> list[Run]:
    """Runs of every scene in every light and weather, with seeds of the split's own."""
    kinds = list(itertools.product(SCENES, _LIGHTS, _WEATHERS))
    random = np.random.default_rng(SEEDS[split])
    runs = []
    each = _FRAMES[split]
    for number in range(-(-pictures // each)):
        name, light, weather = kinds[number % len(kinds)]
        width, height = _SIZES[int(random.integers(len(_SIZES)))]
        first = int(random.integers(_LATEST))
        count = min(each, pictures - number * each)
        frames = tuple(first + _APART * step for step in range(count))
        runs.append(Run(name, SEEDS[split] + number, light, weather, width, height, frames))
    return runs


def render(folder: Path, split: Split, pictures: int) -> Iterator[int]:
    """Render a split into its folder; gives how many pictures are done, run by run."""
    base = folder / split
    base.mkdir(parents=True, exist_ok=True)
    # What is half written must not look like a split.
    (base / "runs.json").unlink(missing_ok=True)
    runs = plan(split, pictures)
    shape = (sum(len(run.frames) for run in runs), HEIGHT, WIDTH, 3)
    stored = np.lib.format.open_memmap(
        base / "pictures.npy", mode="w+", dtype=np.uint8, shape=shape
    )
    scaler = Scaler(INPUT)
    rows: list[tuple[int, Floats, int, float]] = []
    done = 0
    for run in runs:
        scene = run.scene()
        for frame in run.frames:
            picture, there = scene.frame(frame)
            stored[done] = scaler.fit(picture)
            factor = min(WIDTH / run.width, HEIGHT / run.height)
            rows += [
                (done, np.array(one.box, np.float32) * factor, CLASSES.index(one.cls), one.visible)
                for one in there
            ]
            done += 1
        yield done
    stored.flush()
    numbers, boxes, classes, visible = zip(*rows, strict=True)
    np.savez(
        base / "truth.npz",
        picture=np.array(numbers, np.int64),
        boxes=np.stack(boxes),
        classes=np.array(classes, np.int64),
        visible=np.array(visible, np.float32),
    )
    (base / "runs.json").write_bytes(msgspec.json.encode(runs))
