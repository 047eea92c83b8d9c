"""Who may connect but not subscribe would wait for ever for what never comes: it is told."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.errors import ConfigError
from citynerve.mqtt import Link
from citynerve.topics import SHARDS
from stream.meters import Meters
from stream.sources.intake import Intake
from tests.integration.edge.agents import AgentProcess, configure
from tests.servers import Mosquitto
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration

ALLOWED = "town/allowed"
PLUGINS = sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))


class StrictMosquitto(Mosquitto):
    """One that lets everybody connect and publish, but subscribe to few topics only."""

    allowed: tuple[str, ...] = (ALLOWED,)

    def _command(self) -> list[str]:
        command = super()._command()
        rights = self.folder / "rights.json"
        rights.write_text(json.dumps(_rights(self.allowed)))
        path = Path(command[-1])
        lines = [f"plugin {PLUGINS[0]}", f"plugin_opt_config_file {rights}"]
        path.write_text(path.read_text() + "\n".join(lines) + "\n")
        return command


def _rights(allowed: tuple[str, ...]) -> dict[str, object]:
    acls = [{"acltype": "subscribePattern", "topic": one, "allow": True} for one in allowed]
    access = {"publishClientSend": True, "publishClientReceive": True, "unsubscribe": True}
    return {
        "defaultACLAccess": {**access, "subscribe": False},
        "anonymousGroup": "all",
        "groups": [{"groupname": "all", "roles": [{"rolename": "few"}], "clients": []}],
        "roles": [{"rolename": "few", "acls": acls}],
        "clients": [],
    }


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[StrictMosquitto]:
    if not PLUGINS:
        pytest.skip("this Mosquitto has no dynamic security, which alone refuses subscriptions")
    server = StrictMosquitto(tmp_path / "strict")
    server.start()
    yield server
    server.stop()


def test_what_is_refused_is_named_and_what_is_granted_connects(strict: StrictMosquitto) -> None:
    good = Link(strict.config, client_id="good", subscriptions=[(ALLOWED, 1)])
    good.start()
    good.wait_connected(PATIENCE_S)
    good.stop()
    bad = Link(strict.config, client_id="bad", subscriptions=[(ALLOWED, 1), ("town/secret", 1)])
    bad.start()
    with pytest.raises(ConfigError) as caught:
        bad.wait_connected(PATIENCE_S)
    assert "no right to subscribe to town/secret" in str(caught.value)
    assert ALLOWED not in str(caught.value)
    assert not bad.connected
    assert bad.publish("town/x", b"") is None
    bad.stop()


def test_a_filter_that_is_added_later_and_refused_cuts_off(strict: StrictMosquitto) -> None:
    link = Link(strict.config, client_id="one", subscriptions=[(ALLOWED, 1)])
    link.start()
    link.wait_connected(PATIENCE_S)
    link.subscribe([("town/secret", 1)])
    until(lambda: not link.connected, "cut off")
    with pytest.raises(ConfigError, match="town/secret"):
        link.wait_connected(PATIENCE_S)
    link.stop()


def test_once_it_is_granted_the_link_comes_up_by_itself(strict: StrictMosquitto) -> None:
    link = Link(strict.config, client_id="one", subscriptions=[("town/secret", 1)])
    link.start()
    until(lambda: link.counters.failures > 0, "refused")
    strict.stop()
    strict.allowed = ("town/secret",)
    strict.start()
    until(lambda: link.connected, "granted")
    link.wait_connected(0.1)
    assert link.publish("town/secret", b"heard") is not None
    assert link.messages.get(timeout=PATIENCE_S).payload == b"heard"
    link.stop()


def test_a_node_that_may_not_hear_its_acks_says_so(strict: StrictMosquitto, tmp_path: Path) -> None:
    machine = {"driver": "machine", "interval_ms": 200}
    agent = AgentProcess(configure(tmp_path / "n", strict.config.url, machine))
    until(lambda: "broker not reached" in agent.log.read_text(), "the complaint")
    assert "no right to subscribe to city/v1/ack/4/node-0" in agent.log.read_text()


def test_a_stream_that_may_not_hear_its_nodes_is_not_connected(strict: StrictMosquitto) -> None:
    meters = Meters()
    ending = threading.Event()
    intake = Intake(strict.config, client_id="stream", meters=meters, ending=ending)
    for digit in SHARDS:
        intake.open(digit)

    def refused() -> bool:
        intake.take(SHARDS[0])
        return meters.get("intake", "failures") > 0

    until(refused, "a refusal")
    assert meters.get("intake", "connects") == 0
