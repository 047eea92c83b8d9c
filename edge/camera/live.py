"""A live camera (RTSP or V4L2): the newest frame wins, and it is waited for when it is gone."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from citynerve import log
from citynerve.clock import Clock, now_ms
from edge.camera.capture import Frame, for_people

_OPEN_TIMEOUT_MS: Final = 10_000
_READ_TIMEOUT_MS: Final = 10_000
_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 60.0
_JOIN_SECONDS: Final = 2.0

_log = log.get("edge.camera.live")

Opener = Callable[[], cv2.VideoCapture]


class LiveCamera:
    """Reads a camera in a thread of its own, so that its buffers never hold old pictures.

    Args:
        source: An RTSP URL, or the number or ``v4l2:`` path of a local camera.
        fps: Frames a second to give, at most; None: as many as are asked for.
        clock: Times the frames.

    Attributes:
        dropped: Frames that were replaced by a newer one before they were asked for.
        reconnects: How often the camera was opened anew.
    """

    ended = False
    simulated = False

    def __init__(self, source: str | int, *, fps: float | None, clock: Clock = now_ms) -> None:
        self.dropped = 0
        self.reconnects = 0
        self._source = source
        self._least_gap = 1000 / fps if fps else 0.0
        self._clock = clock
        self._stop = threading.Event()
        self._arrived = threading.Condition()
        self._newest: Frame | None = None
        self._last = 0
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def open(self, origin: int) -> None:
        """Begin to read; a camera that is not there yet is waited for."""
        del origin
        self._thread.start()

    def read(self, seconds: float) -> Frame | None:
        """The newest frame not given yet."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._newest is not None, seconds)
            frame, self._newest = self._newest, None
            return frame

    def problems(self) -> Sequence[str]:
        """Whether the camera is away just now, and why."""
        problem = self._problem
        return [problem] if problem else []

    def close(self) -> None:
        """Stop reading. A camera that hangs is left to its time limit."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while not self._stop.is_set():
            capture = _open(self._source)
            came = self._drain(capture)
            capture.release()
            wait = _FIRST_WAIT if came else min(2 * wait, _LONGEST_WAIT)
            pause = wait * random.uniform(0.5, 1)  # noqa: S311 spreads load, guards nothing
            what = "stopped giving pictures" if came else "gives no picture"
            self._problem = f"camera {for_people(self._source)} {what}; trying again"
            if not self._stop.wait(pause):
                self.reconnects += 1
                _log.warning("camera away", source=for_people(self._source), problem=what)

    def _drain(self, capture: cv2.VideoCapture) -> int:
        """Take frames until there are none; how many came."""
        came = 0
        while capture.isOpened() and not self._stop.is_set():
            good, picture = capture.read()
            if not good:
                break
            came += 1
            self._problem = None
            self._offer(Frame(self._clock(), np.asarray(picture, np.uint8)))
        return came

    def _offer(self, frame: Frame) -> None:
        if self._last and frame.t < self._last + max(1.0, self._least_gap):
            # A clock that was set back must not silence the camera for as long.
            if frame.t >= self._last - max(1000.0, self._least_gap):
                return
            _log.warning("clock went back", by_ms=self._last - frame.t)
        with self._arrived:
            self.dropped += self._newest is not None
            self._newest = frame
            self._last = frame.t
            self._arrived.notify()


def _open(source: str | int) -> cv2.VideoCapture:
    if isinstance(source, int):
        return cv2.VideoCapture(source, cv2.CAP_V4L2)
    if source.startswith("v4l2:"):
        device = source.removeprefix("v4l2:")
        return cv2.VideoCapture(int(device) if device.isdigit() else device, cv2.CAP_V4L2)
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS),
        *(cv2.CAP_PROP_N_THREADS, 1),
    ]
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
