"""Listens to everything below the MQTT root and writes it down."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Final

from citynerve.mqtt import Link, MqttConfig
from citynerve.network import Polled
from citynerve.version import VERSION
from simulators.recording.shape import LIVE, NS, RETAINED, Begun, Gap
from simulators.recording.writer import Heard, Recording, Tally

FLUSH_S: Final = 1.0
"""Seconds after which what was heard can be read by others, and survives a kill."""

_CONNECT_S: Final = 10.0
_POLL_S: Final = 0.2
_TOLD_S: Final = 1.0
_QOS: Final = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to record, and into what.

    Attributes:
        mqtt: The broker, and the root below which to listen.
        out: See :class:`simulators.recording.writer.Recording`.
        topics: Filters below the root.
        rotate_bytes: Size of a part.
        rotate_ms: Duration of a part.
        duration_ms: End after so long; None: when told to.
    """

    mqtt: MqttConfig
    out: Path
    topics: Sequence[str] = ("#",)
    rotate_bytes: int | None = None
    rotate_ms: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was recorded."""

    parts: Sequence[Path]
    tally: Tally
    seconds: float


class Recorder:
    """One recording. :meth:`run` it; :meth:`stop` ends it in order from a signal handler.

    Raises:
        ConfigError: The broker's address cannot be used.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._loop = Polled()
        root = wanted.mqtt.root
        self._link = Link(
            wanted.mqtt,
            client_id=f"citynerve-recorder-{random.SystemRandom().getrandbits(32):08x}",
            subscriptions=[(f"{root}/{topic}", _QOS) for topic in wanted.topics],
            network=self._loop.port("recorder"),
        )
        self._stopping = False
        self._last = 0
        self._lost = 0
        """When something was last heard: a broken connection is noticed late."""
        self._up = True
        self._connects = 1

    def stop(self) -> None:
        """End soon."""
        self._stopping = True

    def run(self, tell: Callable[[Tally, float], None] = lambda _tally, _seconds: None) -> Outcome:
        """Record until told to stop, or until the time is over.

        Args:
            tell: Called about once a second with what was written so far, and for how long (s).

        Raises:
            UnavailableError: There is no broker at the start, or the disk cannot be written.
            ConfigError: The broker refuses us, or the file exists already.
        """
        self._link.start()
        try:
            self._link.wait_connected(_CONNECT_S)
            began = self._lost = self._now()
            recording = self._begin(began)
            try:
                self._listen(recording, began, tell)
            except BaseException:
                recording.abandon()
                raise
        finally:
            self._link.stop()
            self._loop.close()
        return Outcome(recording.parts, recording.tally, (self._last - began) / 1e9)

    def _begin(self, began: int) -> Recording:
        wanted = self._wanted
        begun = Begun(
            root=wanted.mqtt.root,
            version=VERSION,
            start=began // NS,
            part=1,
            topics=" ".join(wanted.topics),
            broker=wanted.mqtt.safe_url(),
        )
        return Recording(
            wanted.out, begun, rotate_bytes=wanted.rotate_bytes, rotate_ms=wanted.rotate_ms
        )

    def _listen(
        self, recording: Recording, began: int, tell: Callable[[Tally, float], None]
    ) -> None:
        duration = self._wanted.duration_ms
        end = None if duration is None else began + duration * NS
        flushed = told = time.monotonic()
        while not self._stopping and (end is None or self._last < end):
            self._loop.poll(_POLL_S)
            if not self._up:
                # First of all, for what is heard now comes after the gap.
                self._watch(recording)
            self._write(recording)
            self._watch(recording)
            now = time.monotonic()
            if now - flushed >= FLUSH_S:
                flushed = now
                recording.flush(self._now())
            if now - told >= _TOLD_S:
                told = now
                tell(recording.tally, (self._last - began) / 1e9)
        self._write(recording)
        if not self._up:
            recording.gap(Gap(self._lost // NS, self._now() // NS, self._link.last_problem))
        recording.close("told to end" if self._stopping else "the time was over", self._now())

    def _write(self, recording: Recording) -> None:
        at = self._now()
        take = self._link.messages.get_nowait
        try:
            while True:
                message = take()
                self._lost = at
                mark = RETAINED if message.retained else LIVE
                recording.write(Heard(message.topic, message.payload, at, mark))
        except Empty:
            return

    def _watch(self, recording: Recording) -> None:
        """Notice when the connection is lost, and write the gap down once it is back."""
        connects = self._link.counters.connects
        if self._link.connected and connects == self._connects:
            return
        self._up = False
        if self._link.connected:
            self._connects = connects
            self._up = True
            recording.gap(Gap(self._lost // NS, self._now() // NS, self._link.last_problem))

    def _now(self) -> int:
        """The clock (ns since 1970 UTC), but never back: messages stay in order."""
        self._last = max(self._last, time.time_ns())
        return self._last
