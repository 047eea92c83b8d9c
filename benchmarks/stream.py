"""How many readings a second one worker of the stream takes in.

``python -m benchmarks.stream [--json] [--seconds N]``

Starts Mosquitto, and where it is needed InfluxDB, on free loopback ports, the loader and the
stream as processes of their own, and measures from messages on the broker to what is ready to be
written (or is written), with admission, windows, detection, roll-ups and commits. Figures are of
the steady middle of each run: between a tenth and nine tenths of the readings.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple

from benchmarks.stream_loader import Shape
from citynerve.demo.servers import InfluxDb1, Mosquitto

_SHAPES: Final = {
    # Readings a message -> nodes, datastreams of each, columns, times; messages follow.
    1: (100, 10, 1, 1),
    10: (100, 10, 10, 1),
    100: (100, 20, 20, 5),
}
_EXPECTED: Final = {1: 35_000, 10: 350_000, 100: 900_000}
_RUNS: Final = {
    # Name -> kind of worker, raw storage, share of the expected rate.
    "bare": ("bare", "none", 1.5),
    "discard": ("discard", "none", 1.0),
    "influx": ("influx", "none", 0.9),
    "influx, raw": ("influx", "all", 0.4),
}
_MANY: Final = Shape(1000, 10, 10, 1, 120)


class Result(NamedTuple):
    """One run. ``rate``: readings/s; ``cpu``: seconds of the stream for a second of the clock."""

    run: str
    per_message: int
    readings: int
    rate: float
    cpu: float
    memory: int


@contextmanager
def _child(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _collect(lines: IO[str] | None, into: list[dict[str, float]]) -> None:
    into.extend(json.loads(line) for line in lines or ())


def measure(run: str, shape: Shape) -> Result:
    """One run on servers of its own."""
    kind, raw, _ = _RUNS[run]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = Mosquitto(folder / "mosquitto")
        broker.start()
        stack.callback(broker.stop)
        settings = {
            "mqtt": {"url": broker.config.url},
            "store": {"path": str(folder / "store")},
            "storage": {"raw": raw},
        }
        if kind == "influx":
            database = InfluxDb1(folder / "influxdb")
            database.start()
            stack.callback(database.stop)
            settings["influx"] = {"url": database.config.url}
        loader = stack.enter_context(
            _child("benchmarks.stream_loader", str(broker.port), json.dumps(shape))
        )
        assert loader.stdout is not None
        assert loader.stdin is not None
        loader.stdout.readline()
        worker = stack.enter_context(_child("benchmarks.stream_worker", kind, json.dumps(settings)))
        samples: list[dict[str, float]] = []
        threading.Thread(target=_collect, args=(worker.stdout, samples), daemon=True).start()
        loader.stdin.write("go\n")
        loader.stdin.flush()
        done = loader.stdout.readline()
        assert done, "the loader has died"
        return _result(run, shape, samples)


def _result(run: str, shape: Shape, samples: list[dict[str, float]]) -> Result:
    total = shape.readings
    middle = [s for s in samples if 0.1 * total <= s["observations"] <= 0.9 * total]
    assert len(middle) > 1, "too short to measure: raise --seconds"
    first, last = middle[0], middle[-1]
    seconds = last["at"] - first["at"]
    return Result(
        run=run,
        per_message=shape.columns * shape.times,
        readings=total,
        rate=(last["observations"] - first["observations"]) / seconds,
        cpu=(last["cpu"] - first["cpu"]) / seconds,
        memory=int(max(s["memory"] for s in samples)),
    )


def _shape(per_message: int, seconds: float, share: float) -> Shape:
    nodes, datastreams, columns, times = _SHAPES[per_message]
    readings = _EXPECTED[per_message] * share * seconds
    return Shape(nodes, datastreams, columns, times, max(20, int(readings / per_message / nodes)))


def _line(result: Result) -> str:
    return (
        f"{result.run:<22}{result.per_message:>9}{result.readings:>13,}{result.rate:>14,.0f}"
        f"{result.cpu:>8.2f}{result.rate / max(result.cpu, 0.01):>18,.0f}"
        f"{result.memory / 1e6:>10.0f}"
    )


def main() -> None:
    """Run all, print a table, and on request one JSON object on the last line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--seconds", type=float, default=8.0, help="about, for each run")
    parser.add_argument("--only", choices=[*_RUNS, "memory"], help="one kind of run")
    arguments = parser.parse_args()
    print(
        f"{'run':<22}{'a message':>9}{'readings':>13}{'readings/s':>14}"
        f"{'CPU':>8}{'per CPU second':>18}{'peak MB':>10}"
    )
    results = []
    for run, (_, _, share) in _RUNS.items():
        for per_message in _SHAPES:
            if arguments.only in (None, run):
                shape = _shape(per_message, arguments.seconds, share)
                results.append(measure(run, shape))
                print(_line(results[-1]), flush=True)
    if arguments.only in (None, "memory"):
        many = measure("influx", _MANY)._replace(run="10,000 datastreams")
        results.append(many)
        print(_line(many), flush=True)
    if arguments.json:
        print(json.dumps({"results": [result._asdict() for result in results]}))


if __name__ == "__main__":
    main()
