"""The network: plain 3 x 3 convolutions down to 1/32 of the picture, and up again to 1/8.

It is written once, against the few operations it is made of (`Ops`); what they do is another
module's: compute with JAX (`compute`), draw first weights (`Weights` here), or write an ONNX graph
(`export`). Depthwise convolutions would save arithmetic, but on a CPU they train slower than plain
ones.

Each cell of the last map is four cells of the result, which so has one for every 4 x 4 pixels:
scores by class and four distances, as in TTFNet (Liu et al. 2019,
https://arxiv.org/abs/1909.00700), whose one fine map needs no assignment of objects to levels.
"""

import math
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CLASSES: Final = ("person", "bicycle", "car", "bus", "truck")
"""In the order of the model's scores."""
SIDES: Final = 4
WIDTH, HEIGHT = 640, 384
"""Of the model's input, pixels: multiples of 32 that take a picture of 640 x 360 as it is."""
CELL: Final = 4
"""Pixels between two cells of the result."""
COARSEST: Final = 32
"""Pixels between two cells of the smallest map: a picture's sides must be multiples of it."""
REACH: Final = 16.0
"""Distance from a cell's centre to a side where the network's figure is 0, pixels."""
STEEPEST: Final = 3.5
"""Greatest figure taken for a distance: 16 e^3.5 = 530 pixels, more than the picture."""
RARE: Final = -4.0
"""First bias of scores: nearly every cell is empty (Lin et al. 2017, arxiv.org/abs/1708.02002)."""

_STEM, _FOURTH, _EIGHTH, _SIXTEENTH, _THIRTY_SECOND, _NECK = 16, 32, 64, 96, 128, 64

T = TypeVar("T")


class Ops(Protocol[T]):
    """What the network is made of; maps of an implementation's own kind."""

    def conv(  # noqa: D102 - the class says it
        self, name: str, x: T, size: tuple[int, int, int], stride: int = 1, *, last: bool = False
    ) -> T: ...

    def add(self, x: T, y: T) -> T:
        """The sum of two maps, cut off below 0."""
        ...

    def relu(self, x: T) -> T:
        """Cut off below 0."""
        ...

    def double(self, x: T) -> T:
        """Twice as wide and high, by repetition."""
        ...


def run(ops: Ops[T], picture: T) -> T:
    """Scores' logits and distances' logarithms of all cells, (5 + 4) x 4 channels at 1/8."""

    def conv(name: str, x: T, into: int, out: int, stride: int = 1) -> T:
        return ops.relu(ops.conv(name, x, (3, into, out), stride))

    def refine(name: str, x: T, size: int) -> T:
        return ops.add(ops.conv(name, x, (3, size, size)), x)

    x = conv("stem", picture, 3, _STEM, 2)
    x = conv("down4", x, _STEM, _FOURTH, 2)
    x = conv("down8", x, _FOURTH, _EIGHTH, 2)
    eighth = refine("refine8", x, _EIGHTH)
    x = conv("down16", eighth, _EIGHTH, _SIXTEENTH, 2)
    x = refine("refine16", x, _SIXTEENTH)
    sixteenth = refine("again16", x, _SIXTEENTH)
    x = conv("down32", sixteenth, _SIXTEENTH, _THIRTY_SECOND, 2)
    x = refine("refine32", x, _THIRTY_SECOND)
    x = ops.add(
        ops.double(ops.conv("up16", x, (1, _THIRTY_SECOND, _NECK))),
        ops.conv("side16", sixteenth, (1, _SIXTEENTH, _NECK)),
    )
    x = conv("neck16", x, _NECK, _NECK)
    x = ops.add(
        ops.double(ops.conv("up8", x, (1, _NECK, _NECK))),
        ops.conv("side8", eighth, (1, _EIGHTH, _NECK)),
    )
    x = conv("head", x, _NECK, _NECK)
    return ops.conv("cells", x, (1, _NECK, _FINE**2 * (len(CLASSES) + SIDES)), last=True)


_FINE: Final = 2


class Weights:
    """Draws the first weights; its maps are nothing.

    He initialisation (He et al. 2015, https://arxiv.org/abs/1502.01852).

    Attributes:
        drawn: ``NAME/kernel`` [height, width, in, out], and ``NAME/scale``, ``NAME/bias`` [out] of
            the normalisation; the last convolution has no scale.
        moments: ``NAME/mean`` and ``NAME/variance`` [out] of what the convolutions gave.
    """

    def __init__(self, seed: int) -> None:
        self.drawn: dict[str, Floats] = {}
        self.moments: dict[str, Floats] = {}
        self._random = np.random.default_rng(seed)
        run(self, None)

    def conv(
        self,
        name: str,
        x: None,
        size: tuple[int, int, int],
        stride: int = 1,
        *,
        last: bool = False,
    ) -> None:
        """Weights of one convolution."""
        del x, stride
        kernel, into, out = size
        spread = math.sqrt(2 / (kernel * kernel * into)) * (0.1 if last else 1.0)
        shape = (kernel, kernel, into, out)
        self.drawn[f"{name}/kernel"] = self._random.normal(0, spread, shape).astype(np.float32)
        if last:
            cell = np.array([RARE] * len(CLASSES) + [0.0] * SIDES, np.float32)
            self.drawn[f"{name}/bias"] = np.tile(cell, _FINE**2)
            return
        self.drawn[f"{name}/scale"] = np.ones(out, np.float32)
        self.drawn[f"{name}/bias"] = np.zeros(out, np.float32)
        self.moments[f"{name}/mean"] = np.zeros(out, np.float32)
        self.moments[f"{name}/variance"] = np.ones(out, np.float32)

    def add(self, x: None, y: None) -> None:
        """Nothing to draw."""

    def relu(self, x: None) -> None:
        """Nothing to draw."""

    def double(self, x: None) -> None:
        """Nothing to draw."""
