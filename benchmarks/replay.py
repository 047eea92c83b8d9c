"""How fast a city is recorded, and how fast a recorded day of it is replayed.

``python -m benchmarks.replay [--json] [--only record|day] [--nodes N] [--recording FILE]``

``record``: what the recorder takes of a flood of batches of ten readings, and what of it is
missing. ``day``: a simulated day of 100 nodes is recorded as it runs through broker, stream and
InfluxDB; then it is replayed into a broker, stream and InfluxDB of its own, until all is committed,
and both databases are counted. With ``--recording``, the day is kept in that file, or taken from
it.
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks import day as days
from benchmarks.stream_loader import T0, TERM, connect, publish_packet
from citynerve.codec import encode
from citynerve.demo.chain import Chain
from citynerve.demo.process import Process
from citynerve.demo.servers import Mosquitto
from citynerve.influx import connect as connect_influx
from citynerve.messages import Batch, Column
from citynerve.topics import Topics
from simulators.recording.info import look

_GOALS: Final = {"record": 20_000.0, "day": 60.0}
_NODES: Final = 100
_FLOOD: Final = 400_000
_FLOODERS: Final = 50
_PATIENCE: Final = 300.0
_MEASUREMENTS: Final = {
    "observation": ("raw", "value"),
    "aggregate": ("main", "count"),
    "rollup": ("main", "count"),
    "anomaly": ("main", "score"),
}


class Recorded(NamedTuple):
    """``rate``: messages/s while the flood lasted; ``missing``: published and not recorded."""

    messages: int
    seconds: float
    rate: float
    missing: int
    cpu: float
    megabytes: float
    file_megabytes: float


class Day(NamedTuple):
    """``run``: seconds of the day's own run, 0 if it was not run; ``replay``: of its replay.

    ``end``: seconds until the stream, told to end, had written its last roll-ups, too.
    """

    nodes: int
    run: float
    replay: float
    end: float
    messages: int
    observations: int
    file_megabytes: float
    cpu: dict[str, float]
    stored: dict[str, int]
    differing: dict[str, tuple[int, int]]


def _citynerve(name: str, log: Path, *arguments: str) -> Process:
    return Process(name, [sys.executable, "-m", "citynerve", *arguments], log=log)


@contextmanager
def _recorder(url: str, file: Path) -> Iterator[Process]:
    process = _citynerve(
        "record", file.with_suffix(".log"), "simulate", "record", "--out", str(file),
        *("--mqtt-url", url),
    )  # fmt: skip
    deadline = time.monotonic() + _PATIENCE
    while not file.exists():
        assert process.poll() is None, process.tail()
        assert time.monotonic() < deadline, "no recording"
        time.sleep(0.05)
    yield process
    process.usage()
    assert process.stop(60) == 0, process.tail()


def flood(port: int) -> None:
    """Publish as fast as the broker takes it; runs in a process of its own."""
    topics = Topics()
    packets = []
    for number in range(_FLOODERS):
        node = f"flood-{number}"
        for seq in range(1, _FLOOD // _FLOODERS + 1):
            columns = [Column("s", f"p{d}", [T0 + 1000 * seq], [20.5 + d]) for d in range(10)]
            batch = Batch(node=node, term=TERM, seq=seq, oldest=1, sent=T0, obs=columns)
            packets.append(publish_packet(topics.obs(node), encode(batch), seq))
    sock = connect(port, 0, []).sock
    sock.settimeout(None)
    answers = threading.Thread(target=_read_to_the_end, args=(sock,))
    answers.start()
    for start in range(0, len(packets), 100):
        sock.sendall(b"".join(packets[start : start + 100]))
    # The broker reads all of it before it sees the end.
    sock.shutdown(socket.SHUT_WR)
    answers.join()


def _read_to_the_end(sock: socket.socket) -> None:
    while sock.recv(1 << 16):
        pass


def record(place: Path) -> Recorded:
    """What the recorder takes of a flood."""
    broker = Mosquitto(place / "mosquitto")
    broker.start()
    file = place / "flood.mcap"
    try:
        with _recorder(broker.config.url, file) as process:
            command = [sys.executable, "-m", "benchmarks.replay", "--flood", str(broker.port)]
            subprocess.run(command, check=True)
            size = -1
            while size != (size := file.stat().st_size):
                time.sleep(2.5)
            cpu = process.usage().cpu
    finally:
        broker.stop()
    found = look([file])
    assert found.first is not None
    assert found.last is not None
    seconds = (found.last - found.first) / 1000
    return Recorded(
        messages=found.messages,
        seconds=seconds,
        rate=found.messages / seconds,
        missing=_FLOOD - found.kinds["obs"],
        cpu=cpu,
        megabytes=found.bytes / 1e6,
        file_megabytes=file.stat().st_size / 1e6,
    )


def _points(chain: Chain) -> dict[str, int]:
    counts = {}
    with connect_influx(chain.influx) as influx:
        for measurement, (database, field) in _MEASUREMENTS.items():
            counts[measurement] = 0
            for name in {database, "raw"} if measurement in {"aggregate", "rollup"} else {database}:
                where = getattr(influx.config, name)
                query = f"SELECT count({field}) FROM {measurement}"  # noqa: S608 - our own names
                for series in influx.query(where, query):
                    counts[measurement] += int(series.values[0][1])
    return counts


def day(place: Path, nodes: int, recording: Path | None) -> Day:
    """A recorded day of a city, replayed."""
    file = recording or place / "day.mcap"
    run, wanted = 0.0, {}
    if not file.exists():
        with days.centre(place / "run") as chain, _recorder(chain.mqtt.url, file):
            city = _citynerve(
                *("city", place / "city.log", "simulate", "city", "--dir", str(place / "city")),
                *("--nodes", str(nodes), "--speed", "max", "--for", "24h", "--until-done"),
                *("--mqtt-url", chain.mqtt.url),
            )
            run = days.finish(city, chain)
            days.end(chain)
            wanted = _points(chain)
    found = look([file])
    with days.centre(place / "replay") as chain:
        playing = _citynerve(
            *("replay", place / "replay.log", "simulate", "replay", str(file)),
            *("--dir", str(place / "played"), "--speed", "max", "--until-done"),
            *("--mqtt-url", chain.mqtt.url),
        )
        seconds = days.finish(playing, chain)
        end = days.end(chain)
        cpu = {one.name: one.usage().cpu for one in (*chain.processes, playing)}
        stored = _points(chain)
    return Day(
        nodes=len(found.nodes),
        run=run,
        replay=seconds,
        end=end,
        messages=found.messages,
        observations=found.observations,
        file_megabytes=file.stat().st_size / 1e6,
        cpu=cpu,
        stored=stored,
        differing={k: (wanted[k], n) for k, n in stored.items() if wanted and wanted[k] != n},
    )


def _show_record(one: Recorded) -> None:
    print(f"a flood of {_FLOOD:,} batches of 10 readings, {one.megabytes:.0f} MB")
    print(f"  recorded             {one.rate:8,.0f} messages/s (goal: {_GOALS['record']:,.0f})")
    print(f"  missing              {one.missing:8}")
    print(f"  CPU of the recorder  {one.cpu:8.1f} s of {one.seconds:.1f} s")
    print(f"  file                 {one.file_megabytes:8.1f} MB")


def _show_day(one: Day) -> None:
    figures = {
        "and roll-ups written": f"{one.end:8.1f} s later",
        "observations": f"{one.observations:8,} in {one.messages:,} messages",
        "CPU": days.cpu(one.cpu),
        "points": str(one.stored),
    }
    if one.run:
        figures["the run itself"] = f"{one.run:8.1f} s"
        figures["other than the run"] = str(one.differing or "none")
    title = f"a recorded day of {one.nodes} nodes, {one.file_megabytes:.1f} MB, replayed"
    days.show(title, one.replay, _GOALS["day"], figures)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--only", choices=["record", "day"])
    parser.add_argument("--nodes", type=int, default=_NODES)
    parser.add_argument("--recording", type=Path, help="where the day is kept")
    parser.add_argument("--flood", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.flood is not None:
        flood(given.flood)
        return
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        if given.only in {None, "record"}:
            one = record(Path(name))
            _show_record(one)
            results["record"] = one._asdict()
        if given.only in {None, "day"}:
            recording = given.recording and given.recording.resolve()
            other = day(Path(name), given.nodes, recording)
            _show_day(other)
            results["day"] = other._asdict()
    if given.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
