"""A video file as a camera: every frame, in media time, the same at every run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from citynerve.errors import UnavailableError
from edge.camera.capture import Frame
from edge.camera.detect import Picture

_DEFAULT_INTERVAL: Final = 40.0
"""Ms between two frames where the file does not tell."""
_TRUNCATED: Final = 0.98
"""Containers estimate their number of frames; a file that ends before this share of it is cut."""


class Recording:
    """Reads a file from its first frame.

    A frame's time is ``start`` plus what the file says; where that does not increase, a frame's
    interval after the one before.

    Args:
        path: The file.
        start: Time of the first frame, ms since 1970 UTC; None: the origin.
        fps: Frames a second of media time to give, at most; None: every one.
        loop: Begin again at the end; time goes on.
    """

    def __init__(self, path: Path, *, start: int | None, fps: float | None, loop: bool) -> None:
        self.ended = False
        self.simulated = False
        self._path = path
        self._start = start
        self._least_gap = 1000 / fps if fps else 0.0
        self._loop = loop
        self._capture: cv2.VideoCapture | None = None
        self._begin = 0
        self._shift = 0.0
        self._interval = _DEFAULT_INTERVAL
        self._expected = 0
        self._frames = 0
        self._at: float | None = None
        self._due = 0.0
        self._problems: list[str] = []

    def open(self, origin: int) -> None:
        """Open the file.

        Raises:
            UnavailableError: It is not there, or holds no picture that can be decoded.
        """
        self._begin = origin if self._start is None else self._start
        self._capture = self._decoder()
        if not self._capture.grab():
            raise self._unreadable("holds no picture that can be decoded")
        self._capture.release()
        self._capture = self._decoder()

    def read(self, seconds: float) -> Frame | None:
        """The next frame that is due in media time; None at the end."""
        del seconds
        if self._capture is None:
            return None
        while not self.ended:
            at = self._grab(self._capture)
            if at is None:
                self._end()
            elif at >= self._due:
                picture = self._picture(self._capture)
                # From when it was due, not from when it came, or rates would not be met.
                self._due = max(self._due + self._least_gap, at - self._least_gap)
                if picture is not None:
                    return Frame(self._begin + round(at), picture)
        return None

    def problems(self) -> Sequence[str]:
        """Whether the file broke off."""
        return self._problems

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _decoder(self) -> cv2.VideoCapture:
        if not self._path.is_file():
            raise self._unreadable("no such file")
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if not capture.isOpened():
            raise self._unreadable("is no video that OpenCV can decode")
        rate = capture.get(cv2.CAP_PROP_FPS)
        if rate > 0:
            self._interval = 1000 / rate
        self._expected = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._frames = 0
        return capture

    def _grab(self, capture: cv2.VideoCapture) -> float | None:
        """Media time of the next frame, ms since the beginning; None at the end of the file."""
        if not capture.grab():
            return None
        self._frames += 1
        at = self._shift + float(capture.get(cv2.CAP_PROP_POS_MSEC))
        # Times are whole milliseconds in the end, and must differ as such.
        if self._at is not None and round(at) <= round(self._at):
            at = self._at + max(1.0, self._interval)
        self._at = at
        return at

    def _picture(self, capture: cv2.VideoCapture) -> Picture | None:
        good, picture = capture.retrieve()
        if not good:
            self._problems = [f"{self._path}: frame {self._frames} cannot be decoded"]
            return None
        return np.asarray(picture, np.uint8)

    def _end(self) -> None:
        if self._frames < self._expected * _TRUNCATED:
            self._problems = [f"{self._path}: ended at frame {self._frames} of {self._expected}"]
        self.close()
        if not self._loop or not self._frames:
            self.ended = True
            return
        self._shift = (self._at or 0.0) + self._interval
        self._capture = self._decoder()

    def _unreadable(self, problem: str) -> UnavailableError:
        return UnavailableError(
            "video", where=str(self._path), problem=problem, fix="name a video file that plays"
        )
