"""Many links on one loop, against real Mosquittos: as good as a thread for each."""

import time
from collections.abc import Callable, Hashable

import pytest

from citynerve.errors import UnavailableError
from citynerve.mqtt import Link, Message, MqttConfig, Will
from citynerve.network import Polled
from tests.servers import Mosquitto
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.integration


def poll_until(network: Polled, done: Callable[[], bool]) -> set[Hashable]:
    """Who was woken until then."""
    deadline, woken = time.monotonic() + PATIENCE_S, set[Hashable]()
    while not done():
        assert time.monotonic() < deadline, "not in time"
        woken |= network.poll(0.1)
    return woken


def links(network: Polled, config: MqttConfig, count: int) -> list[Link]:
    made = [
        Link(
            config,
            client_id=f"link-{number}",
            subscriptions=[(f"to/{number}", 1)],
            network=network.port(number),
        )
        for number in range(count)
    ]
    for link in made:
        link.start()
    return made


def test_many_links_talk_and_only_those_that_hear_something_are_woken(broker: Mosquitto) -> None:
    network = Polled()
    ten = links(network, broker.config, 10)
    woken = poll_until(network, lambda: all(link.connected for link in ten))
    assert woken == set(range(10))
    while network.poll(0.3):
        pass
    sent = [ten[number].publish(f"to/{number + 1}", b"%d" % number) for number in range(0, 10, 2)]
    hearers = range(1, 10, 2)
    woken = poll_until(network, lambda: all(ten[number].counters.received for number in hearers))
    assert woken == set(hearers)
    for number in hearers:
        assert ten[number].messages.get_nowait() == Message(f"to/{number}", b"%d" % (number - 1))
    poll_until(network, lambda: all(one is not None and one.is_published() for one in sent))
    for link in ten:
        link.stop()
    assert not any(link.connected for link in ten)
    network.close()


def test_who_says_goodbye_leaves_no_will_and_who_vanishes_does(broker: Mosquitto) -> None:
    network = Polled()
    watcher = Link(
        broker.config,
        client_id="watcher",
        subscriptions=[("status/#", 1)],
        network=network.port("watcher"),
    )
    watcher.start()
    for name in ("polite", "rude"):
        link = Link(
            broker.config,
            client_id=name,
            will=Will(f"status/{name}", b"gone"),
            network=network.port(name),
        )
        link.start()
        link.wait_connected(PATIENCE_S)
        if name == "polite":
            link.stop()
    watcher.wait_connected(PATIENCE_S)
    # Another client of this id makes the broker drop the first without a goodbye.
    twin = Link(broker.config, client_id="rude", network=network.port("twin"))
    twin.start()
    poll_until(network, lambda: not watcher.messages.empty())
    assert watcher.messages.get_nowait() == Message("status/rude", b"gone")
    assert watcher.messages.empty()


def test_links_come_back_with_the_broker_and_one_tries_for_all(broker: Mosquitto) -> None:
    network = Polled()
    twenty = links(network, broker.config, 20)
    poll_until(network, lambda: all(link.connected for link in twenty))
    broker.kill()
    poll_until(network, lambda: not any(link.connected for link in twenty))
    failures = sum(link.counters.failures for link in twenty)
    begun, tried = time.monotonic(), 0
    # Long enough for each of them to have tried, if each did.
    while not tried or time.monotonic() < begun + 5:
        assert time.monotonic() < begun + PATIENCE_S, "nobody tries"
        network.poll(0.2)
        tried = sum(link.counters.failures for link in twenty) - failures
    assert tried < 20
    broker.start()
    poll_until(network, lambda: all(link.connected for link in twenty))
    assert all(link.counters.disconnects == 1 for link in twenty)
    twenty[0].publish("to/7", b"again")
    poll_until(network, lambda: not twenty[7].messages.empty())


def test_what_is_not_read_waits_with_the_sender_and_comes_in_order(broker: Mosquitto) -> None:
    network = Polled()
    sender, hearer = links(network, broker.config, 2)
    poll_until(network, lambda: sender.connected and hearer.connected)
    payloads = [b"%d " % number + b"x" * 2000 for number in range(300)]
    for payload in payloads:
        sender.publish("to/1", payload)
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        network.poll(0.05, messages=0)
    assert hearer.messages.empty()
    heard: list[bytes] = []
    while len(heard) < len(payloads):
        network.poll(1.0, messages=7)
        while not hearer.messages.empty():
            heard.append(hearer.messages.get_nowait().payload)
    assert heard == payloads


def test_a_broker_that_is_not_there_is_said_and_costs_no_time(dead_port: int) -> None:
    network = Polled()
    nobody = MqttConfig(url=f"mqtt://127.0.0.1:{dead_port}")
    (link,) = links(network, nobody, 1)
    poll_until(network, lambda: link.counters.failures > 0)
    with pytest.raises(UnavailableError, match="refused"):
        link.wait_connected(0.1)
    assert link.publish("to/0", b"") is None
    assert link.counters.refused == 1
