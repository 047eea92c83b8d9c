"""The processes of a demo: servers, stream, nodes; started in this order, ended in the other."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from citynerve import influx, mqtt
from citynerve.config import placed
from citynerve.demo.process import Process
from citynerve.demo.servers import InfluxDb1, InfluxDb2, Mosquitto, influxdb
from citynerve.errors import USER_ERROR_EXIT, CityNerveError, ConfigError, UnavailableError
from citynerve.influx import InfluxConfig
from citynerve.mqtt import Link, MqttConfig
from edge import config as edge_config
from simulators.city import toml
from simulators.fleet.folder import MAP, TRUTH

_CONNECT: Final = 5.0
_OVERRIDES: Final = frozenset({*mqtt.ENV, *influx.ENV, *edge_config.ENV})


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that each part may take to end before it is killed.

    What a part does not need is the next one's: together they take no longer than the sum.
    """

    view: float
    nodes: float
    stream: float
    servers: float


CALM: Final = Budget(view=10.0, nodes=20.0, stream=20.0, servers=20.0)
HASTY: Final = Budget(nodes=4.0, stream=3.0, view=1.0, servers=1.5)


class Chain:
    """All processes of one demo.

    Args:
        folder: Of the run; absolute.
        broker: The user's; None: one of our own.
        database: The user's; None: one of our own.

    Attributes:
        processes: All that were started, in this order.
        asked: The ids of those that were asked to end.
    """

    def __init__(
        self, folder: Path, *, broker: MqttConfig | None, database: InfluxConfig | None
    ) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        self.asked: set[int] = set()
        self._spare = 0.0
        self._servers: list[Mosquitto | InfluxDb1 | InfluxDb2] = []
        self._stream: Process | None = None
        self._nodes: list[Process] = []
        self._city: frozenset[str] = frozenset()
        self._view: Process | None = None
        self._broker = broker
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def mqtt(self) -> MqttConfig:
        """How to reach the broker."""
        if self._broker is None:
            raise RuntimeError("the servers are not started")
        return self._broker

    @property
    def influx(self) -> InfluxConfig:
        """How to reach the database."""
        if self._database is None:
            raise RuntimeError("the servers are not started")
        return self._database

    @property
    def nodes(self) -> Sequence[Process]:
        """The nodes' processes; a simulated city is one."""
        return self._nodes

    def spool(self, node: str) -> Path:
        """Where a node keeps its spool."""
        return (self.city if node in self._city else self.folder) / node / "spool.db"

    @property
    def city(self) -> Path:
        """The simulated city's folder."""
        return self.folder / "city"

    @property
    def cameras(self) -> Path:
        """Where cameras leave their latest pictures."""
        return self.folder / "cameras"

    def start_servers(self) -> None:
        """Start what the user does not bring, and check what the user does.

        Raises:
            UnavailableError: A server cannot be reached or started.
            ConfigError: A server refuses us.
        """
        if self._broker is None:
            broker = Mosquitto(self.folder / "mosquitto")
            self._launch(broker)
            self._broker = broker.config
        else:
            _reach(self._broker)
        if self._database is None:
            program = os.environ.get("CITYNERVE_INFLUXD")
            database = influxdb(self.folder / "influxdb", program=program)
            self._launch(database)
            self._database = database.config
        # The stream does this, too; but somebody may end the demo, and want its report, before.
        with influx.connect(self._database, _CONNECT) as connection:
            connection.ensure(0)

    def start_stream(self) -> Process:
        """Start the stream; whether it serves is seen by its claim on the broker."""
        config = {
            "mqtt": self._mqtt_table(),
            "influx": self._influx_table(),
            "store": {"path": str(self.folder / "stream" / "store")},
            "storage": {"raw": "all", "retention_days": 0},
        }
        path = self._write("stream", config)
        self._stream = self._run("stream", ["stream", "run", "--config", str(path)])
        return self._stream

    def start_node(self, node: str, tables: dict[str, Any], *, until_done: bool) -> Process:
        """Start one edge agent with its tables."""
        config = {
            **tables,
            "mqtt": self._mqtt_table(),
            "spool": {"path": str(self.spool(node))},
        }
        path = self._write(node, config)
        if "camera" in tables:
            self.cameras.mkdir(exist_ok=True)
        until = ["--until-done"] if until_done else []
        process = self._run(node, ["edge", "run", "--config", str(path), *until])
        self._nodes.append(process)
        return process

    def settle_city(self, nodes: Iterable[str]) -> None:
        """Say which nodes are the simulated city's."""
        self._city = frozenset(nodes)

    def start_city(self, wishes: Sequence[str], *, until_done: bool) -> Process:
        """Start the simulated city, all of its nodes in one process.

        Args:
            wishes: Options of ``citynerve simulate city``, without where its folder and broker are.
            until_done: It is to end by itself.
        """
        config = self.mqtt
        place = [
            "--dir",
            str(self.city),
            "--mqtt-url",
            config.safe_url(),
            "--mqtt-root",
            config.root,
        ]
        place += ["--mqtt-ca", config.ca] if config.ca else []
        until = ["--until-done"] if until_done else []
        process = self._run("city", ["simulate", "city", *place, *wishes, *until])
        self._nodes.append(process)
        return process

    def start_view(self) -> Process:
        """Start the local view; :meth:`address` tells where it is as soon as it serves."""
        table = self._influx_table()
        server = ["--influx-url", table["url"], "--raw", table["raw"], "--main", table["main"]]
        ready = ["--no-browser", "--ready-file", str(self.folder / "view" / "address")]
        files = ["--cameras", str(self.cameras)]
        if self._city:
            files += ["--geojson", str(self.city / MAP), "--truth", str(self.city / TRUTH)]
        self._view = self._run("view", ["dashboards", "preview", *server, *files, *ready])
        return self._view

    def address(self) -> str | None:
        """The local view's URL; None while it does not serve yet."""
        path = self.folder / "view" / "address"
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    def sample(self) -> None:
        """Note what each process uses; the peaks are as good as this is called often."""
        for process in self.processes:
            process.usage()

    def died(self) -> Iterator[Process]:
        """Processes that ended without being asked, but for nodes whose inputs have ended."""
        for process in self.processes:
            code = process.poll()
            done = code == 0 and process in self._nodes
            if code is not None and not done and process.pid not in self.asked:
                yield process

    def stop_chain(self, budget: Budget) -> None:
        """End the nodes, which hand over what they can, then the stream. The servers stay.

        The view ends meanwhile: its open pages are said goodbye to, which takes a moment.
        """
        view = [self._view] if self._view else []
        self._ask(view)
        self._stop(self._nodes, budget.nodes)
        self._stop([self._stream] if self._stream else [], budget.stream)
        self._stop(view, budget.view)

    def stop_servers(self, budget: Budget) -> None:
        """End our own servers."""
        self._stop([s.process for s in self._servers if s.process], budget.servers)

    def kill(self) -> None:
        """End at once whatever still runs."""
        self.asked.update(process.pid for process in self.processes)
        for process in reversed(self.processes):
            process.kill()

    def _launch(self, server: Mosquitto | InfluxDb1 | InfluxDb2) -> None:
        self._servers.append(server)
        self.processes.append(server.start())

    def _run(self, name: str, arguments: Sequence[str]) -> Process:
        (self.folder / name).mkdir(exist_ok=True)
        process = Process(
            name,
            [sys.executable, "-m", "citynerve", *arguments],
            log=self.folder / name / "log",
            env=self._environment(),
        )
        self.processes.append(process)
        return process

    def _write(self, name: str, config: dict[str, Any]) -> Path:
        path = self.folder / name / "config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(toml(config), encoding="utf-8")
        return path

    def _mqtt_table(self) -> dict[str, Any]:
        config = self.mqtt
        table = {"url": config.safe_url(), "root": config.root, "ca": config.ca}
        return _set_only({**table, "cert": config.cert, "key": config.key})

    def _influx_table(self) -> dict[str, Any]:
        config = self.influx
        table = {"url": config.base(), "org": config.org, "ca": config.ca}
        return _set_only({**table, "raw": config.raw, "main": config.main})

    def _environment(self) -> dict[str, str]:
        # Secrets travel here, not in files that stay; what else overrides a file must not leak in.
        environment = {key: value for key, value in os.environ.items() if key not in _OVERRIDES}
        name, word = self.mqtt.credentials()
        secrets = {
            "CITYNERVE_MQTT_USERNAME": name,
            "CITYNERVE_MQTT_PASSWORD": word,
            "CITYNERVE_INFLUX_TOKEN": self.influx.token,
            "CITYNERVE_INFLUX_USERNAME": self.influx.username,
            "CITYNERVE_INFLUX_PASSWORD": self.influx.password,
        }
        return environment | _set_only(secrets)

    def _ask(self, processes: Iterable[Process]) -> list[Process]:
        """Ask those that still run to end; which ones."""
        running = [process for process in processes if process.poll() is None]
        for process in running:
            if process.pid not in self.asked:
                process.usage()
                self.asked.add(process.pid)
                process.signal(signal.SIGTERM)
        return running

    def _stop(self, processes: Iterable[Process], timeout: float) -> None:
        running = self._ask(processes)
        deadline = time.monotonic() + timeout + self._spare
        for process in running:
            if process.wait(max(0.0, deadline - time.monotonic())) is None:
                process.kill()
        self._spare = max(0.0, deadline - time.monotonic())


