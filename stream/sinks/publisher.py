"""The side of the MQTT link that sinks see."""

from typing import Protocol

from paho.mqtt.client import MQTTMessageInfo

from citynerve.mqtt import LinkCounters


class Publisher(Protocol):
    """What :class:`citynerve.mqtt.Link` does for the sinks."""

    @property
    def counters(self) -> LinkCounters:
        """``connects`` grows with each connection: the broker may be another by then."""
        ...

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
    ) -> MQTTMessageInfo | None:
        """Hand over a message; None while there is no connection."""
        ...
