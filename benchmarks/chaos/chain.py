"""One whole chain as real processes: broker, InfluxDB, stream and nodes, every link by a proxy."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks.chaos.process import Managed
from benchmarks.chaos.proxy import Switchboard, free_port
from benchmarks.chaos.script import PACK, NodeScript, node_script
from citynerve.demo.servers import InfluxDb1, Mosquitto, Server

# More batches and more acknowledgements than by default: more instants at which a kill may hurt.
EPOCH_MS: Final = 1_000
ACK_DELAY_MS: Final = 200
BATCH_MS: Final = 250

_USER_ERROR: Final = 2
_RUNS: Final = "stream runs"
# The first start on a machine compiles.
_STREAM_READY_S: Final = 180.0
# A start that met a dead server may end with a message; a stream or node that ran may not.
_STARTING_S: Final = 15.0
_START_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played, and on what.

    ``span`` in ms of phenomenon time, ``pace`` of it each real ms; ``workers`` of the stream;
    ``influxd``: the program of an InfluxDB 1.x, None for the one on PATH.
    """

    seed: int
    nodes: int
    span: int
    pace: float
    workers: int = 1
    influxd: str | None = None

    @property
    def seconds(self) -> float:
        """How long the input lasts, real time."""
        return self.span / self.pace / 1000

    def scripts(self) -> list[NodeScript]:
        """The script of every node."""
        return [node_script(self.seed, index, self.span) for index in range(self.nodes)]


class Chain:
    """The processes of one run, in a folder of their own; all are ended with the ``with`` block.

    ``defects`` are deaths that nobody caused, ``refused_starts`` starts that ended with a message
    (exit code 2) because a server was down or a link cut just then; each is started again.
    """

    def __init__(self, folder: Path, plan: Plan, board: Switchboard) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.plan = plan
        self.broker: Server = Mosquitto(folder / "broker", free_port(), persistence=True)
        self.influx: Server = InfluxDb1(folder / "influxdb", free_port(), program=plan.influxd)
        self.stream_link = board.link(self.broker.port)
        self.influx_link = board.link(self.influx.port)
        self.node_links = [board.link(self.broker.port) for _ in range(plan.nodes)]
        self.stream = self.make_stream("stream")
        self.nodes = [self.make_node(index) for index in range(plan.nodes)]
        self.defects: list[str] = []
        self.refused_starts = 0
        self._trouble_at = 0.0
        self._again: dict[str, float] = {}
        self._servers_up: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.nodes, self.stream):
            process.kill()
        for server in (self.broker, self.influx):
            server.kill()

    @property
    def done(self) -> bool:
        """Whether every node has said that all its input is committed, and ended."""
        return all(node.exit_code == 0 for node in self.nodes)

    def start(self) -> None:
        """Start all; returns when servers and stream serve. The nodes come up on their own time.

        Their input has a pace: what is done to the chain while it lasts must find the stream at
        work, however long a machine takes to start it.

        Raises:
            UnavailableError: A server or the stream does not come up.
        """
        self.start_server(self.broker)
        self.start_server(self.influx)
        self.stream.start()
        self.stream.wait_said(_RUNS, _STREAM_READY_S)
        for node in self.nodes:
            node.start()

    def start_server(self, server: Server) -> None:
        """Start the broker or InfluxDB on its port and data, and wait until it serves."""
        server.start()
        self._servers_up.add(server.name)

    def kill_server(self, server: Server) -> bool:
        """``kill -9``; whether it was alive until then."""
        process = server.process
        was_alive = process is not None and process.poll() is None
        self._servers_up.discard(server.name)
        server.kill()
        return was_alive

    def trouble(self) -> None:
        """A server is down or a link is cut at this moment."""
        self._trouble_at = time.monotonic()

    def watch(self) -> None:
        """Look for processes that died without our doing; note them, and start them again."""
        for process in (self.stream, *self.nodes):
            if process.wanted and not process.alive and process.name not in self._again:
                self._bury(process)
        for server in (self.broker, self.influx):
            if server.name in self._servers_up:
                self._check(server)
        for name, due in list(self._again.items()):
            if time.monotonic() >= due:
                del self._again[name]
                process = next(p for p in (self.stream, *self.nodes) if p.name == name)
                if process.wanted and not process.alive:
                    process.start()

    def make_stream(self, name: str) -> Managed:
        """A stream, not started, on a store of that name; tests run a second one beside ours."""
        packs = self.folder / "scenarios"
        packs.mkdir(exist_ok=True)
        (packs / "chaos.toml").write_text(PACK, encoding="utf-8")
        config = self.folder / f"{name}.toml"
        config.write_text(
            f"""\
[mqtt]
url = "mqtt://127.0.0.1:{self.stream_link.port}"

[influx]
url = "http://127.0.0.1:{self.influx_link.port}"

[store]
path = "{self.folder / name}"

[flow]
epoch_ms = {EPOCH_MS}
ack_delay_ms = {ACK_DELAY_MS}
workers = {self.plan.workers}

[storage]
raw = "all"
retention_days = 0

[scenarios]
path = "{packs}"
""",
            encoding="utf-8",
        )
        arguments = ["stream", "run", "--config", str(config)]
        return Managed(name, arguments, self.folder / f"{name}.log")

    def make_node(
        self, index: int, *, spool: str | None = None, prefix: Sequence[str] = ()
    ) -> Managed:
        """The node of that number, not started; tests give it another spool, or a clone of it.

        Args:
            index: Of the script; the link is the one of that number.
            spool: The spool's file below the folder.
            prefix: See :class:`Managed`.
        """
        script = node_script(self.plan.seed, index, 1)
        spool = spool or f"{script.node}.spool"
        config = self.folder / f"{spool.replace('/', '-')}.toml"
        config.write_text(
            f"""\
[node]
id = "{script.node}"
area = "{script.area}"
position = {{ lat = {script.position[0]}, lon = {script.position[1]} }}

[mqtt]
url = "mqtt://127.0.0.1:{self.node_links[index].port}"

[spool]
path = "{self.folder / spool}"

[send]
format = "{"json" if index % 4 in (0, 3) else "msgpack"}"
batch_ms = {BATCH_MS}

[[sensor]]
driver = "plugin"
name = "script"
object = "benchmarks.chaos.driver:make"
options = {{ seed = {self.plan.seed}, index = {index}, \
span = {self.plan.span}, pace = {self.plan.pace} }}
""",
            encoding="utf-8",
        )
        arguments = ["edge", "run", "--config", str(config), "--until-done"]
        return Managed(script.node, arguments, config.with_suffix(".log"), prefix=prefix)

    def _bury(self, process: Managed) -> None:
        code = process.exit_code
        if code == 0 and process is not self.stream:
            process.wanted = False
            return
        lived = time.monotonic() - process.started_at
        if (
            code == _USER_ERROR
            and lived < _STARTING_S
            and self._trouble_at >= process.started_at - _START_AGAIN_S
        ):
            self.refused_starts += 1
        else:
            self.defects.append(
                f"{process.name} ended by itself with code {code} after {lived:.1f} s:\n"
                f"{process.tail()}"
            )
        self._again[process.name] = time.monotonic() + _START_AGAIN_S

    def _check(self, server: Server) -> None:
        process = server.process
        if process is not None and process.poll() is not None:
            self._servers_up.discard(server.name)
            self.defects.append(
                f"{server.name} ended by itself with code {process.code}:\n{process.tail()}"
            )
