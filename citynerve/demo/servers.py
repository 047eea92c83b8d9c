"""Mosquitto and InfluxDB as processes of ours: own configuration, own folder, loopback only.

The demo and the tests start them by the same code. A server keeps its port and folder over
``stop``, ``kill`` and another ``start``, as a real one would.
"""

import getpass
import json
import os
import re
import shutil
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec
import urllib3

from citynerve.demo.process import Process, free_port
from citynerve.errors import UnavailableError
from citynerve.influx import InfluxConfig
from citynerve.mqtt import MqttConfig

_READY: Final = 60.0
_ATTEMPTS: Final = 5
_IN_USE: Final = "address already in use"
_OK: Final = 200
_NO_CONTENT: Final = 204


class Server(ABC):
    """A server in a folder of its own.

    Args:
        name: Of the process.
        folder: Holds its configuration, its data and its log; created if missing.
        port: Where it listens on loopback; a free one by default.
    """

    def __init__(self, name: str, folder: Path, port: int | None = None) -> None:
        self.name = name
        self.folder = folder
        self.port = port or free_port()
        self._fixed = port is not None
        self.process: Process | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def _command(self) -> list[str]:
        """Write its configuration for ``self.port``, and say how it is started."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether it answers, now that it listens."""

    def start(self) -> Process:
        """Start it and wait until it serves.

        Raises:
            UnavailableError: The program is missing, or it does not come up.
        """
        for left in reversed(range(_ATTEMPTS)):
            try:
                process = self._attempt()
            except UnavailableError as error:
                # Another process may have taken a port since we found it free.
                if left == 0 or _IN_USE not in error.problem.lower():
                    raise
                if not self._fixed:
                    self.port = free_port()
            else:
                self._fixed = True
                break
        return process

    def _attempt(self) -> Process:
        process = Process(self.name, self._command(), log=self.folder / f"{self.name}.log")
        self.process = process
        # What answers there may be somebody else's as long as ours does not hold the port.
        process.wait_ready(lambda: process.serves(self.port) and self._ready(), _READY)
        return process

    def stop(self, timeout: float = 10.0) -> None:
        """End it in order; its data stays."""
        if self.process is not None:
            self.process.stop(timeout)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self.process is not None:
            self.process.kill()

    def forget(self) -> None:
        """Delete its data; it must not run."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)


class Mosquitto(Server):
    """An MQTT broker that drops nothing for lack of a queue.

    Args:
        folder: See :class:`Server`.
        port: See :class:`Server`.
        persistence: Whether it writes its state into the folder.
    """

    def __init__(self, folder: Path, port: int | None = None, *, persistence: bool = False) -> None:
        super().__init__("mosquitto", folder, port)
        self.persistence = persistence
        self.program = find_program("mosquitto", "/usr/sbin/mosquitto")

    @property
    def config(self) -> MqttConfig:
        """How clients reach it."""
        return MqttConfig(url=f"mqtt://127.0.0.1:{self.port}")

    def _command(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            # Its default of 1000 drops most of a burst.
            "max_queued_messages 0",
            "max_inflight_messages 0",
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
            "connection_messages false",
            f"persistence {'true' if self.persistence else 'false'}",
            f"persistence_location {data}/",
            "autosave_interval 10",
            # As root it would become another user, who may not write here.
            *([f"user {getpass.getuser()}"] if os.geteuid() == 0 else []),
        ]
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [self.program, "-c", str(path)]

    def _ready(self) -> bool:
        return True


class InfluxDb1(Server):
    """InfluxDB 1.x, without limits on series and without telemetry.

    Args:
        folder: See :class:`Server`.
        port: See :class:`Server`.
        program: The ``influxd`` to run; by default the one on ``PATH``.
        user: Name and password of an administrator; the server asks for credentials then.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        program: str | None = None,
        user: tuple[str, str] | None = None,
    ) -> None:
        super().__init__("influxdb", folder, port)
        self.program = program or find_program("influxd", "/usr/bin/influxd")
        self._user = user

    @property
    def config(self) -> InfluxConfig:
        """How clients reach it."""
        name, word = self._user or (None, None)
        return InfluxConfig(url=f"http://127.0.0.1:{self.port}", username=name, password=word)

    def start(self) -> Process:
        """See :meth:`Server.start`; creates the administrator where one is wanted."""
        process = super().start()
        if self._user is not None:
            name, word = self._user
            statement = f"CREATE USER \"{name}\" WITH PASSWORD '{word}' WITH ALL PRIVILEGES"
            # Refused once it exists, which is as good.
            _post(f"http://127.0.0.1:{self.port}/query", query={"q": statement})
        return process

    def _command(self) -> list[str]:
        data = self.folder / "data"
        path = self.folder / "influxdb.conf"
        path.write_text(
            f"""\
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"

[meta]
dir = {_quoted(data / "meta")}

[data]
dir = {_quoted(data / "data")}
wal-dir = {_quoted(data / "wal")}
index-version = "tsi1"
query-log-enabled = false
max-series-per-database = 0
max-values-per-tag = 0
# A replay of years at full speed fills the caches of many shards at once.
cache-max-memory-size = "4g"

[monitor]
store-enabled = false

[http]
bind-address = "127.0.0.1:{self.port}"
auth-enabled = {"true" if self._user else "false"}
log-enabled = false
max-body-size = 0
""",
            encoding="utf-8",
        )
        return [self.program, "run", "-config", str(path)]

    def _ready(self) -> bool:
        return _status(f"http://127.0.0.1:{self.port}/ping") == _NO_CONTENT


