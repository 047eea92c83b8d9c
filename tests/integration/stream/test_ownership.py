"""Who owns a store, and which stream the nodes may listen to."""

import msgspec
import pytest

from citynerve.codec import decode, encode
from citynerve.demo.servers import Mosquitto
from citynerve.messages import Owner
from citynerve.mqtt import Link
from citynerve.topics import Topics
from tests.integration.stream.scripted import Listener, StreamProcess
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration


def test_a_second_stream_on_the_store_is_refused(stream: StreamProcess) -> None:
    stream.start()
    assert stream.process is not None
    first = stream.process
    stream.start(ready=False)
    assert stream.wait() == 2
    assert f"process {first.pid}" in stream.text()
    assert "Traceback" not in stream.text()
    assert first.poll() is None
    stream.process = first
    assert stream.stop() == 0


def test_another_store_is_refused_while_one_runs_and_free_afterwards(
    stream: StreamProcess, other: StreamProcess, broker: Mosquitto
) -> None:
    stream.start()
    other.start(ready=False)
    assert other.wait() == 2
    assert "--take-over" in other.text()
    # Even with --take-over: one that lives claims anew at once.
    other.start("--take-over", ready=False)
    assert other.wait() == 2
    assert stream.process is not None
    assert stream.process.poll() is None
    stream.kill()
    listener = Listener(broker, Topics().owner())
    until(lambda: not decode(until(listener.payloads, "claim")[-1], Owner).online, "the last will")
    other.start()
    assert other.stop() == 0
    assert not decode(until(listener.payloads, "claim")[-1], Owner).online


def test_a_copy_of_the_store_that_starts_later_ends_the_older(
    stream: StreamProcess, broker: Mosquitto
) -> None:
    """As on another machine, where no lock holds: the same store, a later start."""
    stream.start()
    identity = msgspec.json.decode((stream.folder / "store" / "identity.json").read_bytes())
    newer = Owner(store=identity["id"], start=identity["start"] + 1, online=True)
    link = Link(broker.config, client_id="newer")
    link.start()
    link.wait_connected(PATIENCE_S)
    link.publish(Topics().owner(), encode(newer), retain=True)
    assert stream.wait() == 2
    assert f"start {newer.start}" in stream.text()
    # The claim is the newer one's, and no goodbye of the older's takes it away.
    after = Listener(broker, Topics().owner())
    (retained, *_) = until(after.payloads, "the retained claim")
    assert decode(retained, Owner) == newer
    after.link.stop()
    link.stop()


def test_a_late_will_of_a_dead_one_is_answered(stream: StreamProcess, broker: Mosquitto) -> None:
    stream.start()
    listener = Listener(broker, Topics().owner())
    (claim, *_) = until(listener.payloads, "claim")
    mine = decode(claim, Owner)
    dead = msgspec.structs.replace(mine, start=mine.start - 1, online=False)
    listener.link.publish(Topics().owner(), encode(dead), retain=True)
    until(lambda: len(listener.payloads()) > 2, "an answer")
    assert decode(listener.payloads()[-1], Owner) == mine
    assert stream.stop() == 0
