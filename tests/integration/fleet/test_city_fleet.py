"""A simulated city through the real chain: killed, started again, asked to end."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from citynerve import codec
from citynerve.demo import account
from citynerve.demo.chain import Chain
from citynerve.influx import connect
from citynerve.messages import Status
from citynerve.mqtt import Link, MqttConfig
from simulators.fleet import folder
from tests.guarded import PASSWORD, USER, GuardedMosquitto, certify
from tests.servers import Mosquitto
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
NODES = 30
FOUR_HOURS = ("--nodes", str(NODES), "--for", "4h")


class City:
    """``citynerve simulate city`` as a process of its own, on one folder."""

    def __init__(self, place: Path, mqtt: MqttConfig) -> None:
        self.place = place
        self._mqtt = mqtt
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        command = ["simulate", "city", "--dir", str(self.place), "--mqtt-url", self._mqtt.url]
        with self.place.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "citynerve", *command, *options],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={key: one for key, one in os.environ.items() if "CITYNERVE_" not in key},
            )

    def signal(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGKILL)

    @property
    def state(self) -> dict[str, Any]:
        path = self.place / folder.STATE
        return json.loads(path.read_bytes()) if path.exists() else {"connected": 0}

    @property
    def log(self) -> str:
        return self.place.with_suffix(".log").read_text()

    def spools(self) -> dict[str, account.Spooled]:
        paths = self.place.glob(f"*/{folder.SPOOL}")
        return {one.parent.name: account.read_spool(one, one.parent.name) for one in paths}


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Callable[[MqttConfig], City]]:
    made: list[City] = []

    def make(mqtt: MqttConfig) -> City:
        made.append(City(tmp_path / f"city-{len(made)}", mqtt))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def test_a_killed_city_started_again_is_stored_exactly(
    tmp_path: Path, city: Callable[[MqttConfig], City]
) -> None:
    with Chain(tmp_path / "run", broker=None, database=None) as chain:
        chain.start_servers()
        chain.start_stream()
        fleet = city(chain.mqtt)
        # Paced, so that it is in the midst of its four hours however fast the machine is.
        fleet.start(*FOUR_HOURS, "--speed", "1200", "--until-done")
        until(lambda: fleet.state.get("observations", 0) > 0, "something is spooled")
        fleet.signal(signal.SIGKILL)
        before = fleet.state["observations"]
        fleet.start("--speed", "max", "--until-done")
        assert fleet.wait() == 0, fleet.log
        spools = fleet.spools()
        with connect(chain.influx) as influx:
            settled = account.settle(
                spools.values(), account.ask(influx, sorted(spools)), ended=True
            )
    assert len(spools) == NODES
    sent = sum(one.sent for one in settled)
    assert 0 < before < sent, "it was not killed in the midst"
    assert sum(one.stored for one in settled) == sent
    assert [one for one in settled if one.lost or one.doubled or one.unsent] == []
    truth = (fleet.place / folder.TRUTH).read_text().splitlines()
    assert {"id", "kind", "start", "datastreams"} <= json.loads(truth[0]).keys()
    features = json.loads((fleet.place / folder.MAP).read_text())["features"]
    assert sum(one["geometry"]["type"] == "Point" for one in features) >= NODES


def test_told_to_end_every_node_says_goodbye_and_keeps_what_it_has(
    broker: Mosquitto, city: Callable[[MqttConfig], City]
) -> None:
    watcher = Link(broker.config, client_id="watcher", subscriptions=[("city/v1/status/+", 1)])
    watcher.start()
    watcher.wait_connected(PATIENCE_S)
    fleet = city(broker.config)
    fleet.start("--nodes", str(NODES), "--history", "1h")
    until(lambda: fleet.state["connected"] == NODES, "all are online")
    assert fleet.signal(signal.SIGTERM) == 0, fleet.log
    state = fleet.state
    assert not state["running"]
    assert state["unsent"] >= NODES
    last: dict[str, Status] = {}

    def heard_all() -> bool:
        while not watcher.messages.empty():
            status = codec.decode(watcher.messages.get().payload, Status)
            last[status.node] = status
        return len(last) == NODES and not any(one.online for one in last.values())

    until(heard_all, "all say goodbye")
    watcher.stop()
    # A last will knows nothing of a node's health: these are their own words.
    assert all(one.health is not None for one in last.values())
    kept = sum(one.sent for spool in fleet.spools().values() for one in spool.counts.values())
    assert kept == state["observations"] > 0


def test_its_nodes_show_the_broker_the_certificate_that_the_city_has(
    tmp_path: Path, city: Callable[[MqttConfig], City]
) -> None:
    certify(tmp_path / "guarded", mutual=True)
    server = GuardedMosquitto(tmp_path / "guarded")
    server.start()
    try:
        known = server.config
        user = f"mqtts://{USER}:{quote(PASSWORD)}@"
        fleet = city(MqttConfig(url=known.url.replace("mqtts://", user)))
        files = {"ca": known.ca, "cert": known.cert, "key": known.key}
        named = [text for name, path in files.items() for text in (f"--mqtt-{name}", str(path))]
        fleet.start("--nodes", "3", *named)
        until(lambda: fleet.state["connected"] == 3, "all are online")
        assert fleet.signal(signal.SIGTERM) == 0, fleet.log
    finally:
        server.stop()
    configs = list(fleet.place.glob(f"*/{folder.CONFIG}"))
    assert len(configs) == 3
    for config in configs:
        mqtt = tomllib.loads(config.read_text())["mqtt"]
        assert {key: mqtt[key] for key in files} == files
        assert quote(PASSWORD) not in config.read_text()


def test_another_run_in_its_folder_is_refused_in_one_message(
    broker: Mosquitto, city: Callable[[MqttConfig], City]
) -> None:
    fleet = city(broker.config)
    fleet.start("--nodes", "2", "--for", "1s")
    assert fleet.wait() == 0, fleet.log
    fleet.start("--nodes", "3")
    assert fleet.wait() == 2
    assert "--nodes" in fleet.log
    assert "Traceback" not in fleet.log
