"""deploy/mosquitto on a real broker: TLS, passwords, and nodes that can only be themselves."""

import getpass
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from queue import Empty

import pytest

from citynerve.errors import ConfigError, UnavailableError
from citynerve.mqtt import Link, Message, MqttConfig
from citynerve.topics import Topics
from tests.servers import Mosquitto
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).parents[3] / "deploy" / "mosquitto"
TOPICS = Topics()
NODE = "norreport-1"


def _certificate(folder: Path) -> None:
    key, certificate = str(folder / "citynerve.key"), str(folder / "citynerve.crt")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    # A certificate that signs itself is its own authority.
    (folder / "citynerve-ca.crt").write_bytes((folder / "citynerve.crt").read_bytes())


class DeployedMosquitto(Mosquitto):
    """One with the configuration that we ship, but for its port, its folder and its user."""

    def _command(self) -> list[str]:
        text = (DEPLOY / "citynerve.conf").read_text(encoding="utf-8")
        for place in ("/etc/mosquitto/ca_certificates", "/etc/mosquitto/certs", "/etc/mosquitto"):
            text = text.replace(f"{place}/", f"{self.folder}/")
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1")
        # As root, Mosquitto would turn into a user of its own, who may not read this folder.
        text += f"user {getpass.getuser()}\n"
        conf = self.folder / "citynerve.conf"
        conf.write_text(text, encoding="utf-8")
        return [self.program, "-c", str(conf)]

    @property
    def config(self) -> MqttConfig:
        ca = str(self.folder / "citynerve-ca.crt")
        return MqttConfig(url=f"mqtts://127.0.0.1:{self.port}", ca=ca)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MqttConfig]:
    folder = tmp_path_factory.mktemp("mosquitto")
    _certificate(folder)
    passwords = folder / "citynerve.passwd"
    passwords.touch()
    for user in ("stream", NODE, "other-1"):
        subprocess.run(
            ["mosquitto_passwd", "-b", str(passwords), user, f"{user}-word"],
            check=True,
            capture_output=True,
        )
    (folder / "citynerve.acl").write_bytes((DEPLOY / "citynerve.acl").read_bytes())
    server = DeployedMosquitto(folder)
    server.start()
    yield server.config
    server.stop()


def _link(
    broker: MqttConfig, user: str, *filters: str, word: str | None = None, ca: str | None = None
) -> Link:
    config = MqttConfig(
        url=broker.url, ca=ca or broker.ca, username=user, password=word or f"{user}-word"
    )
    link = Link(config, client_id=f"t-{user}", subscriptions=[(one, 1) for one in filters])
    link.start()
    return link


def _next(link: Link) -> Message | None:
    try:
        return link.messages.get(timeout=PATIENCE_S)
    except Empty:
        return None


def test_a_node_writes_as_itself_and_as_nobody_else(broker: MqttConfig) -> None:
    stream = _link(broker, "stream", TOPICS.everything())
    stream.wait_connected(PATIENCE_S)
    for topic in (TOPICS.obs("other-1"), TOPICS.status("other-1"), TOPICS.ack(NODE)):
        node = _link(broker, NODE)
        node.wait_connected(PATIENCE_S)
        node.publish(topic, b"denied")
        # Mosquitto 2.0 ends the connection of who is denied.
        until(partial(_was_cut, node), f"{topic} is denied")
        node.stop()
    allowed = [TOPICS.obs(NODE), TOPICS.status(NODE), TOPICS.last(NODE, "s", "p")]
    node = _link(broker, NODE)
    node.wait_connected(PATIENCE_S)
    for topic in allowed:
        node.publish(topic, b"allowed")
    heard = [_next(stream) for _ in allowed]
    assert [message.topic for message in heard if message] == allowed
    node.stop()
    stream.stop()


def _was_cut(link: Link) -> bool:
    return link.counters.disconnects > 0


def test_a_node_reads_its_acks_and_the_owner_only(broker: MqttConfig) -> None:
    node = _link(broker, NODE, TOPICS.everything())
    stream = _link(broker, "stream")
    for link in (node, stream):
        link.wait_connected(PATIENCE_S)
    for topic in (TOPICS.ack("other-1"), TOPICS.obs(NODE), TOPICS.ack(NODE), TOPICS.owner()):
        stream.publish(topic, topic.encode())
    heard = [_next(node) for _ in range(2)]
    assert [message.topic for message in heard if message] == [TOPICS.ack(NODE), TOPICS.owner()]
    node.stop()
    stream.stop()


@pytest.mark.parametrize(("user", "word"), [(NODE, "wrong"), ("nobody", "x")])
def test_strangers_are_refused(broker: MqttConfig, user: str, word: str) -> None:
    link = _link(broker, user, word=word)
    with pytest.raises(ConfigError, match="Not authorized"):
        link.wait_connected(PATIENCE_S)
    link.stop()


def test_a_broker_with_another_authority_is_not_trusted(broker: MqttConfig, tmp_path: Path) -> None:
    _certificate(tmp_path)
    link = _link(broker, NODE, ca=str(tmp_path / "citynerve-ca.crt"))
    until(lambda: link.counters.failures > 0, "it is refused")
    with pytest.raises(UnavailableError, match=r"CERTIFICATE_VERIFY_FAILED|no connection"):
        link.wait_connected(0.1)
    link.stop()
