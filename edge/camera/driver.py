"""A camera as a driver: a worker thread captures and infers, the agent fetches what came out."""

import math
import os
import queue
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import onnxruntime
from msgspec import json, structs

from citynerve.clock import Clock, now_ms
from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from citynerve.messages import CameraAbout, PropertyAbout, SensorAbout
from edge.camera import config as configs
from edge.camera.capture import Source, file_path, is_file, is_plugin
from edge.camera.config import CameraConfig
from edge.camera.detect import Detector
from edge.camera.live import LiveCamera
from edge.camera.pipeline import Pipeline, properties
from edge.camera.plugin import load_source
from edge.camera.preview import Preview, Shot
from edge.camera.recording import Recording
from edge.inference import Session
from edge.sensor.driver import Driver, Item
from models.load import Model, load

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_QUEUED: Final = 64
"""Results that may wait for the agent. When they are as many, a recording is held back, and a live
camera's frames are dropped, where they are counted."""
_WAIT_SECONDS: Final = 0.25
_JOIN_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 10_000.0
_END_BYTES: Final = 1 << 20


class _Results(NamedTuple):
    """What came out at media time ``t``; ``end`` after the last of all."""

    t: int
    items: Sequence[Item]
    end: bool = False
    shot: Shot | None = None


def make(config: CameraConfig, base: Path, node: str) -> Driver:
    """The driver of one ``[[camera]]`` table.

    Args:
        config: The table.
        base: The folder that relative paths in it start from.
        node: The id of the node whose camera it is.

    Raises:
        ConfigError: The video or model does not exist, or does not fit the table.
        UnavailableError: The model's weights are not there.
    """
    if is_file(config):
        path = file_path(str(config.source), base)
        if not path.is_file():
            raise ConfigError(
                "no such video",
                key=f"camera.{config.name}.source",
                value=str(path),
                fix="name a video file, an rtsp:// address, or v4l2:/dev/video0",
            )
    try:
        model = load(config.model, base)
    except ConfigError as error:
        if error.file is not None:
            raise
        key = f"camera.{config.name}.model"
        raise ConfigError(error.problem, key=key, value=error.value, fix=error.fix) from error
    configs.check(config, model.manifest.city_classes())
    return Camera(config, model, base, node=node)