def explain(process: Process) -> CityNerveError | None:
    """The message of a process that ended over something that the user can mend."""
    if process.poll() != USER_ERROR_EXIT:
        return None
    text = process.log.read_text(encoding="utf-8", errors="replace")
    _, found, message = text.rpartition("error: ")
    return CityNerveError(f"{process.name}: {message.strip()}") if found else None


def from_environment(run: str) -> tuple[MqttConfig | None, InfluxConfig | None]:
    """The user's broker and database, where the environment names them.

    On a broker of the user's, the run has a root of its own beside all else that is there.

    Raises:
        ConfigError: A URL is wrong.
    """
    get: Callable[[str], str | None] = lambda name: os.environ.get(name) or None  # noqa: E731
    broker = database = None
    if url := get("CITYNERVE_MQTT_URL"):
        broker = MqttConfig(
            url=url,
            root=f"citynerve-demo/{run}",
            username=get("CITYNERVE_MQTT_USERNAME"),
            password=get("CITYNERVE_MQTT_PASSWORD"),
        )
    if url := get("CITYNERVE_INFLUX_URL"):
        database = InfluxConfig(
            url=url,
            token=get("CITYNERVE_INFLUX_TOKEN"),
            org=get("CITYNERVE_INFLUX_ORG"),
            username=get("CITYNERVE_INFLUX_USERNAME"),
            password=get("CITYNERVE_INFLUX_PASSWORD"),
        )
    try:
        if broker is not None:
            broker.check()
        if database is not None:
            database.base()
    except ConfigError as error:
        raise placed(error, "environment", env=mqtt.ENV | influx.ENV) from error
    return broker, database


def _reach(config: MqttConfig) -> None:
    link = Link(config, client_id=f"citynerve-demo-{os.getpid()}")
    try:
        link.start()
        link.wait_connected(_CONNECT)
    except OSError as error:
        raise UnavailableError(
            "MQTT broker",
            where=config.safe_url(),
            problem=str(error),
            fix="start the broker, or set CITYNERVE_MQTT_URL and credentials",
        ) from error
    finally:
        link.stop()


def _set_only(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
