"""deploy/mosquitto on a real broker: TLS, passwords, and nodes that can only be themselves."""

import getpass
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from queue import Empty

import pytest

from citynerve.demo.process import Process, free_port, listens
from citynerve.demo.servers import find_program
from citynerve.errors import ConfigError, UnavailableError
from citynerve.mqtt import Link, Message, MqttConfig
from citynerve.topics import Topics

pytestmark = pytest.mark.integration

DEPLOY = Path(__file__).parents[3] / "deploy" / "mosquitto"
TOPICS = Topics()
NODE = "norreport-1"
WAIT = 10.0


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
    port = free_port()
    text = (DEPLOY / "citynerve.conf").read_text(encoding="utf-8")
    for place in ("/etc/mosquitto/ca_certificates", "/etc/mosquitto/certs", "/etc/mosquitto"):
        text = text.replace(f"{place}/", f"{folder}/")
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1")
    # As root, Mosquitto would turn into a user of its own, who may not read this folder.
    text += f"user {getpass.getuser()}\n"
    conf = folder / "citynerve.conf"
    conf.write_text(text, encoding="utf-8")
    program = find_program("mosquitto", "/usr/sbin/mosquitto")
    process = Process("mosquitto", [program, "-c", str(conf)], log=folder / "log")
    process.wait_ready(lambda: listens(port), WAIT)
    yield MqttConfig(url=f"mqtts://127.0.0.1:{port}", ca=str(folder / "citynerve-ca.crt"))
    process.stop()


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
        return link.messages.get(timeout=WAIT)
    except Empty:
        return None


def test_a_node_writes_as_itself_and_as_nobody_else(broker: MqttConfig) -> None:
    stream = _link(broker, "stream", TOPICS.everything())
    stream.wait_connected(WAIT)
    for topic in (TOPICS.obs("other-1"), TOPICS.status("other-1"), TOPICS.ack(NODE)):
        node = _link(broker, NODE)
        node.wait_connected(WAIT)
        node.publish(topic, b"denied")
        # Mosquitto 2.0 ends the connection of who is denied.
        assert _becomes(partial(_was_cut, node)), topic
        node.stop()
    allowed = [TOPICS.obs(NODE), TOPICS.status(NODE), TOPICS.last(NODE, "s", "p")]
    node = _link(broker, NODE)
    node.wait_connected(WAIT)
    for topic in allowed:
        node.publish(topic, b"allowed")
    heard = [_next(stream) for _ in allowed]
    assert [message.topic for message in heard if message] == allowed
    node.stop()
    stream.stop()


def _was_cut(link: Link) -> bool:
    return link.counters.disconnects > 0


def _becomes(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_node_reads_its_acks_and_the_owner_only(broker: MqttConfig) -> None:
    node = _link(broker, NODE, TOPICS.everything())
    stream = _link(broker, "stream")
    for link in (node, stream):
        link.wait_connected(WAIT)
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
        link.wait_connected(3)
    link.stop()


def test_a_broker_with_another_authority_is_not_trusted(broker: MqttConfig, tmp_path: Path) -> None:
    _certificate(tmp_path)
    link = _link(broker, NODE, ca=str(tmp_path / "citynerve-ca.crt"))
    with pytest.raises(UnavailableError, match=r"CERTIFICATE_VERIFY_FAILED|no connection"):
        link.wait_connected(2)
    link.stop()
