"""How a running demo is: from the nodes' status and the anomalies on MQTT, and InfluxDB."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from citynerve import codec
from citynerve.demo import account
from citynerve.errors import CityNerveError, ProtocolError
from citynerve.influx import Influx, InfluxConfig, connect
from citynerve.messages import AnomalyEvent, Owner, Rejected, Status
from citynerve.mqtt import Link, Message, MqttConfig
from citynerve.topics import Topics

_TIMEOUT: Final = 5.0
_STATUS_TOPIC: Final = 2
_LAST_WORDS: Final = 2.0
_POLL: Final = 0.02


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the chain.

    ``batches`` and ``stored`` (observations) as the stream counts them, ``unacknowledged`` batches
    as they stand in the nodes' spools; ``lag`` in seconds, None where it is not known yet.
    """

    online: int
    batches: int
    stored: int
    anomalies: int
    unacknowledged: int
    lag: float | None


class Watch:
    """Follows a demo from outside, as any tool of the city could, but for a look into the spools.

    The nodes tell how much they hold only every few seconds.
    """

    def __init__(self, broker: MqttConfig, database: InfluxConfig, spools: Iterable[Path]) -> None:
        self._topics = Topics(broker.root)
        self._link = Link(
            broker,
            client_id=f"citynerve-demo-watch-{os.getpid()}",
            subscriptions=[
                (self._topics.status_filter(), 1),
                (self._topics.owner(), 1),
                (self._topics.rejected(), 1),
                (self._topics.anomaly("+", "+"), 1),
            ],
        )
        self._database = database
        self._spools = tuple(spools)
        self._influx: Influx | None = None
        self._since = time.time_ns()
        self._online: dict[str, bool] = {}
        self._problems: dict[str, tuple[str, ...]] = {}
        self._rejected: Counter[tuple[str, str, str]] = Counter()
        self._anomalies: set[str] = set()
        self._stored = 0
        self._batches = 0
        self._waiting = 0
        self._lag: float | None = None
        self.serving = False

    def __enter__(self) -> Self:
        self._link.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._link.stop()
        if self._influx is not None:
            self._influx.close()

    def look(self) -> Figures:
        """Take in what has arrived."""
        while not self._link.messages.empty():
            self._take(self._link.messages.get())
        return Figures(
            online=sum(self._online.values()),
            batches=self._batches,
            stored=self._stored,
            anomalies=len(self._anomalies),
            unacknowledged=self._waiting,
            lag=self._lag,
        )

    def ask(self) -> None:
        """Ask the database how far the stream is, and the spools what they hold.

        Keeps the database's last answer where it has none.
        """
        self._waiting = sum(account.waiting(path) for path in self._spools)
        try:
            if self._influx is None:
                self._influx = connect(self._database, _TIMEOUT)
            self._stored = int(self._latest("lane", "observations") or self._stored)
            self._batches = int(self._latest("lane", "batches") or self._batches)
            lag = self._latest("acks", "lag_ms")
            self._lag = self._lag if lag is None else lag / 1000
        except CityNerveError:
            return  # it may be away for a while, or the stream has not made it yet

    def remarks(self, nodes: Sequence[str]) -> list[str]:
        """What the nodes say they could not read, and the stream that it refused of them.

        To be called when the nodes have ended: waits a little for their last words.
        """
        deadline = time.monotonic() + _LAST_WORDS
        self.look()
        while any(self._online.get(node) for node in nodes) and time.monotonic() < deadline:
            time.sleep(_POLL)
            self.look()
        said = [f"{node}: {text}" for node in nodes for text in self._problems.get(node, ())]
        refused = [
            f"{node}: the stream refused {count} ({reason}: {detail})"
            for (node, reason, detail), count in sorted(self._rejected.items())
            if node in nodes
        ]
        return said + refused

    def clear_retained(self, nodes: list[str]) -> None:
        """Leave nothing on a broker that is not ours."""
        topics = [self._topics.owner(), *(self._topics.status(node) for node in nodes)]
        sent = [self._link.publish(topic, b"", qos=1, retain=True) for topic in topics]
        for info in sent:
            if info is not None:
                info.wait_for_publish(_TIMEOUT)

    def _latest(self, part: str, name: str) -> float | None:
        if self._influx is None:
            return None
        statement = (
            f'SELECT last("{name}") FROM stream'  # noqa: S608 - our own names
            f" WHERE part = '{part}' AND time >= {self._since}"
        )
        for series in self._influx.query(self._database.main, statement):
            return float(series.values[0][1])
        return None

    def _take(self, message: Message) -> None:
        levels = self._topics.split(message.topic)
        if not message.payload:
            return
        try:
            if levels[0] == "status" and len(levels) == _STATUS_TOPIC:
                status = codec.decode(message.payload, Status)
                self._online[status.node] = status.online
                if status.health is not None:  # a last will has none
                    self._problems[status.node] = status.health.problems
            elif levels[:2] == ["stream", "owner"]:
                self.serving = codec.decode(message.payload, Owner).online
            elif levels == ["rejected"]:
                refused = codec.decode(message.payload, Rejected)
                key = refused.node or "?", refused.reason, refused.detail
                self._rejected[key] += refused.count
            elif levels[0] == "event":
                self._anomalies.add(codec.decode(message.payload, AnomalyEvent).id)
        except ProtocolError:
            return  # not ours: somebody else publishes here
