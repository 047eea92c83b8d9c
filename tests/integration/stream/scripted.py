"""A stream process, and nodes that follow a script: what the tests of the stream share."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from citynerve.codec import Format, decode, encode
from citynerve.demo.servers import Mosquitto
from citynerve.influx import Influx
from citynerve.messages import (
    About,
    Ack,
    Batch,
    Column,
    Event,
    Evidence,
    Hello,
    HelloMessage,
    PropertyAbout,
    SensorAbout,
)
from citynerve.mqtt import Link, MqttConfig
from citynerve.topics import Topics
from tests.waiting import PATIENCE_S, until

T0 = 1_700_000_000_000 - 1_700_000_000_000 % 600_000
"""A start of windows of every size, ms."""

TOPICS = Topics()


class StreamProcess:
    """``citynerve stream run`` as a process of its own."""

    def __init__(self, folder: Path, mqtt_url: str, influx_url: str, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "stream.log"
        self._command = [
            *(sys.executable, "-m", "citynerve", "stream", "run"),
            *("--store", str(folder / "store"), "--mqtt-url", mqtt_url),
            *("--influx-url", influx_url, "--retention-days", "0"),
            *("--epoch-ms", "300", "--set", "flow.ack_delay_ms=500"),
            *options,
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str, ready: bool = True) -> None:
        """Start it; by default wait until its flow runs."""
        before = self.text().count("stream runs")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*self._command, *more], stdout=log, stderr=log)
        if ready:
            until(lambda: self.text().count("stream runs") > before or self._ended(), "it runs")
            assert not self._ended(), self.text()

    def text(self) -> str:
        """All that it has logged."""
        return self.log.read_text() if self.log.exists() else ""

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Its exit code."""
        assert self.process is not None
        return self.process.wait(timeout)

    def stop(self) -> int:
        """In order."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def end(self) -> None:
        """Leave nothing behind, whatever the test came to."""
        if self.process is not None and not self._ended():
            self.kill()

    def _ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None


def about(*properties: tuple[str, str], area: str = "town/centre/square") -> About:
    """One sensor ``s0`` with ``(name, unit)`` properties."""
    known = tuple(PropertyAbout(name=name, unit=unit) for name, unit in properties)
    return About(area=area, sensors=(SensorAbout(name="s0", properties=known),))


class ScriptedNode:
    """A node that keeps batches in memory and sends them again until they are acknowledged."""

    def __init__(
        self,
        name: str,
        config: MqttConfig,
        described: About,
        *,
        form: Format = "json",
        term: int = 1 << 32 | 7,
    ) -> None:
        self.name = name
        self.term = term
        self.about = described
        self.form: Format = form
        self.acks: list[Ack] = []
        self.batches: list[Batch] = []
        self.committed = 0
        self._lock = threading.Lock()
        self._link = Link(
            config,
            client_id=f"node-{name}-{time.monotonic_ns()}",
            subscriptions=[(TOPICS.ack(name), 1)],
        )
        self._closed = threading.Event()
        self._link.start()
        self._link.wait_connected(PATIENCE_S)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(
        self,
        columns: Sequence[Column],
        events: Sequence[Event] = (),
        evidence: Sequence[Evidence] = (),
    ) -> None:
        """Make the next batch."""
        with self._lock:
            batch = Batch(
                node=self.name,
                term=self.term,
                seq=len(self.batches) + 1,
                oldest=1,
                sent=T0,
                obs=list(columns),
                events=list(events),
                evidence=list(evidence),
                want_ack=True,
            )
            self.batches.append(batch)

    def publish(self, payload: bytes, topic: str | None = None) -> None:
        """Anything, past the protocol."""
        info = self._link.publish(topic or TOPICS.obs(self.name), payload)
        assert info is not None
        info.wait_for_publish(PATIENCE_S)

    def finished(self) -> bool:
        """Whether all is acknowledged."""
        return self.committed == len(self.batches)

    def close(self) -> None:
        """End."""
        self._closed.set()
        self._thread.join()
        self._link.stop()

    def _run(self) -> None:
        opened, sent, hello_at, progress = False, 0, 0.0, time.monotonic()
        while not self._closed.is_set():
            time.sleep(0.01)
            while not self._link.messages.empty():
                ack = decode(self._link.messages.get().payload, Ack)
                self.acks.append(ack)
                opened = ack.term == self.term
                if opened and ack.committed > self.committed:
                    self.committed, progress = ack.committed, time.monotonic()
            now = time.monotonic()
            if not opened and now - hello_at > 1:
                hello_at = now
                sent = 0
                hello = Hello(node=self.name, term=self.term, about=self.about, sent=T0)
                self._send(encode(HelloMessage(hello), self.form))
            if now - progress > 2:
                sent, progress = self.committed, now
            with self._lock:
                batches = self.batches[max(sent, self.committed) : self.committed + 200]
            if opened and self._link.connected:
                for batch in batches:
                    batch.oldest = self.committed + 1
                    self._send(encode(batch, self.form))
                    sent = batch.seq

    def _send(self, payload: bytes) -> None:
        self._link.publish(TOPICS.obs(self.name), payload)


def points(influx: Influx, database: str, query: str) -> list[dict[str, object]]:
    """Rows of a query as dictionaries, tags among the columns."""
    return [
        {**series.tags, **dict(zip(series.columns, row, strict=True))}
        for series in influx.query(database, query)
        for row in series.values
    ]


class Listener:
    """All messages below a filter."""

    def __init__(self, broker: Mosquitto, topic: str, name: str = "listener") -> None:
        self.link = Link(broker.config, client_id=f"{name}-{topic}", subscriptions=[(topic, 1)])
        self.link.start()
        self.link.wait_connected(PATIENCE_S)
        self.seen: list[bytes] = []

    def payloads(self) -> list[bytes]:
        while not self.link.messages.empty():
            self.seen.append(self.link.messages.get().payload)
        return self.seen
