"""Anomalies to MQTT: at least once, known by their id, with the broker before the commit."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bytewax.outputs import StatefulSinkPartition

from citynerve import log
from citynerve.codec import encode
from citynerve.messages import AnomalyEvent
from citynerve.topics import Topics
from stream.meters import Meters
from stream.sinks.database import Stopped
from stream.sinks.publisher import Publisher
from stream.sinks.single import SingleSink

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessageInfo

PART: Final = "events"
_WAIT: Final = 0.2
_log = log.get("events")


class _Unconfirmed:
    """One message until its PUBACK, over as many connections as it takes."""

    def __init__(self, topic: str, payload: bytes) -> None:
        self._topic = topic
        self._payload = payload
        self._info: MQTTMessageInfo | None = None
        self._connects = -1

    def send(self, publisher: Publisher) -> None:
        """Publish it, unless it was on the present connection."""
        connects = publisher.counters.connects
        if self._info is None or connects != self._connects:
            self._connects = connects
            self._info = publisher.publish(self._topic, self._payload)

    def confirmed(self, wait: float) -> bool:
        """Whether the broker has it; waits up to ``wait`` seconds."""
        if self._info is None:
            return False
        try:
            self._info.wait_for_publish(wait)
            return self._info.is_published()
        except (RuntimeError, ValueError):
            # The connection went; the next one gets it anew.
            return False


class EventPartition(StatefulSinkPartition[list[AnomalyEvent], None]):
    """Publishes at QoS 1, and lets no epoch end before the broker has confirmed its events."""

    def __init__(
        self, publisher: Publisher, topics: Topics, *, meters: Meters, stopping: threading.Event
    ) -> None:
        self._publisher = publisher
        self._topics = topics
        self._meters = meters
        self._stopping = stopping
        self._unconfirmed: list[_Unconfirmed] = []

    def write_batch(self, values: list[list[AnomalyEvent]]) -> None:
        """Publish; nothing is waited for yet."""
        for events in values:
            for event in events:
                topic = self._topics.anomaly(event.district, event.property)
                message = _Unconfirmed(topic, encode(event))
                message.send(self._publisher)
                self._unconfirmed.append(message)
            self._meters.add("events", "anomalies", len(events))

    def snapshot(self) -> None:
        """Wait for every PUBACK, over a broker's restart if need be.

        Raises:
            Stopped: The process ends before.
        """
        said = False
        for message in self._unconfirmed:
            while not message.confirmed(_WAIT):
                if self._stopping.wait(_WAIT):
                    raise Stopped
                if not said:
                    said = True
                    _log.warning("waiting for the broker to confirm events")
                message.send(self._publisher)
        self._unconfirmed.clear()


class EventSink(SingleSink[list[AnomalyEvent], None]):
    """One partition; ``build`` makes it. It keeps no state."""

    def __init__(self, build: Callable[[], EventPartition]) -> None:
        super().__init__(PART, lambda _: build())
