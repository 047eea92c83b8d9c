"""A recorder beside a broker that goes away, and commands that cannot be followed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from citynerve.cli import root
from citynerve.clock import now_ms
from citynerve.codec import encode
from citynerve.errors import CityNerveError, ConfigError, UnavailableError
from citynerve.mqtt import Link
from simulators.recording.info import look
from simulators.recording.reader import File
from simulators.recording.record import Recorder, Wanted
from simulators.recording.shape import RETAINED
from tests.servers import Mosquitto
from tests.unit.recording.samples import NODE, TOPICS, batch, hello, record, stored
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.integration


@pytest.fixture
def publisher(broker: Mosquitto) -> Iterator[Link]:
    link = Link(broker.config, client_id="publisher")
    link.start()
    link.wait_connected(PATIENCE_S)
    yield link
    link.stop()


def payloads(file: Path) -> list[bytes]:
    return [m.payload for m in File.open(file).messages()] if file.exists() else []


def test_a_gap_is_written_down_and_what_the_broker_kept_is_marked(
    tmp_path: Path, broker: Mosquitto, publisher: Link
) -> None:
    topic = TOPICS.obs(NODE)
    publisher.publish(TOPICS.status(NODE), b"kept", retain=True)
    file = tmp_path / "run.mcap"
    recorder = Recorder(Wanted(broker.config, file, duration_ms=120_000))
    thread = threading.Thread(target=recorder.run)
    thread.start()
    until(lambda: b"kept" in payloads(file), "what was kept is there")
    before, after = encode(batch(1)), encode(batch(2))
    publisher.publish(topic, before)
    until(lambda: before in payloads(file), "it is recorded")
    broker.kill()
    gone = now_ms()
    broker.start()

    def publish() -> bool:
        # Until the recorder is back, nobody hears it.
        publisher.publish(topic, after)
        return after in payloads(file)

    until(publish, "it is recorded again")
    recorder.stop()
    thread.join()
    (told,) = look([file]).files
    heard = {m.payload: m.at for m in reversed(list(File.open(file).messages()))}
    (gap,) = told.gaps
    assert heard[before] == gap.start <= gone <= gap.end <= heard[after]
    assert told.closed
    assert told.end == "told to end"
    kept = [m.payload for m in File.open(file).messages() if m.source.mark == RETAINED]
    assert kept == [b"kept"]


def test_it_ends_when_the_time_is_over(tmp_path: Path, broker: Mosquitto) -> None:
    outcome = Recorder(Wanted(broker.config, tmp_path, ("obs/#",), duration_ms=300)).run()
    assert outcome.seconds >= 0.3
    assert look(list(outcome.parts)).files[0].end == "the time was over"


def invoke(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(root, ["simulate", *arguments]).exception


NOWHERE = ("--mqtt-url", "mqtt://127.0.0.1:9")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("record", "--out", "x.mcap", *NOWHERE), "MQTT broker at mqtt://127.0.0.1:9"),
        (("record", "--out", "x.mcap", "--topics", "a#"), "is no filter"),
        (("record", "--out", "x.mcap", "--mqtt-url", "http://x"), "not an MQTT URL"),
        (("replay", "run.mcap", "table.csv"), "not played at once"),
        (("replay", "run.mcap", "--mapping", "m.toml"), "needs no mapping"),
        (("replay", "run.mcap", "--loop", "--times", "now", "--speed", "2"), "step with the clock"),
        (("replay", "run.mcap", "--node", "x"), "none of the recorded nodes"),
        (("replay", "run.mcap", "--from", "2099-01-01T00:00:00Z"), "none of them in this span"),
        (("replay", "run.mcap", "--dir", "played", *NOWHERE), "MQTT broker at"),
        (("replay", "none.mcap"), "No such file"),
        (("replay", "empty.mcap"), "is empty"),
        (("replay", "table.mcap"), "is no MCAP file"),
        (("replay", "quiet.mcap"), "holds no observations"),
        (("info", "table.mcap"), "is no MCAP file"),
    ],
)
def test_what_cannot_be_followed_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("simulators.recording.replay._CONNECT_S", 0.2)
    monkeypatch.setattr("simulators.recording.record._CONNECT_S", 0.2)
    record(tmp_path / "run.mcap", [stored(hello(), 0), stored(batch(1), 1)])
    record(tmp_path / "quiet.mcap", [stored(hello(), 0)])
    (tmp_path / "empty.mcap").touch()
    (tmp_path / "table.mcap").write_text("time,value\n")
    (tmp_path / "table.csv").write_text("time,value\n")
    error = invoke(*arguments)
    assert isinstance(error, ConfigError | UnavailableError), error
    assert problem in str(error)
    assert "fix: " in str(error)
    assert isinstance(error, CityNerveError)