class InfluxDb2(Server):
    """InfluxDB 2.x, set up with one organisation and an operator's token.

    Args:
        folder: See :class:`Server`.
        port: See :class:`Server`.
        program: The ``influxd`` to run; by default the one on ``PATH``.
    """

    TOKEN: Final = "citynerve-local-demo"  # noqa: S105 - guards a loopback server of a demo
    ORG: Final = "citynerve"

    def __init__(
        self, folder: Path, port: int | None = None, *, program: str | None = None
    ) -> None:
        super().__init__("influxdb", folder, port)
        self.program = program or find_program("influxd", "/usr/bin/influxd")

    @property
    def config(self) -> InfluxConfig:
        """How clients reach it."""
        return InfluxConfig(url=f"http://127.0.0.1:{self.port}", token=self.TOKEN, org=self.ORG)

    def start(self) -> Process:
        """See :meth:`Server.start`; sets it up the first time."""
        process = super().start()
        wanted = {
            "username": "citynerve",
            "password": self.TOKEN,
            "org": self.ORG,
            "bucket": "first",
            "token": self.TOKEN,
        }
        # Refused once it is set up, which is as good.
        _post(f"http://127.0.0.1:{self.port}/api/v2/setup", body=msgspec.json.encode(wanted))
        return process

    def _command(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return [
            self.program,
            *("--reporting-disabled", "--log-level", "warn"),
            *("--http-bind-address", f"127.0.0.1:{self.port}"),
            *("--bolt-path", str(data / "influxd.bolt")),
            *("--sqlite-path", str(data / "influxd.sqlite")),
            *("--engine-path", str(data / "engine")),
        ]

    def _ready(self) -> bool:
        return _status(f"http://127.0.0.1:{self.port}/health") == _OK


def influxdb(folder: Path, *, program: str | None = None) -> InfluxDb1 | InfluxDb2:
    """The InfluxDB server that ``program`` (or the ``influxd`` on ``PATH``) is.

    Raises:
        UnavailableError: There is none, or it is neither 1.x nor 2.x.
    """
    found = program or find_program("influxd", "/usr/bin/influxd")
    try:
        told = subprocess.run([found, "version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise _no_influxdb(found, f"cannot be run: {error.strerror}") from error
    version = re.search(r"InfluxDB v?(\d+)\.", told.stdout + told.stderr)
    if version and version.group(1) == "1":
        return InfluxDb1(folder, program=found)
    if version and version.group(1) == "2":
        return InfluxDb2(folder, program=found)
    said = told.stdout.strip() or told.stderr.strip() or "it tells no version"
    raise _no_influxdb(found, f"neither 1.x nor 2.x: {said}")


def _no_influxdb(program: str, problem: str) -> UnavailableError:
    return UnavailableError(
        "InfluxDB server",
        where=program,
        problem=problem,
        fix="install the package influxdb, set CITYNERVE_INFLUXD to an influxd, or"
        " CITYNERVE_INFLUX_URL to a running server",
    )


def find_program(name: str, usual: str) -> str:
    """The path of a server's program; ``usual`` is where its package puts it.

    Raises:
        UnavailableError: It is not installed.
    """
    found = shutil.which(name) or (usual if os.access(usual, os.X_OK) else None)
    if found is None:
        raise UnavailableError(
            name,
            where="PATH",
            problem="not installed",
            fix=f"run make setup, or install the package that brings {name}",
        )
    return found


def _quoted(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)  # TOML's basic strings are JSON's


def _status(url: str) -> int:
    try:
        return urllib3.request("GET", url, retries=False, timeout=2.0).status
    except urllib3.exceptions.HTTPError:
        return 0


def _post(url: str, *, query: dict[str, str] | None = None, body: bytes = b"") -> None:
    target = f"{url}?{urlencode(query)}" if query else url
    urllib3.request("POST", target, body=body, retries=False, timeout=30.0)
