"""What could not be taken in, for people: on MQTT and in InfluxDB, gathered so that no flood grows.

This is about the machinery, so it is outside the commit: a repeated epoch may tell it again.
"""

import threading
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from bytewax.outputs import StatefulSinkPartition
from msgspec import structs

from citynerve.codec import encode
from citynerve.messages import Rejected
from citynerve.topics import Topics
from stream.meters import Meters
from stream.sinks.publisher import Publisher
from stream.sinks.single import SingleSink

PART: Final = "rejected"

_SAMPLE: Final = 400
_MOST: Final = 1000
"""Different ones (reason, node) told at once; beyond, only their reasons are counted."""


class Rejections:
    """Gathers by reason and node until they are told; any thread."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._lock = threading.Lock()
        self._gathered: dict[tuple[str, str | None], Rejected] = {}

    def add(self, rejected: Rejected) -> None:
        """Count one; the first of its kind is the sample of all."""
        self._meters.add("rejected", rejected.reason, rejected.count)
        with self._lock:
            key = (rejected.reason, rejected.node)
            if key not in self._gathered and len(self._gathered) >= _MOST:
                key = (rejected.reason, None)
            told = self._gathered.get(key)
            count = rejected.count + (told.count if told else 0)
            self._gathered[key] = structs.replace(told or rejected, count=count, node=key[1])

    def take(self) -> list[Rejected]:
        """All since the last call."""
        with self._lock:
            gathered, self._gathered = list(self._gathered.values()), {}
        return gathered


def publish(publisher: Publisher, topics: Topics, rejected: Rejected) -> None:
    """Tell it on MQTT, at QoS 0: a notice, not a record."""
    publisher.publish(topics.rejected(), encode(rejected), qos=0)


def line(rejected: Rejected) -> str:
    """As line protocol in ns; the nanoseconds within the millisecond keep nodes apart."""
    who = rejected.node or rejected.topic
    text = f"{who}: {rejected.detail}: {rejected.sample}"[:_SAMPLE]
    apart = int.from_bytes(blake2b(who.encode(), digest_size=8).digest()) % 1_000_000
    return (
        f"rejected,reason={_tag(rejected.reason)} "
        f"count={rejected.count},sample={_quoted(text)} {rejected.sent * 1_000_000 + apart}"
    )


def _tag(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in text) or "_"


def _quoted(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class RejectedPartition(StatefulSinkPartition[list[Rejected], None]):
    """Hands what the lanes reject to the process's gathering."""

    def __init__(self, rejections: Rejections) -> None:
        self._rejections = rejections

    def write_batch(self, values: list[list[Rejected]]) -> None:
        """Gather."""
        for several in values:
            for rejected in several:
                self._rejections.add(rejected)

    def snapshot(self) -> None:
        """Nothing to keep."""


class RejectedSink(SingleSink[list[Rejected], None]):
    """One partition; ``build`` makes it. It keeps no state."""

    def __init__(self, build: Callable[[], RejectedPartition]) -> None:
        super().__init__(PART, lambda _: build())
