"""The link against real Mosquittos: open, with passwords, with TLS, restarted, killed."""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from citynerve.errors import ConfigError, UnavailableError
from citynerve.mqtt import Link, LinkCounters, Message, MqttConfig, Will
from tests.guarded import PASSWORD, GuardedMosquitto, certify
from tests.servers import Mosquitto
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedMosquitto]:
    server = GuardedMosquitto(tmp_path / "guarded")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["server", "mutual"])
def encrypted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GuardedMosquitto]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    folder = tmp_path / "encrypted"
    certify(folder, mutual=request.param == "mutual")
    server = GuardedMosquitto(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def open_link() -> Iterator[Callable[..., Link]]:
    links: list[Link] = []

    def make(config: MqttConfig, client_id: str, filters: str = "", **more: object) -> Link:
        subscriptions = [(filters, 1)] if filters else []
        link = Link(config, client_id=client_id, subscriptions=subscriptions, **more)  # type: ignore[arg-type]
        links.append(link)
        link.start()
        return link

    yield make
    for link in links:
        link.stop()


def receive(link: Link) -> Message:
    return link.messages.get(timeout=PATIENCE_S)


def echoes(link: Link, payload: bytes) -> None:
    """The link hears what it says itself: subscription and publication both work."""
    info = link.publish("echo/1", payload)
    assert info is not None
    # What the broker had not yet confirmed when it was killed may come once more.
    while (heard := receive(link)).payload != payload:
        assert heard.topic == "echo/1"
    assert heard == Message("echo/1", payload)


def test_messages_arrive_in_order_with_topic_and_retained_flag(
    broker: Mosquitto, open_link: Callable[..., Link]
) -> None:
    sender = open_link(broker.config, "sender")
    sender.wait_connected(PATIENCE_S)
    kept = sender.publish("a/kept", b"0", retain=True)
    assert kept is not None
    kept.wait_for_publish(PATIENCE_S)
    receiver = open_link(broker.config, "receiver", "a/#")
    assert receive(receiver) == Message("a/kept", b"0", retained=True)
    for number in range(1, 200):
        sender.publish("a/many", b"%d" % number)
    assert [receive(receiver).payload for _ in range(1, 200)] == [b"%d" % n for n in range(1, 200)]
    assert receiver.counters.received == 200
    assert sender.counters.published == 200


def test_a_filter_added_later_holds_at_once_and_after_a_restart(
    broker: Mosquitto, open_link: Callable[..., Link]
) -> None:
    connected: list[int] = []
    link = open_link(broker.config, "one", on_connected=lambda: connected.append(1))
    link.wait_connected(PATIENCE_S)
    link.subscribe([("echo/+", 1)])
    echoes(link, b"before")
    broker.kill()
    until(lambda: not link.connected, "it notices")
    assert link.publish("echo/1", b"lost") is None
    assert link.counters.refused == 1
    broker.start()
    link.wait_connected(PATIENCE_S)
    echoes(link, b"after")
    assert len(connected) == link.counters.connects == 2
    assert link.counters.disconnects == 1


def test_no_broker_is_told_with_address_problem_and_fix(open_link: Callable[..., Link]) -> None:
    link = open_link(MqttConfig(url="mqtt://me:secret@127.0.0.1:1"), "none")
    until(lambda: link.counters.failures > 0, "it is refused")
    with pytest.raises(UnavailableError) as caught:
        link.wait_connected(0.1)
    text = str(caught.value)
    assert "mqtt://127.0.0.1:1" in text
    assert "refused" in text.lower()
    assert "secret" not in text
    assert "CITYNERVE_MQTT_URL" in (caught.value.fix or "")


def test_a_port_where_no_broker_answers_is_told(open_link: Callable[..., Link]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        link = open_link(MqttConfig(url=f"mqtt://127.0.0.1:{other.getsockname()[1]}"), "none")
        other.accept()
        with pytest.raises(UnavailableError, match="no answer such as an MQTT 5 broker gives"):
            link.wait_connected(0.2)


def test_a_right_password_opens(guarded: GuardedMosquitto, open_link: Callable[..., Link]) -> None:
    link = open_link(guarded.config, "right", "echo/#")
    link.wait_connected(PATIENCE_S)
    echoes(link, b"in")


@pytest.mark.parametrize("credentials", [(None, None), ("node", "wrong"), ("other", PASSWORD)])
def test_wrong_credentials_are_a_config_error(
    guarded: GuardedMosquitto,
    open_link: Callable[..., Link],
    credentials: tuple[str | None, str | None],
) -> None:
    name, word = credentials
    config = MqttConfig(url=f"mqtt://127.0.0.1:{guarded.port}", username=name, password=word)
    link = open_link(config, "wrong")
    with pytest.raises(ConfigError) as caught:
        link.wait_connected(PATIENCE_S)
    assert caught.value.key == "mqtt.username, mqtt.password"
    assert "Not authorized" in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_tls_with_our_own_authority(
    encrypted: GuardedMosquitto, open_link: Callable[..., Link]
) -> None:
    link = open_link(encrypted.config, "safe", "echo/#")
    link.wait_connected(PATIENCE_S)
    echoes(link, b"over TLS")


def test_tls_with_an_unknown_authority_or_in_the_clear_is_refused(
    encrypted: GuardedMosquitto, open_link: Callable[..., Link]
) -> None:
    right = encrypted.config
    strange = MqttConfig(url=right.url, username=right.username, password=right.password)
    link = open_link(strange, "strange")
    until(lambda: link.counters.failures > 0, "it is refused")
    with pytest.raises(UnavailableError, match="certificate verify failed"):
        link.wait_connected(0.1)
    clear = MqttConfig(url=right.url.replace("mqtts", "mqtt"))
    plain = open_link(clear, "plain")
    with pytest.raises(UnavailableError):
        plain.wait_connected(1)


@pytest.mark.parametrize("key", ["ca", "cert"])
def test_a_certificate_that_is_not_there_is_a_config_error(tmp_path: Path, key: str) -> None:
    config = MqttConfig(url="mqtts://127.0.0.1:1")
    setattr(config, key, str(tmp_path / "no.pem"))
    with pytest.raises(ConfigError, match=r"no\.pem"):
        Link(config, client_id="x")


def test_the_will_speaks_for_a_killed_process_and_not_for_one_that_leaves(
    broker: Mosquitto, open_link: Callable[..., Link]
) -> None:
    watcher = open_link(broker.config, "watcher", "status/#")
    watcher.wait_connected(PATIENCE_S)
    code = (
        "import sys\nfrom citynerve.mqtt import Link, MqttConfig, Will\n"
        "link = Link(MqttConfig(url=sys.argv[1]), client_id='mortal',"
        " will=Will('status/mortal', b'gone'))\n"
        "link.start()\nlink.wait_connected(60)\n"
        "link.publish('status/mortal', b'here').wait_for_publish(60)\n"
        "sys.stdin.readline()\nlink.stop()\n"
    )
    for farewell in (signal.SIGKILL, None):
        child = subprocess.Popen(
            [sys.executable, "-c", code, broker.config.url], stdin=subprocess.PIPE
        )
        assert receive(watcher).payload == b"here"
        if farewell is None:
            child.communicate(b"\n", timeout=PATIENCE_S)
            watcher.publish("status/watcher", b"the next to be heard")
            assert receive(watcher).payload == b"the next to be heard"
        else:
            child.send_signal(farewell)
            child.communicate(timeout=PATIENCE_S)
            assert receive(watcher) == Message("status/mortal", b"gone")


def test_a_will_is_retained(broker: Mosquitto, open_link: Callable[..., Link]) -> None:
    # A second client of the same id makes the broker drop the first without a goodbye.
    open_link(broker.config, "twin", will=Will("status/twin", b"gone")).wait_connected(PATIENCE_S)
    second = Link(broker.config, client_id="twin")
    second.start()
    second.wait_connected(PATIENCE_S)
    second.stop()
    late = open_link(broker.config, "late", "status/#")
    assert receive(late) == Message("status/twin", b"gone", retained=True)


def test_who_sees_a_new_connection_can_publish_on_it(shared_broker: Mosquitto) -> None:
    """Acknowledgements are told again when the count grows, and only then."""
    link = Link(shared_broker.config, client_id="counted")
    seen: list[bool] = []

    class Watched(LinkCounters):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "connects" and value:
                seen.append(link.connected)

    link.counters = Watched()
    link.start()
    link.wait_connected(PATIENCE_S)
    link.stop()
    assert seen == [True]
