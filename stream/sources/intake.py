"""The stream's one MQTT subscription: paho without its thread, polled by the flow.

Polling spares the hand-over between threads, takes many packets with one read, and makes TCP the
bound on memory: a flow that is held back does not poll, so nothing is read from the socket.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from citynerve import log
from citynerve.mqtt import MqttConfig, prepare
from citynerve.polled import PolledClient
from citynerve.topics import SHARDS, Topics, is_node, shard
from stream.meters import Meters

Arrival = tuple[str, bytes]
"""Topic and payload of one message."""

BUSY_PAUSE: Final = 0.005
"""Seconds between polls while messages come."""

IDLE_PAUSE: Final = 0.02
"""Seconds between polls while none come. Every epoch's end waits for the slowest partition."""

# More at once costs memory, since a reading of 20 bytes becomes lines, windows and findings of
# thirty times as much before the first of them has left; less costs time.
_POLL_MESSAGES: Final = 1024
_POLL_BYTES: Final = 1 << 18
_QUEUED_BYTES: Final = 1 << 19
_CONNECT_TIMEOUT: Final = 2.0
_RETRY: Final = (0.25, 8.0)
_RECEIVE_MAXIMUM: Final = 65535
# The broker keeps what is larger to itself. Room above the contract's limit is left so that a
# payload that breaks it is seen, counted and reported.
_MAXIMUM_PACKET: Final = 32 << 20
_KNOWN_TOPICS: Final = 1 << 17
# Of root, shard and a node's name there is no more; what is longer is rejected, not remembered.
_LONGEST_TOPIC: Final = 256
_MESSAGE_COST: Final = 256
"""Bytes that a queued message takes besides its payload, about."""

_log = log.get("intake")


@dataclass(slots=True)
class IntakeCounters:
    """Since the process started."""

    connects: int = 0
    failures: int = 0
    received: int = 0
    received_bytes: int = 0
    foreign: int = 0


class Intake:
    """Receives for all partitions of a process and sorts by shard.

    Args:
        config: Where the broker is.
        client_id: Fixed: a second stream on the same store would take the connection over.
        meters: Counts into part ``intake``.
    """

    def __init__(self, config: MqttConfig, *, client_id: str, meters: Meters) -> None:
        self._config = config
        self._topics = Topics(config.root)
        self._counters = IntakeCounters()
        self._meters = meters
        self._lock = threading.Lock()
        self._shards: set[str] = set()
        self._queues: defaultdict[str, list[Arrival]] = defaultdict(list)
        self._queued_bytes = 0
        self._known: dict[bytes, tuple[str, str]] = {}
        self._next_poll = 0.0
        self._next_connect = 0.0
        self._retry = _RETRY[0]
        self._client = self._make_client(client_id)

    def open(self, shard_digit: str) -> None:
        """Receive for this shard, too."""
        with self._lock:
            self._shards.add(shard_digit)
            if self._client.is_connected():
                self._subscribe()

    def take(self, shard_digit: str) -> tuple[Arrival, ...]:
        """All that has arrived for a shard since the last call, in order; polls when it is time."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next_poll:
                self._poll(now)
            queue = self._queues.pop(shard_digit, None)
            if queue is None:
                return ()
            self._queued_bytes -= _cost(queue)
            return tuple(queue)

    def pause(self) -> float:
        """Seconds until it is worth while to call :meth:`take` again; at most ``IDLE_PAUSE``."""
        return min(IDLE_PAUSE, max(0.0, self._next_poll - time.monotonic()))

    def _make_client(self, client_id: str) -> PolledClient:
        client = PolledClient(client_id)
        prepare(client, self._config)
        client.connect_timeout = _CONNECT_TIMEOUT
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        properties.MaximumPacketSize = _MAXIMUM_PACKET
        host, port = self._config.address()
        client.connect_async(
            host, port, self._config.keepalive, clean_start=True, properties=properties
        )
        return client

    def _poll(self, now: float) -> None:
        client = self._client
        if client.socket() is None and not self._reconnect(now):
            self._next_poll = now + IDLE_PAUSE
            self._report()
            return
        if self._queued_bytes < _QUEUED_BYTES:
            messages, drained = client.read(_POLL_MESSAGES, _POLL_BYTES)
            for topic, payload, _ in messages:
                self._arrived(topic, payload)
            pause = BUSY_PAUSE if messages else IDLE_PAUSE
            self._next_poll = now + pause if drained else now
        client.loop_misc()
        client.write()
        self._report()

    def _reconnect(self, now: float) -> bool:
        if now < self._next_connect:
            return False
        jitter = random.SystemRandom().uniform(0.5, 1.5)
        self._next_connect = now + self._retry * jitter
        self._retry = min(self._retry * 2, _RETRY[1])
        try:
            self._client.reconnect()
        except OSError as error:
            self._counters.failures += 1
            _log.warning("no broker", url=self._config.safe_url(), problem=str(error))
            return False
        return True

    def _connected(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._counters.failures += 1
            _log.warning("refused by broker", url=self._config.safe_url(), reason=str(reason))
            return
        self._counters.connects += 1
        self._retry = _RETRY[0]
        self._subscribe()

    def _subscribe(self) -> None:
        filters = [(self._topics.obs_filter(digit), 1) for digit in sorted(self._shards)]
        self._client.subscribe([*filters, (self._topics.status_filter(), 1)])

    def _disconnected(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        _log.warning("connection lost", url=self._config.safe_url(), reason=str(reason))

    def _arrived(self, raw_topic: bytes, payload: bytes) -> None:
        self._counters.received += 1
        self._counters.received_bytes += len(payload)
        topic, digit = self._known.get(raw_topic) or self._place(raw_topic)
        if digit not in self._shards:
            self._counters.foreign += 1
            return
        self._queues[digit].append((topic, payload))
        self._queued_bytes += _cost([(topic, payload)])

    def _place(self, raw_topic: bytes) -> tuple[str, str]:
        """A topic and its partition: as an ``obs`` topic says, else its node's own.

        What names no node goes to the first one, to be rejected there.
        """
        topic = raw_topic.decode("utf-8", "backslashreplace")
        kind, _, rest = topic.removeprefix(self._topics.root + "/").partition("/")
        if kind == "obs" and rest[1:2] == "/":
            digit = rest[:1]
        else:
            digit = shard(rest) if is_node(rest) else SHARDS[0]
        if len(raw_topic) <= _LONGEST_TOPIC:
            if len(self._known) >= _KNOWN_TOPICS:
                self._known.clear()
            self._known[raw_topic] = topic, digit
        return topic, digit

    def _report(self) -> None:
        counters = self._counters
        self._meters.set("intake", "connects", counters.connects)
        self._meters.set("intake", "failures", counters.failures)
        self._meters.set("intake", "received", counters.received)
        self._meters.set("intake", "received_bytes", counters.received_bytes)
        self._meters.set("intake", "foreign", counters.foreign)
        self._meters.set("intake", "queued_bytes", self._queued_bytes)


def _cost(queue: Sequence[Arrival]) -> int:
    return sum(_MESSAGE_COST + len(topic) + len(payload) for topic, payload in queue)
