"""Where tracked boxes will be: a Kalman filter with constant velocity for all tracks at once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MEASURED: Final = 1 / 20
"""Standard deviation of a measured side or centre, as a share of the box's size."""
_AGILITY: Final = 0.5
"""Change of velocity in one second, in sizes of the box a second: a walker who turns."""
_UNKNOWN_SPEED: Final = 1.0
"""Standard deviation of a new track's velocity, in sizes of the box a second."""
_LEAST_SIZE: Final = 1e-4


class Motion:
    """Centre, size and their velocities of each track, one row a track.

    The state of ByteTrack's filter (Zhang et al. 2022, https://arxiv.org/abs/2110.06864) with two
    changes: time is in seconds, so that a camera may drop frames, and width stands for the aspect,
    so that coordinates may be shares of the picture. All noise is independent and in proportion to
    the box, so each coordinate is a filter of two states of its own, and exact.
    """

    def __init__(self) -> None:
        self._at = np.empty((0, 4))
        self._speed = np.empty((0, 4))
        # The covariance of position and speed, of each coordinate.
        self._pp, self._ps, self._ss = (np.empty((0, 4)) for _ in range(3))

    def __len__(self) -> int:
        return len(self._at)

    def boxes(self) -> Array:
        """Left, top, right, bottom of each track."""
        centre, half = self._at[:, :2], np.maximum(self._at[:, 2:], _LEAST_SIZE) / 2
        return np.concatenate([centre - half, centre + half], axis=1)

    def predict(self, seconds: float, still: Mask) -> None:
        """Move on by ``seconds``; boxes of tracks that are ``still`` unseen keep their size."""
        self._speed[still, 2:] = 0
        self._at += self._speed * seconds
        agility = (_AGILITY * self._sizes()) ** 2
        self._pp += seconds * (2 * self._ps + seconds * self._ss) + agility * seconds**3 / 3
        self._ps += seconds * self._ss + agility * seconds**2 / 2
        self._ss += agility * seconds

    def update(self, rows: list[int], boxes: Array) -> None:
        """Take in what was measured for ``rows``."""
        noise = (_MEASURED * self._sizes()[rows]) ** 2
        total = self._pp[rows] + noise
        gain_at, gain_speed = self._pp[rows] / total, self._ps[rows] / total
        wrong = _centres(boxes) - self._at[rows]
        self._at[rows] += gain_at * wrong
        self._speed[rows] += gain_speed * wrong
        self._ss[rows] -= gain_speed * self._ps[rows]
        self._ps[rows] *= 1 - gain_at
        self._pp[rows] *= 1 - gain_at

    def add(self, boxes: Array) -> None:
        """A new row for each box, at rest."""
        at = _centres(boxes)
        sizes = np.tile(at[:, 2:], 2)
        parts = (
            at,
            np.zeros_like(at),
            (_MEASURED * sizes) ** 2,
            np.zeros_like(at),
            (_UNKNOWN_SPEED * sizes) ** 2,
        )
        self._set(*map(np.concatenate, zip(self._parts(), parts, strict=True)))

    def keep(self, rows: list[int]) -> None:
        """Forget all other rows."""
        self._set(*(part[rows] for part in self._parts()))

    def _sizes(self) -> Array:
        return np.maximum(np.tile(self._at[:, 2:], 2), _LEAST_SIZE)

    def _parts(self) -> tuple[Array, Array, Array, Array, Array]:
        return self._at, self._speed, self._pp, self._ps, self._ss

    def _set(self, at: Array, speed: Array, pp: Array, ps: Array, ss: Array) -> None:
        self._at, self._speed, self._pp, self._ps, self._ss = at, speed, pp, ps, ss


def _centres(boxes: Array) -> Array:
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2, high - low], axis=1)
