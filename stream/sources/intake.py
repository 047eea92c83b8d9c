"""The stream's one MQTT subscription: paho without its thread, polled by the flow.

Polling spares the hand-over between threads, takes many packets with one read, and makes TCP the
bound on memory: a flow that is held back does not poll, so nothing is read from the socket.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from citynerve import log
from citynerve.mqtt import Link, MqttConfig
from citynerve.network import EAGER, Polled
from citynerve.polled import Received
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
# The broker keeps what is larger to itself. Room above the contract's limit is left so that a
# payload that breaks it is seen, counted and reported.
_MAXIMUM_PACKET: Final = 32 << 20
_KNOWN_TOPICS: Final = 1 << 17
# Of root, shard and a node's name there is no more; what is longer is rejected, not remembered.
_LONGEST_TOPIC: Final = 256
_MESSAGE_COST: Final = 256
"""Bytes that a queued message takes besides its payload, about."""

_log = log.get("intake")


class Intake:
    """Receives for all partitions of a process and sorts by shard.

    Args:
        config: Where the broker is.
        client_id: Fixed: a second stream on the same store would take the connection over.
        meters: Counts into part ``intake``.
        ending: Once it is set, nothing more is read.
    """

    def __init__(
        self, config: MqttConfig, *, client_id: str, meters: Meters, ending: threading.Event
    ) -> None:
        self._topics = Topics(config.root)
        self._meters = meters
        self._ending = ending
        self._network = Polled()
        self._link = Link(
            config,
            client_id=client_id,
            subscriptions=[(self._topics.status_filter(), 1)],
            network=self._network.port("intake", arrived=self._arrived, pauses=EAGER),
            largest=_MAXIMUM_PACKET,
        )
        self._started = False
        self._received = self._received_bytes = self._foreign = 0
        self._failures = self._losses = 0
        self._lock = threading.Lock()
        self._shards: set[str] = set()
        self._queues: defaultdict[str, list[Arrival]] = defaultdict(list)
        self._queued_bytes = 0
        self._known: dict[bytes, tuple[str, str]] = {}
        self._next_poll = 0.0

    def open(self, shard_digit: str) -> None:
        """Receive for this shard, too."""
        with self._lock:
            self._shards.add(shard_digit)
            self._link.subscribe([(self._topics.obs_filter(shard_digit), 1)])

    def take(self, shard_digit: str) -> tuple[Arrival, ...]:
        """All that has arrived for a shard since the last call, in order; polls when it is time."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next_poll and not self._ending.is_set():
                self._poll(now)
            queue = self._queues.pop(shard_digit, None)
            if queue is None:
                return ()
            self._queued_bytes -= _cost(queue)
            return tuple(queue)

    def pause(self) -> float:
        """Seconds until it is worth while to call :meth:`take` again; at most ``IDLE_PAUSE``."""
        return min(IDLE_PAUSE, max(0.0, self._next_poll - time.monotonic()))

    def _poll(self, now: float) -> None:
        if not self._started:
            self._started = True
            self._link.start()
        before = self._received
        messages = _POLL_MESSAGES if self._queued_bytes < _QUEUED_BYTES else 0
        self._network.poll(0.0, messages=messages, size=_POLL_BYTES)
        pause = BUSY_PAUSE if self._received > before else IDLE_PAUSE
        self._next_poll = now + pause if self._network.drained else now
        self._tell()
        self._report()

    def _tell(self) -> None:
        """In the log, what has become of the connection."""
        counters, url = self._link.counters, self._link.config.safe_url()
        if counters.failures > self._failures:
            _log.warning("no broker", url=url, problem=self._link.last_problem)
        if counters.disconnects > self._losses:
            _log.warning("connection lost", url=url, reason=self._link.last_problem)
        self._failures, self._losses = counters.failures, counters.disconnects

    def _arrived(self, received: Sequence[Received]) -> None:
        self._received += len(received)
        for raw_topic, payload, _ in received:
            self._received_bytes += len(payload)
            topic, digit = self._known.get(raw_topic) or self._place(raw_topic)
            if digit not in self._shards:
                self._foreign += 1
                continue
            self._queues[digit].append((topic, payload))
            self._queued_bytes += _MESSAGE_COST + len(topic) + len(payload)

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
        counters = self._link.counters
        self._meters.set("intake", "connects", counters.connects)
        self._meters.set("intake", "failures", counters.failures)
        self._meters.set("intake", "received", self._received)
        self._meters.set("intake", "received_bytes", self._received_bytes)
        self._meters.set("intake", "foreign", self._foreign)
        self._meters.set("intake", "queued_bytes", self._queued_bytes)


def _cost(queue: Sequence[Arrival]) -> int:
    return sum(_MESSAGE_COST + len(topic) + len(payload) for topic, payload in queue)