class Camera:
    """One camera; resumable if it is a recording, which gives the same items at every run.

    A plugin may say that its source is as good as a recording.

    That holds as long as model, configuration, processor and the versions of OpenCV and ONNX
    Runtime stay: another processor may round a score to the other side of a threshold.

    Args:
        config: The configuration, checked.
        model: The detector.
        base: The folder that relative paths start from.
        node: The id of the node whose camera it is.
        clock: Times a live camera's frames.
    """

    def __init__(
        self, config: CameraConfig, model: Model, base: Path, *, node: str, clock: Clock = now_ms
    ) -> None:
        self.name = config.name
        self._source, self.resumable = _source(config, base, clock)
        self.finished = False
        self._config = config
        self._base = base
        self._node = node
        self._model = model
        self._classes = config.classes or tuple(model.manifest.city_classes())
        self._clock = clock
        self._origin = 0
        self._start = 0
        self._speed = math.inf if config.speed == "max" or not self.resumable else config.speed
        self._stop = threading.Event()
        self._queue: queue.Queue[_Results | CityNerveError] = queue.Queue(_QUEUED)
        self._next: _Results | None = None
        self._ready: deque[Item] = deque()
        self._worker: threading.Thread | None = None
        self._preview: Preview | None = None
        self._unseen: str | None = None

    def sensors(self) -> Sequence[SensorAbout]:
        """The camera as a sensor of counts."""
        abouts = (
            PropertyAbout(name=name, unit="1", range=(0.0, _MOST_AT_ONCE))
            for name in properties(self._config, self._classes)
        )
        return [SensorAbout(name=self.name, properties=tuple(abouts))]

    def cameras(self) -> Sequence[CameraAbout]:
        """The camera with its lines and zones, and which file its model is."""
        return [
            CameraAbout(
                name=self.name,
                lines=tuple(line.name for line in self._config.lines),
                zones=tuple(zone.name for zone in self._config.zones),
                model=f"{self._model.name}@{self._model.sha256[:8]}",
            )
        ]

    def identity(self) -> str:
        """Of a recording: the input, model, settings and libraries that its items follow from."""
        if not self.resumable:
            return ""
        settings = structs.replace(
            self._config, source="", options={}, model="", speed=1.0, preview=None
        )
        parts = [
            json.encode(settings, order="deterministic"),
            self._model.sha256.encode(),
            self._input(),
            f"{cv2.__version__} {onnxruntime.__version__}".encode(),
        ]
        return blake2b(b"|".join(parts), digest_size=16).hexdigest()

    def _input(self) -> bytes:
        """What tells this input from another."""
        if is_plugin(self._config):
            return load_source(self._config, self._base, self._clock).identity().encode()
        return _fingerprint(file_path(str(self._config.source), self._base))

    def open(self, origin: int) -> None:
        """Start the model, open the source, and begin to work.

        Raises:
            ConfigError: ONNX Runtime cannot run the model.
            UnavailableError: The video cannot be decoded, or a worker from before hangs.
        """
        if self._worker is not None and self._worker.is_alive():
            raise UnavailableError(
                "camera", where=self.name, problem="its source has not let go of it yet"
            )
        session = Session(self._model, threads=self._config.threads)
        manifest = self._model.manifest
        detector = Detector(session, manifest, self._classes)
        score = self._config.score or manifest.thresholds.score
        pipeline = Pipeline(self._config, detector, self._classes, score)
        self._origin = origin
        start = _start(self._config)
        self._start = origin if start is None else start
        # Afresh, since it may have been open before.
        self._source, _ = _source(self._config, self._base, self._clock)
        self._stop = threading.Event()
        self._queue = queue.Queue(_QUEUED)
        self._next = None
        self._preview = self._make_preview()
        self._source.open(self._start)
        self._worker = threading.Thread(
            target=self._work, args=(pipeline,), name=f"camera-{self.name}", daemon=True
        )
        self._worker.start()

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        """What has come out and is due; never waits.

        Raises:
            CityNerveError: The worker met it.
            RuntimeError: The worker died; its traceback is on standard error.
        """
        due = self._start + (now - self._origin) * self._speed if self._speed < math.inf else None
        while len(self._ready) < limit and not self.finished:
            results = self._next or self._fetch()
            if results is None:
                break
            if due is not None and results.t > due:
                self._next = results
                break
            self._next = None
            self._show(results.shot)
            self._ready.extend(results.items)
            self.finished = results.end
        items = list(self._ready)
        self._ready.clear()
        return items

    def problems(self) -> Sequence[str]:
        """What is wrong with the source or the preview just now."""
        return [*self._source.problems(), *([self._unseen] if self._unseen else [])]

    def close(self) -> None:
        """Stop the worker and release the source."""
        self._stop.set()
        if self._worker is not None:
            self._worker.join(_JOIN_SECONDS)
        self._source.close()

    def _make_preview(self) -> Preview | None:
        if self._config.preview is None:
            return None
        folder = self._base / Path(self._config.preview).expanduser()
        simulated = self._source.simulated
        return Preview(
            *(folder, self._node, self._config, self._classes),
            simulated=simulated,
            speed=self._speed,
        )

    def _show(self, shot: Shot | None) -> None:
        """Write a shot; that this fails must not end the counting."""
        if shot is None or self._preview is None:
            return
        try:
            self._preview.write(shot)
            self._unseen = None
        except UnavailableError as error:
            self._unseen = str(error)

    def _fetch(self) -> _Results | None:
        # Asked before the queue is: a worker may put its last result and end in between.
        alive = self._worker is not None and self._worker.is_alive()
        try:
            results = self._queue.get_nowait()
        except queue.Empty:
            if alive or self._stop.is_set():
                return None
            raise RuntimeError(f"the worker of camera {self.name} died") from None
        if isinstance(results, CityNerveError):
            raise results
        return results

    def _work(self, pipeline: Pipeline) -> None:
        try:
            self._follow(pipeline)
        except CityNerveError as error:
            self._put(error)

    def _follow(self, pipeline: Pipeline) -> None:
        last = self._start
        while not self._stop.is_set():
            frame = self._source.read(_WAIT_SECONDS)
            if frame is not None:
                last = frame.t
                seen = pipeline.look(frame)
                shot = self._preview.take(frame, seen) if self._preview else None
                self._put(_Results(last, seen.items, shot=shot))
            elif self._source.ended:
                self._put(_Results(last, pipeline.finish(), end=True))
                return
            else:
                self._put(_Results(last, pipeline.idle(self._clock())))

    def _put(self, results: _Results | CityNerveError) -> None:
        if isinstance(results, _Results) and not (results.items or results.end or results.shot):
            return
        while not self._stop.is_set():
            try:
                self._queue.put(results, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return


def _fingerprint(path: Path) -> bytes:
    """A video's size, and a digest of its first and last megabyte: reading all of it takes long."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            ends = file.read(_END_BYTES)
            file.seek(max(0, size - _END_BYTES))
            ends += file.read(_END_BYTES)
    except OSError as error:
        raise UnavailableError(
            "video", where=str(path), problem=str(error), fix="name a video file that plays"
        ) from error
    return f"{size} {blake2b(ends).hexdigest()}".encode()


def _source(config: CameraConfig, base: Path, clock: Clock) -> tuple[Source, bool]:
    """The source of a camera, and whether it gives the same frames at every run."""
    if is_plugin(config):
        made = load_source(config, base, clock)
        return made, not made.live
    if is_file(config):
        path = file_path(str(config.source), base)
        return Recording(path, start=_start(config), fps=config.fps, loop=config.loop), True
    return LiveCamera(config.source, fps=config.fps, clock=clock), False


def _start(config: CameraConfig) -> int | None:
    return None if config.start is None else (config.start - _EPOCH) // _MILLISECOND
