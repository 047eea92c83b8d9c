"""Pictures to files: on the disk before the batch that brought them is committed."""

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bytewax.outputs import StatefulSinkPartition

from citynerve import log
from stream.lane.output import Picture
from stream.meters import Meters
from stream.sinks.database import Stopped
from stream.sinks.single import SingleSink

PART: Final = "evidence"
_PAUSE: Final = 5.0
_log = log.get("evidence")


class EvidencePartition(StatefulSinkPartition[list[Picture], None]):
    """``<folder>/<node>.<id>.jpg``; the same picture written again is the same file.

    Ids are a node's own: two nodes may well use the same. No name of a node has a dot in it.

    A full disk holds the flow back until there is room: nothing is given up.
    """

    def __init__(self, folder: Path, *, meters: Meters, stopping: threading.Event) -> None:
        self._folder = folder
        self._meters = meters
        self._stopping = stopping
        self._unsynced = False

    def write_batch(self, values: list[list[Picture]]) -> None:
        """Write and sync each file.

        Raises:
            Stopped: The process ends while the disk is full.
        """
        for pictures in values:
            for picture in pictures:
                self._insist(picture)

    def snapshot(self) -> None:
        """Make the names durable: the epoch is not complete before this returns."""
        if self._unsynced:
            self._unsynced = False
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _insist(self, picture: Picture) -> None:
        while True:
            try:
                self._write(picture)
            except OSError as error:
                self._meters.add("evidence", "retries")
                _log.error("cannot write a picture", folder=str(self._folder), problem=str(error))
            else:
                self._meters.add("evidence", "written")
                return
            if self._stopping.wait(_PAUSE * random.SystemRandom().uniform(0.5, 1.5)):
                raise Stopped

    def _write(self, picture: Picture) -> None:
        node, one = picture
        partial = self._folder / f"{node}.{one.id}.partial"
        with partial.open("wb") as file:
            file.write(one.jpeg)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / f"{node}.{one.id}.jpg")
        self._unsynced = True


class EvidenceSink(SingleSink[list[Picture], None]):
    """One partition; ``build`` makes it. It keeps no state."""

    def __init__(self, build: Callable[[], EvidencePartition]) -> None:
        super().__init__(PART, lambda _: build())
