"""The polled subscription against a real Mosquitto, plain and with TLS."""

import socket
import ssl
import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from citynerve.demo.servers import Mosquitto
from citynerve.mqtt import Link, MqttConfig
from citynerve.topics import SHARDS, Topics
from stream.meters import Meters
from stream.sources.intake import Arrival, Intake
from tests.integration.stream.scripted import until

pytestmark = pytest.mark.integration

NODE = "node-0"
SHARD = "4"


class Desk:
    """An intake that a test polls as the flow does."""

    def __init__(self, config: MqttConfig) -> None:
        self.meters = Meters()
        self.intake = Intake(config, client_id="stream-in", meters=self.meters)
        self.got: dict[str, list[Arrival]] = {digit: [] for digit in SHARDS}
        self.slowest = 0.0
        for digit in SHARDS:
            self.intake.open(digit)

    def poll(self) -> None:
        for digit in SHARDS:
            began = time.monotonic()
            self.got[digit] += self.intake.take(digit)
            self.slowest = max(self.slowest, time.monotonic() - began)

    def poll_until(self, count: int, digit: str = SHARD) -> list[Arrival]:
        def enough() -> bool:
            self.poll()
            return len(self.got[digit]) >= count

        until(enough, f"{count} messages of shard {digit}")
        return self.got[digit]

    def poll_connected(self, connects: int = 1) -> None:
        def connected() -> bool:
            self.poll()
            return self.meters.get("intake", "connects") >= connects

        until(connected, "connected")
        # Its SUBSCRIBE is on the way with what is written next.
        began = time.monotonic()
        while time.monotonic() - began < 0.1:
            self.poll()


@pytest.fixture
def sender(broker: Mosquitto) -> Iterator[Link]:
    link = Link(broker.config, client_id="sender")
    link.start()
    link.wait_connected(10)
    yield link
    link.stop()


def send(link: Link, topic: str, payload: bytes) -> None:
    info = link.publish(topic, payload)
    assert info is not None
    info.wait_for_publish(20)


def test_messages_arrive_in_order_by_shard(broker: Mosquitto, sender: Link) -> None:
    desk = Desk(broker.config)
    desk.poll_connected()
    topic = Topics().obs(NODE)
    for number in range(2000):
        sender.publish(topic, b"%d" % number)
    send(sender, Topics().status("a"), b"status")
    assert desk.poll_until(2000) == [(topic, b"%d" % number) for number in range(2000)]
    assert desk.poll_until(1, "d") == [(Topics().status("a"), b"status")]


def test_ten_megabytes_stall_nothing(broker: Mosquitto, sender: Link) -> None:
    desk = Desk(broker.config)
    desk.poll_connected()
    topic = Topics().obs(NODE)
    large = b"x" * (10 << 20)
    for payload in (b"before", large, b"after"):
        sender.publish(topic, payload)
    got = desk.poll_until(3)
    assert [payload for _, payload in got] == [b"before", large, b"after"]
    assert desk.slowest < 1.0


def test_a_message_beyond_all_bounds_never_comes(broker: Mosquitto, sender: Link) -> None:
    desk = Desk(broker.config)
    desk.poll_connected()
    topic = Topics().obs(NODE)
    sender.publish(topic, b"x" * (40 << 20))
    sender.publish(topic, b"after")
    assert [payload for _, payload in desk.poll_until(1)] == [b"after"]


def test_it_comes_back_after_the_broker(broker: Mosquitto) -> None:
    desk = Desk(broker.config)
    desk.poll_connected()
    broker.kill()
    for _ in range(50):
        desk.poll()
        time.sleep(0.01)
    broker.start()
    desk.poll_connected(2)
    link = Link(broker.config, client_id="late-sender")
    link.start()
    link.wait_connected(20)
    send(link, Topics().obs(NODE), b"again")
    link.stop()
    assert desk.poll_until(1)[-1][1] == b"again"


def test_who_does_not_poll_does_not_read(broker: Mosquitto, sender: Link) -> None:
    """What a blocked flow does not take stays with the broker: TCP bounds our memory."""
    desk = Desk(broker.config)
    desk.poll_connected()
    for _ in range(64):
        send(sender, Topics().obs(NODE), b"x" * (1 << 20))
    assert desk.meters.get("intake", "received") == 0
    first = desk.intake.take(SHARD)
    assert desk.meters.get("intake", "received_bytes") <= 4 << 20
    desk.poll_until(64 - len(first))


@pytest.mark.parametrize(("payload", "most"), [(b"x" * (1 << 18), 6), (b"", 4_000)])
def test_one_shard_is_not_piled_up_while_the_others_are_asked(
    broker: Mosquitto, sender: Link, payload: bytes, most: int
) -> None:
    """A lane takes all that lies there at once: some thirty times its bytes while it does."""
    desk = Desk(broker.config)
    desk.poll_connected()
    count = most * 4
    for _ in range(count - 1):
        sender.publish(Topics().obs(NODE), payload)
    send(sender, Topics().obs(NODE), payload)
    others = [digit for digit in SHARDS if digit != SHARD]
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        for digit in others:
            assert desk.intake.take(digit) == ()
    assert 0 < desk.meters.get("intake", "received") <= most
    desk.poll_until(count)


def test_topics_that_name_no_node_are_passed_on_and_not_remembered(
    broker: Mosquitto, sender: Link
) -> None:
    desk = Desk(broker.config)
    desk.poll_connected()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(200):
        send(sender, Topics().status(f"{number}" + "x" * 30_000), b"")
    assert len(desk.poll_until(200, SHARDS[0])) == 200
    desk.got.clear()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 2_000_000


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[MqttConfig]:
    """A Mosquitto that speaks TLS with a certificate made for this test."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    conf = tmp_path / "tls.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"certfile {cert}\nkeyfile {key}\nmax_queued_messages 0\nmessage_size_limit 0\n"
    )
    config = MqttConfig(url=f"mqtts://localhost:{port}", ca=str(cert))
    process = subprocess.Popen(["mosquitto", "-c", str(conf)], stderr=subprocess.DEVNULL)

    def serves() -> bool:
        context = ssl.create_default_context(cafile=str(cert))
        try:
            with (
                socket.create_connection(("localhost", port), 1) as plain,
                context.wrap_socket(plain, server_hostname="localhost"),
            ):
                return True
        except OSError:
            return False

    until(serves, "TLS broker", 20)
    yield config
    process.terminate()
    process.wait()


def test_tls(tls: MqttConfig) -> None:
    desk = Desk(tls)
    desk.poll_connected()
    link = Link(tls, client_id="tls-sender")
    link.start()
    link.wait_connected(10)
    topic = Topics().obs(NODE)
    payloads = [b"%d" % n * 500 for n in range(3000)] + [b"y" * (3 << 20)]
    for payload in payloads:
        link.publish(topic, payload)
    got = desk.poll_until(len(payloads))
    link.stop()
    assert [payload for _, payload in got] == payloads


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: MqttConfig) -> None:
    desk = Desk(MqttConfig(url=tls.url))

    def refused() -> bool:
        desk.poll()
        return desk.meters.get("intake", "failures") > 0

    until(refused, "a refusal")
    assert desk.meters.get("intake", "connects") == 0
