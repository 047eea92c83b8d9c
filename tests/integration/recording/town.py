"""A small town that runs once for all tests: nodes of every kind, a broker, two centres, a record.

The two centres share broker and InfluxDB, and nothing else: each has its root, its store and its
databases.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from benchmarks.chaos.driver import make
from benchmarks.chaos.dump import Dump, dump
from benchmarks.chaos.script import ORIGIN, PACK
from citynerve.codec import Format
from citynerve.messages import CameraAbout, Crowd, Dwell, Evidence, PropertyAbout, SensorAbout
from citynerve.mqtt import MqttConfig
from citynerve.network import Polled
from edge.agent import Agent
from edge.config import NodeConfig, NodeTable, SendTable
from edge.sensor.driver import Driver, Item, Mark, Reading
from edge.spool import Spool
from simulators.fleet.fleet import Fleet, Start
from tests.integration.stream.scripted import StreamProcess
from tests.servers import InfluxDb1, Mosquitto
from tests.waiting import PATIENCE_S, until

SPAN = 1_800_000
ROOT = Path(__file__).parents[3]


class Odd:
    """What the script has not: grades, marks in between, events of other kinds, pictures."""

    name = "odd"
    resumable = True

    def __init__(self) -> None:
        self.finished = False
        self._items = list(chain.from_iterable(self._minute(n) for n in range(30)))

    def sensors(self) -> Sequence[SensorAbout]:
        return [SensorAbout("post", (PropertyAbout("level", "m"), PropertyAbout("calm", "1")))]

    def cameras(self) -> Sequence[CameraAbout]:
        return [CameraAbout("eye", zones=("square",))]

    def identity(self) -> str:
        return "odd"

    def open(self, origin: int) -> None:
        del origin
        self._given = 0
        self.finished = False

    def poll(self, now: int, limit: int) -> Sequence[Item]:
        del now
        given = self._items[self._given : self._given + min(limit, 20)]
        self._given += len(given)
        self.finished = self._given == len(self._items)
        return given

    def problems(self) -> Sequence[str]:
        return []

    def close(self) -> None:
        pass

    @staticmethod
    def _minute(number: int) -> list[Item]:
        t = ORIGIN + 60_000 * number
        made: list[Item] = [
            Reading("post", "level", t + 10_000 * n, 2.0 + number % 7 + n / 8, (number + n) % 3)
            for n in range(5)
        ]
        made.append(Mark("post", "calm", t))
        if number % 3 == 0:
            made.append(Reading("post", "calm", t + 1, 0.1 * number))
        if number % 5 == 0:
            zone = {"camera": "eye", "zone": "square"}
            made += [
                Dwell(id=f"d{number}", t=t, cls="person", track=number, seconds=2.5, **zone),
                Crowd(id=f"m{number}", t=t, value=30.0 + number, **zone),
                Evidence(f"p{number}", t, "eye", b"\xff\xd8 picture %d" % number),
            ]
        return made


class Centre:
    """A stream of its own beside others."""

    def __init__(self, folder: Path, name: str, broker: Mosquitto, influx: InfluxDb1) -> None:
        (folder / "packs").mkdir(exist_ok=True)
        (folder / "packs" / "chaos.toml").write_text(PACK)
        self.mqtt = MqttConfig(url=broker.config.url, root=f"{name}/v1")
        self.databases = (name, f"{name}_raw")
        self.evidence = folder / name / "store" / "evidence"
        self._influx = influx
        self.stream = StreamProcess(
            folder / name,
            broker.config.url,
            influx.config.url,
            *("--scenarios", str(folder / "packs"), "--set", f"mqtt.root={self.mqtt.root}"),
            *("--set", f"influx.main={name}", "--set", f"influx.raw={name}_raw"),
            *("--set", "flow.ack_delay_ms=100"),
        )

    def dump(self, only: str | None = None) -> Dump:
        """All that its databases hold; names of databases as of any centre."""
        found = dump(self._influx.port, self.databases, only=only)
        main, raw = self.databases
        names = {main: "main", raw: "raw"}
        return {
            measurement: {
                key._replace(database=names[key.database]): f for key, f in points.items()
            }
            for measurement, points in found.items()
        }

    def nodes(self, measurement: str) -> list[str]:
        """The node of each point of a measurement."""
        return [dict(key.tags)["node"] for key in self.dump(measurement).get(measurement, ())]

    def pictures(self) -> dict[str, bytes]:
        """The evidence that it has written."""
        return {path.name: path.read_bytes() for path in self.evidence.glob("*.jpg")}


class Town:
    """Its nodes, in this process."""

    def __init__(self, folder: Path, mqtt: MqttConfig) -> None:
        self._folder = folder
        self._mqtt = mqtt

    def run(self, *, pace: float = 1_000.0, enough: Callable[[], bool] | None = None) -> None:
        """Run until all is committed, or stop as soon as it is ``enough``.

        Args:
            pace: Phenomenon time over real time.
            enough: Asked some times a second.
        """
        members = [("odd", self._member("odd", Odd(), "json"))]
        forms: tuple[Format, ...] = ("msgpack", "json")
        for index, form in enumerate(forms):
            options = {"seed": 11, "index": index, "span": SPAN, "pace": pace}
            script = make("script", options, self._folder)
            node = f"chaos-{index}"
            members.append((node, self._member(node, script, form)))
        fleet = Fleet(members, until_done=True)
        asked = time.monotonic()

        def look() -> None:
            nonlocal asked
            if enough is not None and time.monotonic() > asked + 0.2:
                if enough():
                    fleet.stop()
                asked = time.monotonic()

        fleet.run(look)
        assert not fleet.failures

    def _member(self, node: str, driver: Driver, form: Format) -> Start:
        def start(network: Polled) -> Agent:
            config = NodeConfig(
                node=NodeTable(id=node, area=f"chaos/{node}/street"),
                mqtt=self._mqtt,
                send=SendTable(format=form, batch_ms=20),
            )
            path = self._folder / "spools" / f"{node}.db"
            spool = Spool.open(path, node=node, max_bytes=1 << 28)
            return Agent(config, [driver], spool, network=network.port(node))

        return start


class Command:
    """``citynerve simulate ...`` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        folder.mkdir(exist_ok=True)
        self._log = folder / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "citynerve", "simulate", *arguments],
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    @property
    def text(self) -> str:
        """What it has said."""
        return self._log.read_text()

    def wait(self, timeout: float = PATIENCE_S) -> str:
        """Its words, once it has ended well."""
        assert self.process.wait(timeout) == 0, self.text
        return self.text

    def end(self) -> str:
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()


def recorder(folder: Path, mqtt: MqttConfig, out: Path, *more: str) -> Command:
    """A recorder that listens."""
    command = Command(
        folder,
        *("record", "--out", str(out), "--mqtt-url", mqtt.url, "--mqtt-root", mqtt.root),
        *more,
    )
    until(lambda: out.exists() or command.process.poll() is not None, "it records")
    assert command.process.poll() is None, command.text
    return command
