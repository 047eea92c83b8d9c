"""The polled subscription against a real Mosquitto, plain and with TLS."""

import threading
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
from tests.guarded import GuardedMosquitto, certify
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration

NODE = "node-0"
SHARD = "4"


class Desk:
    """An intake that a test polls as the flow does."""

    def __init__(self, config: MqttConfig) -> None:
        self.meters = Meters()
        self.ending = threading.Event()
        self.intake = Intake(config, client_id="stream-in", meters=self.meters, ending=self.ending)
        self.got: dict[str, list[Arrival]] = {digit: [] for digit in SHARDS}
        self.slowest = 0.0
        """Processor seconds of the longest call: what others do meanwhile does not count."""
        for digit in SHARDS:
            self.intake.open(digit)

    def poll(self) -> None:
        for digit in SHARDS:
            began = time.thread_time()
            self.got[digit] += self.intake.take(digit)
            self.slowest = max(self.slowest, time.thread_time() - began)

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


@pytest.fixture
def sender(broker: Mosquitto) -> Iterator[Link]:
    link = Link(broker.config, client_id="sender")
    link.start()
    link.wait_connected(PATIENCE_S)
    yield link
    link.stop()


def send(link: Link, topic: str, payload: bytes) -> None:
    info = link.publish(topic, payload)
    assert info is not None
    info.wait_for_publish(PATIENCE_S)


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
    link.wait_connected(PATIENCE_S)
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
    while time.monotonic() - began < 0.5 or not desk.meters.get("intake", "received"):
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
    certify(tmp_path / "tls")
    server = GuardedMosquitto(tmp_path / "tls")
    server.start()
    yield server.config
    server.stop()


def test_tls(tls: MqttConfig) -> None:
    desk = Desk(tls)
    desk.poll_connected()
    link = Link(tls, client_id="tls-sender")
    link.start()
    link.wait_connected(PATIENCE_S)
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
